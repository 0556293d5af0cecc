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
	return newFreeMap(src, geo).scan(nil)
}

// freeMap is what a collector keeps of the groups as they were at mount, so that
// looking at all of them costs little. It asks the source once, when it is first
// used.
type freeMap struct {
	src     allocator.Source
	geo     *allocator.Geometry
	scratch bitmap.Bits
	each    []uint32 // free clusters of each group
	sum     int64    // of these
	// first[id] is the first of group id's free runs in kept, or crowded. A
	// group that is free as a whole has none there.
	first []uint32
	kept  []clusterRun
}

type clusterRun struct{ start, end uint32 }

const (
	crowded  = math.MaxUint32
	keptRuns = 8 // of a group; a group with more is read from the source each time
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

// count reads the free counts of all groups.
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

// index reads the bitmaps of the groups that are neither free nor full.
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
	m.first[m.geo.Groups] = uint32(len(m.kept))
}

// whole says whether every cluster of a group was free.
func (m *freeMap) whole(id allocator.GroupID) bool { return m.each[id] == m.geo.ClustersIn(id) }

// keep keeps the free runs of a group, or marks it as crowded.
func (m *freeMap) keep(id allocator.GroupID) {
	start := len(m.kept)
	b, n := m.sourceBitmap(id), int(m.geo.ClustersIn(id))
	for i := b.NextZero(0, n); i < n; {
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

// scan counts the free space. bitmapOf gives the bitmap of a group that has been
// read, nil for the others; it may be nil.
func (m *freeMap) scan(bitmapOf func(allocator.GroupID) []uint64) FreeSpace {
	m.index()
	f := FreeSpace{BlockSize: m.geo.BlockSize(), Total: uint64(m.geo.Blocks)}
	r := runs{f: &f}
	for id := range m.geo.Groups {
		if bitmapOf != nil {
			if b := bitmapOf(id); b != nil {
				r.groupRuns(m.geo, id, b)
				continue
			}
		}
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

// next is where the kept runs of a group end.
func (m *freeMap) next(id allocator.GroupID) uint32 {
	for id++; m.first[id] == crowded; id++ {
	}
	return m.first[id]
}
