package allocator

import "slices"

// Change is what one commit of the kernel, or a few that belong together, changed in a
// part of ext4, K. A kernel is a base kernel and the list of changes it has, so that the
// difference between two kernels is a list of names, and each can be switched alone.
type Change[K any] struct {
	Name   string // as scenarios name it: words with hyphens
	Doc    string // what a kernel with it does, in one sentence
	Commit string // title of the upstream commit, or titles with "; " between; empty where nobody has found it
	Since  string // the first mainline version that has it, such as "6.5"; empty where that is not known
	// Stable says which stable series took it over: each from a release on ("6.1.105"), or in
	// some release ("6.6"); "5.4 and later" are all from a series on that lived long enough. It
	// may hold other words. It is empty for none that is known.
	Stable string
	Where  string // the file that it acts in
	// Kernels are the names of the profiles that have it.
	Kernels []string
	// Needs are the names of changes without which it has no meaning.
	Needs []string
	// Apply makes the change. It must not write to what a field of K points to, since
	// kernels share those.
	Apply func(*K)
}

// WithChanges is base with those of the changes that has selects, made in their order.
func WithChanges[K any](base K, changes []Change[K], has func(*Change[K]) bool) K {
	for i := range changes {
		if has(&changes[i]) {
			changes[i].Apply(&base)
		}
	}
	return base
}

// In says whether the profile of this name has the change.
func (c *Change[K]) In(profile string) bool { return slices.Contains(c.Kernels, profile) }
