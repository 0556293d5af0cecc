package metrics

import "mbsim/allocator"

// FreeSpaceNow counts the free space as it lies on disk now: src is the file system
// as it was at mount.
func FreeSpaceNow(src allocator.Source, geo *allocator.Geometry, p Policy) FreeSpace {
	return newFreeMap(src, geo).scan(p.PeekBitmap)
}
