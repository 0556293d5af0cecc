package mballoc

import (
	"unsafe"

	"mbsim/allocator"
)

// LeastMemory is how much memory an allocator takes at least, in bytes, once it has looked into
// so many groups, as it does into all where mb_groups is read. A group that nothing was changed
// in costs its header, since it shares its bitmaps with others like it (shape).
func LeastMemory(groups allocator.GroupID) int64 {
	return int64(groups) * int64(unsafe.Sizeof(group{}))
}
