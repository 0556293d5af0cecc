package mballoc

import (
	"fmt"
	"slices"

	"mbsim/allocator"
)

// Kernel is everything in which the allocator of one kernel differs from that of
// another. A difference of one line is a field of Quirks; a different algorithm is a
// type behind an interface or a function. Linux 5.10 is a literal (linux5_10.go); each
// later kernel is that and a list of changes (changes.go). No other file names a version.
type Kernel struct {
	Name string // as scenarios and flags name it
	Doc  string // which kernel it is

	// Ladder is the criteria of a search, the most demanding first. There are at most
	// MaxRungs.
	Ladder []Rung
	// Order makes what decides how one pass of a search meets the groups. It is called at
	// each mount, so that an order may keep lists of the groups of one file system.
	Order func(a *Allocator) Order
	// Preallocs is how an inode's preallocations are kept.
	Preallocs InodePreallocs
	// StreamGoals is how many places the allocator remembers at which streams ended,
	// for a machine and a file system. An inode uses the one of its number modulo this.
	StreamGoals func(cpus int, groups allocator.GroupID) int
	// Tunables are the files this kernel has in /sys/fs/ext4/DEV.
	Tunables []Tunable
	// Counters are those that not every kernel has.
	Counters Counters
	// Stats are the lines of /proc/fs/ext4/DEV/mb_stats behind its first.
	Stats []StatLine
	// Quirks are the differences of one line.
	Quirks Quirks
}

// MaxRungs is the length of the longest ladder.
const MaxRungs = 5

// Quirks are differences between kernels that one line of code makes. Each says what a
// kernel does that has it.
type Quirks struct {
	// MergeGoal moves the goal to the neighbours a window touches. Before
	// 5.10.223 (and 6.1.192) a mistake wrote that to a field nobody reads, so
	// that the old goal was tried.
	MergeGoal bool
	// ThreeStepPlacement places an inode preallocation shorter than its goal at
	// the goal's end, else at its start, else at the request.
	ThreeStepPlacement bool
	// GoalOnlyTriesGoal lets HINT_GOAL_ONLY alone try the goal.
	GoalOnlyTriesGoal bool
	// ClampTinyGroups keeps a window in the group-sized part of the file that
	// the request is in, and below the largest file.
	ClampTinyGroups bool
	// DiscardRetries is how many searches a request makes at most, 0 for no
	// limit.
	DiscardRetries int
	// SimpleWraps lets the allocator of fast-commit replay search all groups,
	// and counts its clusters as clusters.
	SimpleWraps bool
	// ClosedFilesShare lets a small file that nobody has open for writing use the
	// locality group, as any small file does, rather than prepare nothing.
	ClosedFilesShare bool
	// StripeOfBlock has findByGoal ask whether a stripe begins at the goal's block. Before,
	// the cluster's number was added to the group's first block as if it were one.
	StripeOfBlock bool
	// StripeClusters converts the stripe to clusters wherever lengths of clusters are
	// compared with it.
	StripeClusters bool
	// StripeFallback scans a group in full where no whole stripe was found in it.
	StripeFallback bool
	// SkipShortRuns lets cheap rungs pass over free runs shorter than the goal without
	// examining them.
	SkipShortRuns bool
	// WindowOfBlocks converts a request to blocks where normalization compares its length
	// with 8 MiB.
	WindowOfBlocks bool
	// PrefetchUninit reads ahead in uninitialized groups too, and makes their buddies.
	PrefetchUninit bool
	// PrefetchAll makes the buddies of a whole batch that was read ahead, even if the bitmaps
	// had been in memory, and judges each group by its own descriptor.
	PrefetchAll bool
	// PreallocatedWhole counts all of a new inode preallocation as preallocated, with the part
	// that its first request takes.
	PreallocatedWhole bool
	// SkipLocked passes over groups that another CPU has locked, but with the last rung.
	SkipLocked bool
	// StreamGoalGroup keeps of a stream goal the group alone, without a lock, and has streams
	// search rather than try their goal.
	StreamGoalGroup bool
	// HitsBehindLadder counts a search whose best is taken after all rungs in the counter
	// behind the rungs' hits, which is the first rung's useless loops: the kernel writes
	// behind the end of an array.
	HitsBehindLadder bool
}

// Counters are lines of mb_stats that not every kernel has.
type Counters struct {
	// BadSuggestions counts, for each rung that takes groups from lists, those taken in
	// vain.
	BadSuggestions bool
	// ExtentsByRung counts the extents examined with each rung.
	ExtentsByRung bool
	// LenGoalHits counts requests that got the whole length they were normalized to.
	LenGoalHits bool
	// StreamGoalHits counts streams that went on in the group in which the last one ended.
	StreamGoalHits bool
	// StructsSummary says that there is a file mb_structs_summary.
	StructsSummary bool
}

// Order is how one pass of a search meets the groups. A kernel that keeps lists of
// groups, by order or by average fragment, is another type here.
type Order interface {
	// pass offers groups to s.visit until that reports that the search is over. Only
	// groups below s.n may be offered. It returns the rung with which the search goes on if
	// it is not over: mostly s.exhausted(), which counts the pass as useless and names the
	// next rung.
	pass(s *searchPass) (next int)
	// changed is called when a group's free clusters, fragments or largest buddy have
	// changed, or have become known because its buddy was made.
	changed(a *Allocator, id allocator.GroupID, g *group)
	// listsOf are the numbers of the lists that a group whose buddy has been made belongs on, by
	// its largest free buddy and by its mean free fragment; -1 for none.
	listsOf(a *Allocator, g *group) (largest, mean int32)
	// summary is how many groups are on each list that the order keeps (mb_structs_summary). It
	// is nil for an order without lists.
	summary() (largest, mean []int)
}

// Kernels lists all kernels, the one to use where none is named first.
func Kernels() []Kernel { return kernels }

var kernels = slices.Concat([]Kernel{Linux5_10, Linux5_10Seed}, laterKernels())

// DefaultKernel is used where none is named.
var DefaultKernel = Linux5_10

// KernelByName finds a kernel.
func KernelByName(name string) (Kernel, error) {
	for _, k := range Kernels() {
		if k.Name == name {
			return k, nil
		}
	}
	return Kernel{}, fmt.Errorf("unknown kernel %q", name)
}

// Rungs lists the rungs of all kernels' ladders, each key once, in the order of the
// ladders.
func Rungs() []Rung {
	var all []Rung
	seen := make(map[string]bool)
	for _, k := range Kernels() {
		for _, r := range k.Ladder {
			if !seen[r.Key] {
				seen[r.Key] = true
				all = append(all, r)
			}
		}
	}
	return all
}

// RungOf is the place of the rung with this key in the kernel's ladder, -1 where it has
// none.
func (k *Kernel) RungOf(key string) int {
	return slices.IndexFunc(k.Ladder, func(r Rung) bool { return r.Key == key })
}
