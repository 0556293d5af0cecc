package metrics

import (
	"math"
	"math/bits"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// FreeSpace is the free space on disk, counted as e2freefrag counts it: a piece is a run of
// free blocks that may cross the borders of groups. Counts are in blocks.
//
// Deviates from e2freefrag 1.47.0 only with bigalloc, where that tool shifts by the cluster
// ratio twice and so prints wrong numbers.
type FreeSpace struct {
	BlockSize int64
	Total     uint64 // blocks of the file system
	Blocks    uint64 // free blocks
	Extents   uint64 // pieces
	Min, Max  uint64 // lengths of the shortest and the longest, 0 where there is none
	Sizes     Bins
}

// ShareFrom returns the share of the free space that lies in pieces of at least so many
// bytes, which must be a power of two. It is NaN where there is no free space.
func (f *FreeSpace) ShareFrom(bytes int64) float64 {
	if f.Blocks == 0 {
		return math.NaN()
	}
	// Class i of Sizes holds pieces of 2^i blocks up to 2^(i+1), so that a power of two is
	// where a class begins.
	first := bits.Len64(uint64(max(1, bytes/f.BlockSize))) - 1
	n := int64(0)
	for i := first; i < len(f.Sizes); i++ {
		n += f.Sizes[i].Sum
	}
	return float64(n) / float64(f.Blocks)
}

// runs joins free runs, which it is given in the order of the device, to pieces and counts
// these in f. The piece [start, end) is still open: the next run may continue it.
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

// close counts the piece that is open, if any, and leaves an empty one.
func (r *runs) close() {
	n := uint64(r.end - r.start)
	if n == 0 {
		return
	}
	// Count the piece, and keep the shortest and the longest.
	f := r.f
	f.Blocks += n
	f.Sizes.add(n)
	if f.Extents == 0 || n < f.Min {
		f.Min = n
	}
	f.Extents++
	f.Max = max(f.Max, n)
	// Now the open piece is empty, so that a second close counts nothing.
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
	// From clusters to blocks. The last cluster of the device may reach behind its last block.
	end := geo.BlockAt(id, allocator.GroupOffset(j))
	r.add(geo.BlockAt(id, allocator.GroupOffset(i)), min(end, geo.Blocks))
}

// FreeSpaceOf counts the free space of a file system as it lies on disk at mount.
func FreeSpaceOf(src allocator.Source, geo *allocator.Geometry) FreeSpace {
	return newFreeMap(src, geo).scan(nil)
}

// freeMap is what a collector keeps of the groups as they were at mount, so that
// looking at all of them costs little. It asks the source once, when it is first
// used.
type freeMap struct {
	src     allocator.Source
	geo     *allocator.Geometry
	scratch bitmap.Bits
	each    []uint32 // free clusters of each group, nil before count
	sum     int64    // sum of each
	// Group id's free runs are those of kept from first[id] to the next group's first, or
	// first[id] is crowded. A group that is free or full as a whole has none there. It is
	// nil before index.
	first []uint32
	kept  []clusterRun
}

// clusterRun is the run of clusters [start, end) of a group.
type clusterRun struct{ start, end uint32 }

const (
	crowded  = math.MaxUint32 // in freeMap.first: the group has more runs than are kept
	keptRuns = 8              // at most so many runs of a group are kept; the source is asked again for a group with more
)

func newFreeMap(src allocator.Source, geo *allocator.Geometry) *freeMap {
	// Tables are as long as a bitmap block, which may be longer than a group.
	bits := max(geo.ClustersPerGroup, 8<<geo.BlockBits)
	return &freeMap{src: src, geo: geo, scratch: bitmap.New(int(bits))}
}

// sourceBitmap reads the bitmap of a group as it was at mount.
func (m *freeMap) sourceBitmap(id allocator.GroupID) bitmap.Bits {
	clear(m.scratch)
	m.src.BlockBitmap(id, m.scratch)
	return m.scratch
}

// count reads the numbers of free clusters of all groups from their descriptors, once.
func (m *freeMap) count() {
	if m.each != nil {
		return
	}
	m.each = make([]uint32, m.geo.Groups)
	for id := range m.each {
		m.each[id] = m.src.Desc(allocator.GroupID(id)).FreeClusters
		m.sum += int64(m.each[id])
	}
}

// index reads, once, the bitmaps of the groups that are neither free nor full as a whole.
func (m *freeMap) index() {
	if m.first != nil {
		return
	}
	m.count()
	m.first = make([]uint32, m.geo.Groups+1)
	for id := range m.geo.Groups {
		m.first[id] = uint32(len(m.kept))
		if !m.whole(id) && m.each[id] > 0 {
			m.keep(id)
		}
	}
	// An entry behind the last group ends the last group's runs.
	m.first[m.geo.Groups] = uint32(len(m.kept))
}

// whole says whether every cluster of a group was free.
func (m *freeMap) whole(id allocator.GroupID) bool { return m.each[id] == m.geo.ClustersIn(id) }

// keep adds the free runs of a group to kept, or marks the group as crowded if there are
// more than keptRuns of them.
func (m *freeMap) keep(id allocator.GroupID) {
	start := len(m.kept)
	b, n := m.sourceBitmap(id), int(m.geo.ClustersIn(id))
	for i := b.NextZero(0, n); i < n; {
		// Too many: take back what was kept of this group.
		if len(m.kept)-start == keptRuns {
			m.kept = m.kept[:start]
			m.first[id] = crowded
			return
		}
		j := b.NextSet(i, n)
		m.kept = append(m.kept, clusterRun{uint32(i), uint32(j)})
		i = b.NextZero(j, n)
	}
}

// scan counts the free space. bitmapOf returns the bitmap of a group that may differ from
// the state at mount, nil for any other group; it may be nil itself.
func (m *freeMap) scan(bitmapOf func(allocator.GroupID) []uint64) FreeSpace {
	m.index()
	f := FreeSpace{BlockSize: m.geo.BlockSize(), Total: uint64(m.geo.Blocks)}
	r := runs{f: &f}
	for id := range m.geo.Groups {
		// A group that may have changed is read from the allocator's own bitmap.
		if bitmapOf != nil {
			if b := bitmapOf(id); b != nil {
				r.groupRuns(m.geo, id, b)
				continue
			}
		}
		// Any other is as it was at mount: from the cheapest source to the dearest.
		switch {
		case m.each[id] == 0:
			// A full group has no free run.
		case m.whole(id):
			r.addClusters(m.geo, id, 0, int(m.each[id]))
		case m.first[id] == crowded:
			r.groupRuns(m.geo, id, m.sourceBitmap(id))
		default:
			for _, k := range m.kept[m.first[id]:m.next(id)] {
				r.addClusters(m.geo, id, int(k.start), int(k.end))
			}
		}
	}
	r.close()
	return f
}

// next returns where the kept runs of a group end in kept: where those of the next group
// that is not crowded begin. The entry behind the last group is never crowded.
func (m *freeMap) next(id allocator.GroupID) uint32 {
	for id++; m.first[id] == crowded; id++ {
	}
	return m.first[id]
}
