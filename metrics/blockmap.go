package metrics

import "mbsim/allocator"

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

// bands follows the free clusters of the groups at a cost of those touched.
type bands struct {
	geo   *allocator.Geometry
	per   allocator.GroupID // groups a band
	each  []uint32          // free clusters of each group at mount
	sum   int64             // of these
	start []int64           // free clusters of each band at mount
	size  []int64           // clusters of each band
	now   []int64
}

func newBands(src allocator.Source, geo *allocator.Geometry, limit int) *bands {
	per := (geo.Groups + allocator.GroupID(limit) - 1) / allocator.GroupID(limit)
	n := (geo.Groups + per - 1) / per
	b := &bands{geo: geo, per: per, start: make([]int64, n), size: make([]int64, n), now: make([]int64, n)}
	b.each, b.sum = allFree(src, geo)
	for id := range geo.Groups {
		b.start[id/per] += int64(b.each[id])
		b.size[id/per] += int64(geo.ClustersIn(id))
	}
	return b
}

// freeClusters is the number of free clusters on disk.
func (b *bands) freeClusters(p Policy) int64 {
	n := b.sum
	for id := range p.Touched() {
		if free, ok := p.PeekFree(id); ok {
			n += int64(free) - int64(b.each[id])
		}
	}
	return n
}

// column is the used share of every band.
func (b *bands) column(p Policy) []float32 {
	copy(b.now, b.start)
	for id := range p.Touched() {
		if free, ok := p.PeekFree(id); ok {
			b.now[id/b.per] += int64(free) - int64(b.each[id])
		}
	}
	used := make([]float32, len(b.now))
	for i, free := range b.now {
		used[i] = float32(1 - float64(free)/float64(b.size[i]))
	}
	return used
}
