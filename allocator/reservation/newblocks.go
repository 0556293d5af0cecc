package reservation

import (
	"fmt"

	"mbsim/allocator"
)

// Request asks for blocks.
type Request struct {
	Goal   allocator.Block // where they should lie
	Window *Window         // the file's, nil for directories and other metadata
	// Len is the number of blocks asked for, at least 1, and on return of those
	// given: 0 where there is no space.
	Len          uint32
	Unprivileged bool // the process may not take root's reserve
	// Groups is, on return, the number of groups whose bitmap was searched.
	Groups uint32
}

// NewBlocks takes blocks for a file: as many in a row as there are where the
// first is found, so it may give fewer than asked for. It returns the first, or
// false where there is no space (ext2_new_blocks).
//
// Groups are tried in order from the goal's: only there does the goal count, the
// others are searched from their start, and those too poor for the window are
// left out. If no group has room, all are tried again without a window.
//
// Deviates from the kernel: quota claims always succeed.
func (a *Allocator) NewBlocks(cpu int, r *Request) (allocator.Block, bool) {
	a.stats.Requests++
	s := search{goal: r.Goal, len: r.Len}
	r.Len, r.Groups = 0, 0
	// Root's reserve is kept (ext2_has_free_blocks).
	if r.Unprivileged && a.ApproximateFree() < int64(a.cfg.RootReserved)+1 {
		a.stats.NoSpace++
		return 0, false
	}
	if r.Window != nil {
		// The kernel keeps the size in 16 bits here.
		s.size = r.Window.size & 0xffff
		if s.size > 0 {
			s.window = r.Window
		}
	}
	// A goal outside the device becomes its first block.
	if s.goal < a.geo.FirstDataBlock || s.goal >= a.geo.Blocks {
		s.goal = a.geo.FirstDataBlock
	}
	id, at, n := a.find(&s)
	r.Groups = s.groups
	if at == none {
		a.stats.NoSpace++
		return 0, false
	}
	// The bitmap was marked in find; the descriptor and the counter follow.
	start := a.geo.BlockAt(id, allocator.GroupOffset(at))
	r.Len = n
	a.groups[id].free -= n
	a.free.Add(cpu, -int64(n))
	a.stats.Blocks += uint64(n)
	if start == s.goal {
		a.stats.GoalHits++
	}
	return start, true
}

// search is a request on its way.
type search struct {
	goal   allocator.Block
	len    uint32
	window *Window // nil once the request does without
	size   uint32  // of the window asked for
	groups uint32  // groups searched so far
}

// find marks blocks in a bitmap, outside the metadata of its group. It returns
// the group, the place in it, none if no group has room, and the blocks taken.
func (a *Allocator) find(s *search) (id allocator.GroupID, at int, n uint32) {
	home, _ := a.geo.GroupOf(s.goal)
	for from := home; ; {
		id, at, n = a.pass(s, from)
		switch {
		case at == none && s.window == nil:
			// No group has a free block.
			return id, none, 0
		case at == none:
			// No group has room for a window: all are tried again without one, from the
			// goal's group on.
			a.stats.Fallbacks++
			s.window, from = nil, home
		case a.groups[id].systemZone(a.geo.BlockAt(id, allocator.GroupOffset(at)), n):
			// A damaged bitmap led into the group's own metadata. The kernel reports that
			// and goes on in the same group.
			a.stats.SystemZone++
			a.groups[id].stuck += n // the kernel leaves them marked
			from = id
		default:
			return id, at, n
		}
	}
}

// pass searches group from at the goal, and then every group, from itself included, from
// its start on.
func (a *Allocator) pass(s *search, from allocator.GroupID) (id allocator.GroupID, at int, n uint32) {
	// The goal's own group is searched from the goal on, even if it has few free blocks.
	if free := a.groups[from].free; free > 0 {
		if s.window != nil && free < s.size && s.window.empty() {
			s.window = nil // too few for a window: for the rest of the request too
		}
		_, target := a.geo.GroupOf(s.goal)
		at, n = a.visit(s, from, int(target))
		if at != none {
			return from, at, n
		}
	}
	// Then all groups in order, the first one again at the end, each from its start. With a
	// window a group must have more free blocks than half of it.
	id = from
	for range a.groups {
		id++
		if id == a.geo.Groups {
			id = 0
		}
		free := a.groups[id].free
		if free == 0 || s.window != nil && free <= s.size/2 {
			a.stats.GroupsSkipped++
			continue
		}
		at, n = a.visit(s, id, none)
		if at != none {
			return id, at, n
		}
	}
	return from, none, 0
}

// visit searches one group.
func (a *Allocator) visit(s *search, id allocator.GroupID, goal int) (at int, n uint32) {
	s.groups++
	a.stats.GroupsVisited++
	return a.tryReserved(id, a.loaded(id), goal, s.len, s.window)
}

// systemZone reports whether the blocks [start, start+n) touch the group's own
// bitmaps, or begin or end in its inode table: only a damaged bitmap leads
// there.
func (g *group) systemZone(start allocator.Block, n uint32) bool {
	last := start + allocator.Block(n) - 1
	within := func(b allocator.Block) bool { return b >= start && b <= last }
	inTable := func(b allocator.Block) bool {
		return b >= g.inodeTable && b < g.inodeTable+allocator.Block(g.inodeTableBlocks)
	}
	return within(g.blockBitmap) || within(g.inodeBitmap) || inTable(start) || inTable(last)
}

// FreeBlocks gives back the blocks [start, start+n), which may reach over group
// boundaries (ext2_free_blocks).
//
// Deviates from the kernel: a block that is free already, or that belongs to the
// file system itself, is an error of the caller and panics; the kernel reports a
// damaged file system.
func (a *Allocator) FreeBlocks(cpu int, start allocator.Block, n uint32) {
	if end := start + allocator.Block(n); start < a.geo.FirstDataBlock || end > a.geo.Blocks {
		panic(fmt.Sprintf("reservation: freeing blocks [%d, %d) of a device of [%d, %d)", start, end, a.geo.FirstDataBlock, a.geo.Blocks))
	}
	a.free.Add(cpu, int64(n))
	a.stats.Freed += uint64(n)
	for n > 0 {
		id, off := a.geo.GroupOf(start)
		// The part of the range that lies in this group.
		k := min(n, uint32(a.blocksIn(id))-uint32(off))
		g := a.loaded(id)
		if !g.bits.AllSet(int(off), int(k)) || g.systemZone(start, k) {
			panic(fmt.Sprintf("reservation: freeing blocks [%d, %d) of group %d, which are not a file's", start, start+allocator.Block(k), id))
		}
		a.changes.Add(id)
		g.bits.ClearRange(int(off), int(k))
		g.free += k
		start, n = start+allocator.Block(k), n-k
	}
}
