package mballoc

import (
	"fmt"
	"slices"

	"mbsim/allocator"
)

// Kernel is everything in which the allocator of one kernel differs from that of
// another. A difference of one line is a field of Quirks; a different algorithm is a
// type behind an interface or a function; a kernel is a literal in a file of its own
// (linux5_10.go). No other file names a version.
type Kernel struct {
	Name string // as scenarios and flags name it
	Doc  string // which kernel it is

	// Ladder is the criteria of a search, the most demanding first. There are at most
	// MaxRungs.
	Ladder []Rung
	// Order is how one pass of a search meets the groups.
	Order Order
	// Preallocs is how an inode's preallocations are kept.
	Preallocs InodePreallocs
	// StreamGoals is how many places the allocator remembers at which streams ended,
	// for a machine and a file system. An inode uses the one of its number modulo this.
	StreamGoals func(cpus int, groups allocator.GroupID) int
	// Tunables are the files this kernel has in /sys/fs/ext4/DEV.
	Tunables []Tunable
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
}

// Order is how one pass of a search meets the groups. A kernel that keeps lists of
// groups, by order or by average fragment, is another type here.
type Order interface {
	// pass offers groups to s.visit until that reports that the search is over. Only
	// groups below s.n may be offered. Every group that the pass looks at is counted with
	// s.considered. It returns true if it came to its end and no group ended the search.
	pass(s *searchPass) (exhausted bool)
	// changed is called when a group's free clusters, fragments or largest buddy have
	// changed, or have become known because its buddy was made.
	changed(a *Allocator, id allocator.GroupID, g *group)
}

// Kernels lists all kernels, the one to use where none is named first.
func Kernels() []Kernel { return []Kernel{Linux5_10, Linux5_10Seed} }

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
