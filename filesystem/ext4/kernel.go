package ext4

import (
	"fmt"
	"slices"

	"mbsim/allocator/mballoc"
)

// Kernel is everything in which ext4 of one kernel differs from ext4 of another: the part
// above the allocator, and the allocator itself. A difference of one line is a field of
// Quirks, and its zero value is what Linux5_10 does; a different algorithm is a function
// that is chosen once, when the kernel is made. A kernel is Linux5_10 and the changes that
// were made since (changes.go). No other file names a version.
type Kernel struct {
	Name string // as scenarios and flags name it
	Doc  string // which kernel it is

	// Allocator is the part below.
	Allocator mballoc.Kernel
	// Defaults are the mount options that hold where the user gives none.
	Defaults MountDefaults
	// Quirks are the differences of one line.
	Quirks Quirks
}

// MountDefaults are mount options as a kernel has them where the user gives none.
type MountDefaults struct {
	// DioreadNolock allocates blocks unwritten whatever their size; without it only blocks
	// of the size of a page.
	DioreadNolock bool
	// PrefetchBlockBitmaps reads all bitmaps in the background after each mount.
	PrefetchBlockBitmaps bool
	// OptimizeScanGroups is the number of groups from which on the allocator finds groups
	// by lists of them (mb_optimize_scan), 0 where the kernel does not have that option.
	OptimizeScanGroups uint32
}

// Quirks are differences between kernels that one line of code makes. Each says what a
// kernel does that has it.
type Quirks struct {
	// DropOddStripe turns the stripe off where it is not a whole number of clusters
	// (ext4_is_stripe_incompatible).
	DropOddStripe bool
	// ClampMinClusters lets Orlov's limit of free clusters be 0 where it came out
	// negative, so that every group meets it (find_group_orlov).
	ClampMinClusters bool
}

// Kernels lists all kernels, the one to use where none is named first: what is above each
// allocator is Linux5_10's with the changes that the kernel of that name has.
func Kernels() []Kernel {
	var all []Kernel
	for _, a := range mballoc.Kernels() {
		all = append(all, over(a))
	}
	return all
}

// over is the kernel whose allocator is a.
func over(a mballoc.Kernel) Kernel {
	k := Linux5_10
	k.Name, k.Doc, k.Allocator = a.Name, a.Doc, a
	for _, c := range Changes {
		if slices.Contains(c.Kernels, k.Name) {
			c.Apply(&k)
		}
	}
	return k
}

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
