package metrics

import (
	"mbsim/allocator"
	"mbsim/allocator/bitmap"
	"mbsim/internal/invariants"
)

// freeMap follows the free space on disk at the cost of the groups that change.
//
// What is free is a set of pieces, and only where a group changes do pieces: those inside it, and
// those that reach across its borders. What is kept of a group is therefore what was counted for it
// last, to be taken off again. A group that never changed is asked of the Source, and nothing is
// kept of it. scanFree counts the same from the beginning; tests compare the two.
type freeMap struct {
	src     allocator.Source
	geo     *allocator.Geometry
	policy  Policy
	bands   *bands
	scratch bitmap.Bits

	ready   bool  // all groups were counted as they were at mount
	free    int64 // clusters on disk
	pieces  pieces
	used    groupSet // the groups that have clusters in use: pieces end there
	groups  map[allocator.GroupID]*groupPieces
	changed []allocator.GroupID // whose pieces are not counted as they are now
}

// groupPieces is what is counted for a group.
type groupPieces struct {
	free   uint32   // clusters
	before uint32   // length of the free run at its beginning, clusters
	behind uint32   // of the one at its end; of a group that is free as a whole both are all of it
	inside []uint32 // of the others
	stale  bool     // it is in freeMap.changed
}

func newFreeMap(src allocator.Source, geo *allocator.Geometry, p Policy, limit int) *freeMap {
	// Tables are as long as a bitmap block, which may be longer than a group.
	bits := max(geo.ClustersPerGroup, 8<<geo.BlockBits)
	return &freeMap{
		src: src, geo: geo, policy: p, bands: newBands(geo, limit), scratch: bitmap.New(int(bits)),
		pieces: newPieces(geo), used: newGroupSet(geo.Groups), groups: make(map[allocator.GroupID]*groupPieces),
	}
}

// count goes through all groups as they were at mount, once.
func (m *freeMap) count() {
	if m.ready {
		return
	}
	m.ready = true
	start := m.geo.BlockAt(0, 0) // of the piece that is open
	for id := range m.geo.Groups {
		size, free := m.geo.ClustersIn(id), m.src.Desc(id).FreeClusters
		m.free += int64(free)
		m.bands.add(id, int64(size), int64(free))
		if free == size {
			continue // the piece goes on
		}
		m.used.add(id)
		g := m.asMounted(id, free)
		m.pieces.between(start, m.geo.BlockAt(id, allocator.GroupOffset(g.before)), 1)
		m.pieces.inside(g.inside, 1)
		start = m.geo.BlockAt(id, allocator.GroupOffset(size-g.behind))
	}
	m.pieces.between(start, m.end(), 1)
}

// end is the end of the device, in blocks.
func (m *freeMap) end() allocator.Block {
	last := m.geo.Groups - 1
	return min(m.geo.BlockAt(last, allocator.GroupOffset(m.geo.ClustersIn(last))), m.geo.Blocks)
}

// asMounted is a group as it was at mount, with so many free clusters.
func (m *freeMap) asMounted(id allocator.GroupID, free uint32) groupPieces {
	g := groupPieces{free: free}
	switch size := m.geo.ClustersIn(id); g.free {
	case 0:
	case size:
		g.before, g.behind = size, size
	default:
		clear(m.scratch)
		m.src.BlockBitmap(id, m.scratch)
		g.measure(m.scratch, int(size))
	}
	return g
}

// measure finds the free runs of a group of n clusters.
func (g *groupPieces) measure(b bitmap.Bits, n int) {
	g.before, g.behind, g.inside = uint32(b.NextSet(0, n)), 0, g.inside[:0]
	if int(g.before) == n {
		g.behind = g.before
		return
	}
	for i := b.NextZero(int(g.before), n); i < n; {
		j := b.NextSet(i, n)
		if j == n {
			g.behind = uint32(n - i)
		} else {
			g.inside = append(g.inside, uint32(j-i))
		}
		i = b.NextZero(j, n)
	}
}

// of is what is counted for a group.
func (m *freeMap) of(id allocator.GroupID) *groupPieces {
	g := m.groups[id]
	if g == nil {
		g = new(groupPieces)
		*g = m.asMounted(id, m.src.Desc(id).FreeClusters)
		m.groups[id] = g
	}
	return g
}

// follow takes over how much is free in the groups that have changed since it was called before.
// Their pieces are left for space.
func (m *freeMap) follow() {
	m.count()
	for id := range m.policy.TakeChanged() {
		g := m.of(id)
		now, _ := m.policy.PeekFree(id)
		m.free += int64(now) - int64(g.free)
		m.bands.add(id, 0, int64(now)-int64(g.free))
		g.free = now
		if !g.stale {
			g.stale = true
			m.changed = append(m.changed, id)
		}
	}
}

// space is the free space as it is now.
func (m *freeMap) space() FreeSpace {
	m.follow()
	for _, id := range m.changed {
		// The pieces that were counted are taken off, those that are there are counted.
		g := m.of(id)
		size := m.geo.ClustersIn(id)
		m.countBorders(id, -1)
		m.pieces.inside(g.inside, -1)
		g.measure(m.policy.PeekBitmap(id), int(size))
		if g.before == size {
			m.used.remove(id)
		} else {
			m.used.add(id)
		}
		m.pieces.inside(g.inside, 1)
		m.countBorders(id, 1)
		g.stale = false
	}
	m.changed = m.changed[:0]
	f := m.pieces.sum()
	if invariants.Enabled {
		if want := scanFree(m.src, m.geo, m.policy.PeekBitmap); f != want {
			panic("metrics: the free space was not followed")
		}
	}
	return f
}

// countBorders counts the pieces at both borders of a group, or the one that goes through it, n
// times.
func (m *freeMap) countBorders(id allocator.GroupID, n int64) {
	// Each reaches up to the nearest group that has clusters in use.
	start, end := m.geo.BlockAt(0, 0), m.end()
	if a, ok := m.used.previous(id); ok {
		start = m.geo.BlockAt(a, allocator.GroupOffset(m.geo.ClustersIn(a)-m.of(a).behind))
	}
	if b, ok := m.used.next(id); ok {
		end = m.geo.BlockAt(b, allocator.GroupOffset(m.of(b).before))
	}
	if !m.used.has(id) {
		m.pieces.between(start, end, n)
		return
	}
	g := m.of(id)
	m.pieces.between(start, m.geo.BlockAt(id, allocator.GroupOffset(g.before)), n)
	m.pieces.between(min(m.geo.BlockAt(id, allocator.GroupOffset(m.geo.ClustersIn(id)-g.behind)), m.end()), end, n)
}

// pieces counts pieces of free space by their exact lengths.
type pieces struct {
	geo      *allocator.Geometry
	f        FreeSpace         // but for Min and Max
	clusters []uint32          // how many pieces inside groups have so many clusters
	blocks   map[uint64]uint32 // how many of the others have so many blocks
}

func newPieces(geo *allocator.Geometry) pieces {
	return pieces{
		geo: geo, f: FreeSpace{BlockSize: geo.BlockSize(), Total: uint64(geo.Blocks)},
		clusters: make([]uint32, geo.ClustersPerGroup), blocks: make(map[uint64]uint32),
	}
}

// inside counts pieces inside a group, n times each; n is 1 or -1.
func (p *pieces) inside(lengths []uint32, n int64) {
	for _, c := range lengths {
		p.clusters[c] += uint32(n)
		p.count(uint64(c)<<p.geo.ClusterBits, n)
	}
}

// between counts the piece [start, end), if it is one, n times.
func (p *pieces) between(start, end allocator.Block, n int64) {
	if start >= end {
		return
	}
	length := uint64(end - start)
	if p.blocks[length] += uint32(n); p.blocks[length] == 0 {
		delete(p.blocks, length)
	}
	p.count(length, n)
}

// count adds a length n times to what all pieces come to.
func (p *pieces) count(length uint64, n int64) {
	p.f.Blocks += length * uint64(n)
	p.f.Extents += uint64(n)
	p.f.Sizes.addMany(length, n)
}

// sum is all pieces together.
func (p *pieces) sum() FreeSpace {
	f := p.f
	see := func(length uint64) {
		if f.Min == 0 || length < f.Min {
			f.Min = length
		}
		f.Max = max(f.Max, length)
	}
	for length := range p.blocks {
		see(length)
	}
	for c, n := range p.clusters {
		if n > 0 {
			see(uint64(c) << p.geo.ClusterBits)
		}
	}
	return f
}
