package image

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"

	"mbsim/allocator"
)

// What is here puts pieces of free space of given lengths somewhere into the room that an
// empty file system has. What is not free is in use, without a name. Lengths and places are
// clusters, counted from the first one of the device on.

// room is free space of the empty file system: a range that nothing of its own interrupts.
type room struct {
	start, length uint64
	left          uint64 // length, and one, less each piece and the cluster in use behind it
	pieces        []uint64
}

// rooms are ordered by what is left in them, most first, then by their place
// (heap.Interface).
type rooms []*room

func (r rooms) Len() int { return len(r) }
func (r rooms) Less(i, j int) bool {
	return r[i].left > r[j].left || r[i].left == r[j].left && r[i].start < r[j].start
}
func (r rooms) Swap(i, j int) { r[i], r[j] = r[j], r[i] }
func (r *rooms) Push(x any)   { *r = append(*r, x.(*room)) }
func (r *rooms) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}

// cutLike cuts the free space of an empty file system into the pieces that o tells.
func cutLike(l *Layout, told *Superblock, o *Dump) error {
	f, err := newFiller(l)
	if err != nil {
		return err
	}
	c := &cutter{f: f, random: rand.New(rand.NewPCG(o.Seed, 0x66726565))} // "free"
	if len(o.Free.groups) > 0 {
		err = c.byGroup(o.Free)
	} else {
		err = c.byBins(o.Free)
	}
	if err != nil {
		return err
	}
	f.fillInodes(told)
	f.done()
	l.Notes = append(l.Notes, fmt.Sprintf("its %d free blocks are in %d pieces with the lengths that %s tells, at places that the seed decides; what is in use has no name", l.Super.FreeBlocks, c.placed, o.Free.name))
	// What did not come out as the texts tell it.
	if l.Super.FreeBlocks != told.FreeBlocks {
		l.Notes = append(l.Notes, fmt.Sprintf("the superblock tells %d free blocks, %s %d", told.FreeBlocks, o.Free.name, l.Super.FreeBlocks))
	}
	if c.split > 0 {
		l.Notes = append(l.Notes, fmt.Sprintf("%d pieces found no room that is long enough, and are in several", c.split))
	}
	if c.lost > 0 {
		l.Notes = append(l.Notes, fmt.Sprintf("%d clusters that %s calls free found no room", c.lost, o.Free.name))
	}
	return nil
}

// cutter places pieces.
type cutter struct {
	recent []placed // the pieces placed last
	f      *filler
	random *rand.Rand
	placed int    // pieces
	split  int    // pieces that were divided, since no room was long enough
	lost   uint64 // clusters for which there was no room
}

// placed is a piece in its room.
type placed struct {
	room  *room
	index int
}

// maxRecent is how many pieces are looked at when one is too long.
const maxRecent = 1000

// byBins places the pieces of a histogram anywhere on the device.
func (c *cutter) byBins(x *FreeExtents) error {
	sb := c.f.sb
	if x.blockSize != uint64(sb.BlockSize()) {
		return fmt.Errorf("%s is of a file system with blocks of %d bytes, and these have %d", x.name, x.blockSize, sb.BlockSize())
	}
	if sb.ClusterBits > 0 {
		return fmt.Errorf("%s: e2freefrag miscounts the free space of file systems with bigalloc: give mb_groups instead", x.name)
	}
	// None is longer than the longest one, where that is told.
	longest := x.longest << 10 >> sb.BlockBits
	var pieces []uint64
	for i := range x.bins {
		b := &x.bins[i]
		end := b.end
		if longest >= b.min && longest < end && b.blocks <= b.pieces*longest {
			end = longest + 1
		}
		pieces = append(pieces, c.lengths(b.pieces, b.blocks, b.min, end)...)
	}
	// All room of the device: free space may reach from one group into the next.
	var all rooms
	for id := range c.f.groups {
		all = c.addRooms(all, allocator.GroupID(id), true)
	}
	c.place(all, pieces)
	return nil
}

// lengths are n lengths of least to less than end, with the given sum, drawn at random.
func (c *cutter) lengths(n, sum, least, end uint64) []uint64 {
	// They begin nearly equal; then pairs of them exchange some of their length.
	all := make([]uint64, n)
	for i := range all {
		all[i] = sum / n
		if uint64(i) < sum%n {
			all[i]++
		}
	}
	for i := 1; i < len(all); i++ {
		j := c.random.IntN(i)
		if most := min(all[i]-min(all[i], least), end-1-min(all[j], end-1)); most > 0 {
			d := c.random.Uint64N(most + 1)
			all[i], all[j] = all[i]-d, all[j]+d
		}
	}
	return all
}

// byGroup places the pieces of each group inside it.
func (c *cutter) byGroup(x *FreeExtents) error {
	if len(x.groups) != len(c.f.groups) {
		return fmt.Errorf("%s has %d groups, and the file system %d", x.name, len(x.groups), len(c.f.groups))
	}
	for id := range x.groups {
		c.place(c.addRooms(nil, allocator.GroupID(id), false), x.groups[id].lengths())
	}
	return nil
}

// lengths are the group's pieces. A piece is one or more chunks that touch: as many of the
// largest as there are pieces, to which the others are added in turn.
func (g *freeGroup) lengths() []uint64 {
	var all []uint64
	for i := len(g.chunks) - 1; i >= 0; i-- {
		for range g.chunks[i] {
			all = append(all, 1<<i)
		}
	}
	if n := int(g.pieces); n > 0 {
		for i, chunk := range all[n:] {
			all[i%n] += chunk
		}
		all = all[:n]
	}
	return all
}

// addRooms adds the free ranges of a group; with join one that begins where the last one
// ends goes on with it. The group's own list becomes empty: all of it is in use then.
func (c *cutter) addRooms(all rooms, id allocator.GroupID, join bool) rooms {
	g := &c.f.groups[id]
	sb := c.f.sb
	base, n := uint64(id)*uint64(sb.ClustersPerGroup), sb.clustersIn(id)
	// Of a list in either form, the free ranges lie between those in use.
	at := uint32(0)
	add := func(from, to uint32) {
		if from >= to {
			return
		}
		start, length := base+uint64(from), uint64(to-from)
		if last := len(all) - 1; join && last >= 0 && all[last].start+all[last].length == start {
			all[last].length += length
			all[last].left += length
			return
		}
		all = append(all, &room{start: start, length: length, left: length + 1})
	}
	for from, to := range g.blocks.used(n) {
		add(at, from)
		at = to
	}
	add(at, n)
	g.blocks = freeList{}
	return all
}

// place puts the pieces into the rooms: the longest first, each where most is left.
func (c *cutter) place(all rooms, pieces []uint64) {
	slices.SortFunc(pieces, func(a, b uint64) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	byPlace := slices.Clone(all)
	heap.Init(&all)
	for i := range pieces {
		// Before a piece is divided, others of its class take what is too much of it.
		if len(all) > 0 && all[0].left > 1 && pieces[i] >= all[0].left {
			shorten(pieces[i:], all[0].left)
			if pieces[i] >= all[0].left {
				c.lengthen(&all, pieces, i)
			}
		}
		p, whole := pieces[i], true
		for p > 0 {
			// Where even the largest room is too small, the piece is divided; where there is none at
			// all, what is left of it cannot be free.
			if len(all) == 0 || all[0].left < 2 {
				c.lost += p
				break
			}
			r := all[0]
			n := min(p, r.left-1)
			if n < p && whole {
				whole = false
				c.split++
			}
			r.pieces, r.left, p = append(r.pieces, n), r.left-n-1, p-n
			c.placed++
			c.recent = append(c.recent[max(0, len(c.recent)-maxRecent):], placed{r, len(r.pieces) - 1})
			heap.Fix(&all, 0)
		}
	}
	for _, r := range byPlace {
		c.spread(r)
	}
}

// shorten makes the first piece, the longest, fit into a room with so much left, by giving
// what is too much to others of its class, as far as that goes. Lengths are of a class if they
// have the same power of two.
func shorten(pieces []uint64, left uint64) {
	class := log2(pieces[0])
	least, most := uint64(1)<<class, uint64(2)<<class-1
	if left < least+1 || pieces[0] < left {
		return
	}
	excess := pieces[0] - (left - 1)
	for i := 1; i < len(pieces) && excess > 0 && pieces[i] >= least; i++ {
		n := min(excess, most-min(most, pieces[i]))
		pieces[i], pieces[0], excess = pieces[i]+n, pieces[0]-n, excess-n
	}
}

// lengthen makes piece i fit into the largest room by adding to those of its class that have
// been placed, where their rooms have something left.
func (c *cutter) lengthen(all *rooms, pieces []uint64, i int) {
	class := log2(pieces[i])
	most := uint64(2)<<class - 1
	fits := (*all)[0].left - 1
	if fits < 1<<class {
		return // it would be of another class
	}
	for k := len(c.recent) - 1; k >= 0 && pieces[i] > fits; k-- {
		r, p := c.recent[k].room, &c.recent[k].room.pieces[c.recent[k].index]
		if r == (*all)[0] || log2(*p) != class {
			continue
		}
		n := min(pieces[i]-fits, most-*p, r.left)
		*p, r.left, pieces[i] = *p+n, r.left-n, pieces[i]-n
	}
	// What is left in rooms has changed.
	heap.Init(all)
}

// spread gives the pieces of a room their places: in any order, with what is in use between
// them divided at random.
func (c *cutter) spread(r *room) {
	if len(r.pieces) == 0 {
		return
	}
	c.random.Shuffle(len(r.pieces), func(i, j int) { r.pieces[i], r.pieces[j] = r.pieces[j], r.pieces[i] })
	// Of the room that is left over, each piece has a random part before it, and all have one
	// cluster at least between them.
	cuts := make([]uint64, len(r.pieces))
	for i := range cuts {
		cuts[i] = c.random.Uint64N(r.left + 1)
	}
	slices.Sort(cuts)
	at, before := r.start, uint64(0)
	for i, p := range r.pieces {
		at += cuts[i] - before
		before = cuts[i]
		c.free(at, p)
		at += p + 1
	}
}

// free adds a piece to the free lists of its groups, of which it is the last one.
func (c *cutter) free(at, n uint64) {
	per := uint64(c.f.sb.ClustersPerGroup)
	for n > 0 {
		g, from := &c.f.groups[at/per], at%per
		k := min(n, per-from)
		g.blocks.runs = append(g.blocks.runs, uint32(from), uint32(k))
		at, n = at+k, n-k
	}
}
