package kernels

import (
	"cmp"
	"slices"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem/ext4"
)

// Change is what one commit of the kernel, or a few that belong together, changed in ext4:
// in its allocator, in what is above that, or in both.
type Change struct {
	Name   string // as scenarios name it: words with hyphens
	Doc    string // what a kernel with it does, in one sentence
	Commit string // title of the upstream commit, or of several
	Since  string // the first mainline version that has it
	Stable string // which stable series took it over, as in allocator.Change
	Where  string // where in this program or in the kernel it acts
	// Kernels are the names of the kernels that have it, and Needs those of the changes without
	// which it has no meaning.
	Kernels, Needs []string
	// InAllocator says that the allocator has a part in it.
	InAllocator bool

	since version    // Since
	dated bool       // whether that is known; otherwise it is the first kernel here that has it
	taken []takeover // Stable
}

// In says whether the kernel of this name has the change.
func (c *Change) In(kernel string) bool { return slices.Contains(c.Kernels, kernel) }

// Changes are all changes after the oldest kernel, in the order in which mainline got them.
// It is the only list of them, and the caller may not write to it.
func Changes() []Change { return changes }

var changes = joinChanges(mballoc.Changes, ext4.Changes)

// notIdentified is what stands for the title of a commit that nobody has found yet: its Since
// is then the first kernel of this program that has it.
const notIdentified = "not identified yet: since is the first kernel here that has the change"

// joinChanges makes one list of the changes of the allocator and of those above it. Two of one
// name are the two parts of one change, since one commit made both, and users switch both at once.
func joinChanges(below []allocator.Change[mballoc.Kernel], above []allocator.Change[ext4.Kernel]) []Change {
	var all []Change
	for i := range below {
		all = append(all, changeOf(&below[i], true))
	}
	for i := range above {
		c := changeOf(&above[i], false)
		// What is said of a change in two parts is what the allocator's list says.
		if !slices.ContainsFunc(all, func(x Change) bool { return x.Name == c.Name }) {
			all = append(all, c)
		}
	}
	// Those of one version keep their order, as one may need another before it.
	slices.SortStableFunc(all, func(a, b Change) int { return a.since.compareSeries(b.since) })
	return all
}

// changeOf is an entry of a list as the registry has it.
func changeOf[K any](c *allocator.Change[K], inAllocator bool) Change {
	out := Change{
		Name: c.Name, Doc: c.Doc, Commit: cmp.Or(c.Commit, notIdentified), Since: c.Since, Stable: c.Stable, Where: c.Where,
		Kernels: c.Kernels, Needs: c.Needs, InAllocator: inAllocator, dated: c.Since != "", taken: parseStable(c.Stable),
	}
	if !out.dated && len(c.Kernels) > 0 {
		out.Since = c.Kernels[0]
	}
	// A text that is no version sorts first; a test refuses it.
	out.since, _, _ = parseRelease(out.Since)
	return out
}

// FindChange is the change of this name.
func FindChange(name string) (*Change, bool) {
	i := changeIndex(name)
	if i < 0 {
		return nil, false
	}
	return &changes[i], true
}

// changeIndex is the place of a change in the list, -1 where there is none of this name.
func changeIndex(name string) int {
	return slices.IndexFunc(changes, func(c Change) bool { return c.Name == name })
}

// changeNames are the names of all changes.
func changeNames() (names []string) {
	for i := range changes {
		names = append(names, changes[i].Name)
	}
	return names
}
