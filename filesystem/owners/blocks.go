package owners

import (
	"fmt"
	"iter"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// Allocator is what a check reads of a block allocator: these methods load nothing and
// count nothing. Both policies implement it.
type Allocator interface {
	Touched() iter.Seq[allocator.GroupID]
	PeekFree(id allocator.GroupID) (clusters uint32, touched bool)
	PeekBitmap(id allocator.GroupID) []uint64
	FreeClusters() *allocator.PerCPUCounter
	CountFreeClusters() int64
}

// Blocks is what the block bitmaps are checked with.
type Blocks struct {
	Geometry  *allocator.Geometry
	Source    allocator.Source // the file system at mount
	Allocator Allocator
	// Before are the clusters that files held at mount, Now those they hold.
	Before, Now *Set
	// Stuck, where not nil, is how many clusters of a group are marked in use
	// though nobody has them and the descriptor counts them as free.
	Stuck func(allocator.GroupID) uint32

	scratch bitmap.Bits
}

// Own notes in a set that a file holds the clusters of the n blocks from b on. It
// returns what is wrong with that: they are not all on the device, or one of the
// clusters has an owner already.
func Own(geo *allocator.Geometry, s *Set, b allocator.Block, n uint64) error {
	if b < geo.FirstDataBlock || b >= geo.Blocks || n > uint64(geo.Blocks-b) {
		return fmt.Errorf("%s: not on the device of %d blocks", Range(b, n), geo.Blocks)
	}
	// One group at a time: from blocks to clusters of the group. The rest is added even after
	// an error, so that every later owner is compared with all.
	var err error
	for n > 0 {
		id, off := geo.GroupOf(b)
		here := min(n, uint64(geo.GroupStart(id)+allocator.Block(geo.BlocksPerGroup)-b))
		_, last := geo.GroupOf(b + allocator.Block(here) - 1)
		if !s.Add(id, uint32(off), uint32(last-off)+1) && err == nil {
			err = fmt.Errorf("%s of group %d: two owners", Range(b, here), id)
		}
		b, n = b+allocator.Block(here), n-here
	}
	return err
}

// Check compares the bitmaps with the owners, and what is counted as free with the
// bitmaps.
func (x *Blocks) Check(r *Report) {
	for _, id := range groupsOf(x.Allocator.Touched(), x.Before, x.Now) {
		x.group(id, r)
	}
	if n, sum := x.Allocator.FreeClusters().Sum(), x.Allocator.CountFreeClusters(); n != sum {
		r.Errorf("the counter has %d free clusters, the descriptors %d", n, sum)
	}
}

// group checks one group.
func (x *Blocks) group(id allocator.GroupID, r *Report) {
	// A group that the allocator has not loaded is as it was at mount.
	if x.scratch == nil {
		x.scratch = bitmap.New(int(x.Geometry.ClustersPerGroup))
	}
	clear(x.scratch)
	x.Source.BlockBitmap(id, x.scratch)
	g := group{n: x.Geometry.ClustersIn(id), before: x.scratch, now: x.Allocator.PeekBitmap(id), held: x.Before.Bits(id), owned: x.Now.Bits(id)}
	if g.now == nil {
		g.now = g.before
	}
	found := g.compare()
	// Clusters in use without an owner are right if their number is what the allocator says it
	// lost.
	stuck := uint32(0)
	if x.Stuck != nil {
		stuck = x.Stuck(id)
	}
	lost := uint32(0)
	// Units: spans are clusters, messages name blocks. The last cluster may be cut by the end
	// of the device.
	for _, s := range found {
		if s.kind == nobodys {
			lost += s.to - s.from
		}
	}
	for _, s := range found {
		if s.kind == nobodys && lost == stuck {
			continue
		}
		first := x.Geometry.BlockAt(id, allocator.GroupOffset(s.from))
		last := min(x.Geometry.BlockAt(id, allocator.GroupOffset(s.to)), x.Geometry.Blocks) - 1
		r.Errorf("%s of group %d: %v", Range(first, uint64(last-first)+1), id, s.kind)
	}
	// An image may count wrongly: what must be right is what has changed.
	was := x.Source.Desc(id).FreeClusters
	want := was + g.zeros(g.now) - g.zeros(g.before) + stuck
	if free, touched := x.Allocator.PeekFree(id); touched && free != want {
		r.Errorf("group %d: its descriptor counts %d free clusters; at mount it was %d, so its bitmap makes it %d", id, free, was, want)
	}
}

// Range names the n blocks from b on: "block 9", or "blocks 9 to 12".
func Range(b allocator.Block, n uint64) string {
	if n == 1 {
		return fmt.Sprintf("block %d", b)
	}
	return fmt.Sprintf("blocks %d to %d", b, uint64(b)+n-1)
}
