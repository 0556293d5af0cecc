package metrics

import (
	"mbsim/allocator"
	"mbsim/filesystem"
)

// sampleObserver is a file system that wants to know when the run is sampled.
type sampled interface{ Sampled(now int64) }

// notifySampled tells the file system, if it wants to know, that the run is sampled now.
func (c *Collector) tell(now int64) {
	if s, ok := c.fs.(sampled); ok {
		s.Sampled(now)
	}
}

// FreeSpaceNow counts the free space as it lies on disk now: src is the file system
// as it was at mount.
func FreeSpaceNow(src allocator.Source, geo *allocator.Geometry, p Policy) FreeSpace {
	return newFreeMap(src, geo).scan(p.PeekBitmap)
}

// System is the file system as the run left it; nil where the result was read from
// files.
func (r *Result) System() filesystem.FileSystem { return r.system }
