package metrics

import (
	"math"
	"math/bits"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// FreeSpace is what the free space on disk comes to, as e2freefrag counts it:
// pieces cross the borders of groups. Counts are blocks.
//
// Deviates from e2freefrag 1.47.0 with bigalloc only, which it reads wrongly (it
// shifts by the cluster ratio twice).
type FreeSpace struct {
	BlockSize int64
	Total     uint64 // blocks of the file system
	Blocks    uint64 // free blocks
	Extents   uint64 // pieces
	Min, Max  uint64 // lengths of the shortest and the longest, 0 where there is none
	Sizes     Bins
}

// ShareFrom is the share of the free space in pieces of at least so many bytes, a
// power of two.
func (f *FreeSpace) ShareFrom(bytes int64) float64 {
	if f.Blocks == 0 {
		return math.NaN()
	}
	first := bits.Len64(uint64(max(1, bytes/f.BlockSize))) - 1
	n := int64(0)
	for i := first; i < len(f.Sizes); i++ {
		n += f.Sizes[i].Sum
	}
	return float64(n) / float64(f.Blocks)
}

// runs joins free runs, which come in order, to pieces.
type runs struct {
	f          *FreeSpace
	start, end allocator.Block
}

// add takes the free run [start, end).
func (r *runs) add(start, end allocator.Block) {
	if start >= end {
		return
	}
	if start != r.end {
		r.close()
		r.start = start
	}
	r.end = end
}

// close ends the piece that is open.
func (r *runs) close() {
	n := uint64(r.end - r.start)
	if n == 0 {
		return
	}
	f := r.f
	f.Blocks += n
	f.Sizes.add(n)
	if f.Extents == 0 || n < f.Min {
		f.Min = n
	}
	f.Extents++
	f.Max = max(f.Max, n)
	r.start = r.end
}

// groupRuns adds the free runs of a group's bitmap.
func (r *runs) groupRuns(geo *allocator.Geometry, id allocator.GroupID, b bitmap.Bits) {
	n := int(geo.ClustersIn(id))
	for i := b.NextZero(0, n); i < n; {
		j := b.NextSet(i, n)
		r.addClusters(geo, id, i, j)
		i = b.NextZero(j, n)
	}
}

// addClusters adds the free clusters [i, j) of a group.
func (r *runs) addClusters(geo *allocator.Geometry, id allocator.GroupID, i, j int) {
	end := geo.BlockAt(id, allocator.GroupOffset(j))
	r.add(geo.BlockAt(id, allocator.GroupOffset(i)), min(end, geo.Blocks))
}

// FreeSpaceOf counts the free space of a file system as it lies on disk at mount.
func FreeSpaceOf(src allocator.Source, geo *allocator.Geometry) FreeSpace {
	return scanFree(src, geo, func(allocator.GroupID) []uint64 { return nil })
}

// FreeSpaceNow counts the free space as it lies on disk now: src is the file system
// as it was at mount.
func FreeSpaceNow(src allocator.Source, geo *allocator.Geometry, p Policy) FreeSpace {
	return scanFree(src, geo, p.PeekBitmap)
}

// scanFree goes through all groups. bitmapOf gives the bitmap of a group that may have changed
// since mount, nil for the others.
func scanFree(src allocator.Source, geo *allocator.Geometry, bitmapOf func(allocator.GroupID) []uint64) FreeSpace {
	f := FreeSpace{BlockSize: geo.BlockSize(), Total: uint64(geo.Blocks)}
	r := runs{f: &f}
	// Tables are as long as a bitmap block, which may be longer than a group.
	scratch := bitmap.New(int(max(geo.ClustersPerGroup, 8<<geo.BlockBits)))
	for id := range geo.Groups {
		if b := bitmapOf(id); b != nil {
			r.groupRuns(geo, id, b)
			continue
		}
		switch size := geo.ClustersIn(id); src.Desc(id).FreeClusters {
		case 0:
			// A full group has no free run.
		case size:
			r.addClusters(geo, id, 0, int(size))
		default:
			clear(scratch)
			src.BlockBitmap(id, scratch)
			r.groupRuns(geo, id, scratch)
		}
	}
	r.close()
	return f
}
