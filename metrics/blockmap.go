package metrics

import "mbsim/allocator"

// BlockMap is the share in use of each part of the device over time. A part, called a
// band, is one block group, or several neighbouring ones where the file system has more
// groups than the map may have bands.
type BlockMap struct {
	Groups  int         // of the file system
	PerBand int         // groups a band; the last may have fewer
	Times   []int64     // nanoseconds
	Used    [][]float32 // by time and band: the share of its clusters in use on disk
}

// Bands is the number of bands.
func (m *BlockMap) Bands() int { return (m.Groups + m.PerBand - 1) / m.PerBand }

// bands follows the free clusters of the bands.
type bands struct {
	per  allocator.GroupID // groups a band
	size []int64           // clusters of each band
	free []int64           // of these, those that are free on disk
}

// newBands makes at most limit bands.
func newBands(geo *allocator.Geometry, limit int) *bands {
	per := (geo.Groups + allocator.GroupID(limit) - 1) / allocator.GroupID(limit)
	n := (geo.Groups + per - 1) / per
	return &bands{per: per, size: make([]int64, n), free: make([]int64, n)}
}

// add counts clusters of a group, and how many more of them are free.
func (b *bands) add(id allocator.GroupID, size, free int64) {
	b.size[id/b.per] += size
	b.free[id/b.per] += free
}

// column is the used share of every band.
func (b *bands) column() []float32 {
	used := make([]float32, len(b.free))
	for i, free := range b.free {
		used[i] = float32(1 - float64(free)/float64(b.size[i]))
	}
	return used
}
