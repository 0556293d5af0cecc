package metrics

import "mbsim/allocator"

// BlockMap is the share in use of each part of the device over time. A part, called a
// band, is one block group, or several neighbouring ones where the file system has more
// groups than the map may have bands.
// BlockMap is how full each part of the device was over time. A band is a group,
// or several where there are more groups than bands.
type BlockMap struct {
	Groups  int         // of the file system
	PerBand int         // groups a band; the last may have fewer
	Times   []int64     // nanoseconds
	Used    [][]float32 // by time and band: the share of its clusters in use on disk
}

// Bands is the number of bands.
func (m *BlockMap) Bands() int { return (m.Groups + m.PerBand - 1) / m.PerBand }

// bands computes the columns of a BlockMap. Only the groups that an operation has touched
// can differ from the state at mount, so that a column costs as much as there are of these.
type bands struct {
	geo   *allocator.Geometry
	free  *freeMap
	per   allocator.GroupID // groups a band
	start []int64           // free clusters of each band at mount
	size  []int64           // clusters of each band
	now   []int64           // free clusters of each band now; scratch of column
}

// newBands makes bands of as many groups each as keeps their number within limit.
func newBands(free *freeMap, limit int) *bands {
	geo := free.geo
	per := (geo.Groups + allocator.GroupID(limit) - 1) / allocator.GroupID(limit)
	return &bands{geo: geo, free: free, per: per}
}

// count sums up the free and all clusters of each band at mount. It does so when they are
// first asked for: it reads every group descriptor, which most short runs never need.
func (b *bands) count() {
	if b.start != nil {
		return
	}
	b.free.count()
	n := (b.geo.Groups + b.per - 1) / b.per
	b.start, b.size, b.now = make([]int64, n), make([]int64, n), make([]int64, n)
	for id := range b.geo.Groups {
		b.start[id/b.per] += int64(b.free.each[id])
		b.size[id/b.per] += int64(b.geo.ClustersIn(id))
	}
}

// freeClusters is the number of free clusters on disk.
func (b *bands) freeClusters(p Policy) int64 {
	b.count()
	n := b.free.sum
	// The count at mount, corrected by the groups that may have changed since.
	for id := range p.Touched() {
		if free, ok := p.PeekFree(id); ok {
			n += int64(free) - int64(b.free.each[id])
		}
	}
	return n
}

// column returns the share of clusters in use of every band now.
func (b *bands) column(p Policy) []float32 {
	b.count()
	copy(b.now, b.start)
	// Start from the free clusters at mount and correct the groups that may have changed.
	for id := range p.Touched() {
		if free, ok := p.PeekFree(id); ok {
			b.now[id/b.per] += int64(free) - int64(b.free.each[id])
		}
	}
	// From free clusters to shares in use.
	used := make([]float32, len(b.now))
	for i, free := range b.now {
		used[i] = float32(1 - float64(free)/float64(b.size[i]))
	}
	return used
}
