package allocator

// Change is one thing that a later kernel does otherwise than an earlier one, as a value that
// can be named, listed and switched on: a kernel is an older one plus the changes made since. K
// is the description of a kernel that it changes.
type Change[K any] struct {
	Name    string   // in kebab-case, as flags name it
	Doc     string   // one sentence: what a kernel does that has it
	Commit  string   // title of the upstream commit
	Since   string   // the first mainline version with it
	Stable  string   // the stable releases of older series that have it too, empty for none
	Where   string   // the kernel's function
	Kernels []string // which kernels of this program have it
	Needs   []string // names of the changes that it builds upon
	Apply   func(*K) // makes the change
}
