package ext2

import (
	"mbsim/allocator"
	"mbsim/filesystem"
)

// mapping is what mapBlocks found: n blocks in a row from start on; n is 0 for a
// hole, which is hole blocks long at least.
type mapping struct {
	start allocator.Block
	n     uint32
	hole  uint64
}

// mapBlocks finds where up to limit blocks from lblk on lie in a row, as far as
// the array of their pointers reaches. With create it fills a hole, as far as
// that is one and the allocator gives blocks in a row (ext2_get_blocks).
func (fs *FS) mapBlocks(t *task, in *inode, lblk, limit uint32, create bool) (mapping, errno) {
	c := fs.chainTo(lblk)
	if c.depth == 0 {
		return mapping{}, filesystem.EIO // no tree reaches this block
	}
	// The pointer is there: the mapping goes on while the pointers behind it, in the same
	// array, lead to the blocks that follow.
	at := in.walk(&c)
	if at == c.depth {
		l := c.links[at-1]
		n := uint32(1)
		for n < limit && n <= c.toEnd && l.in.ptr[l.slot+int(n)] == l.key()+n {
			n++
		}
		return mapping{start: allocator.Block(l.key()), n: n}, 0
	}
	if !create {
		return mapping{hole: fs.holeLen(&c, at)}, 0
	}
	return fs.fill(t, in, &c, at, lblk, limit)
}

// fill allocates up to limit blocks from lblk on, and the indirect blocks on the
// way to them from link at of c on.
func (fs *FS) fill(t *task, in *inode, c *chain, at int, lblk, limit uint32) (mapping, errno) {
	// The first allocation of a regular file sets up its window and its last block
	// (ext2_init_block_alloc_info).
	if in.isFile() && !in.started {
		in.started = true
		in.lastLogical, in.lastPhysical = 0, 0
		fs.alloc.InitWindow(&in.window)
	}
	hole := c.links[at]
	// levels indirect blocks are missing on the way; the data follow the last of them.
	goal := fs.goal(t, in, lblk, hole)
	levels := c.depth - 1 - at
	want := blocksWanted(hole, levels, limit, c.toEnd)
	var indirect [maxDepth - 1]allocator.Block
	start, n, e := fs.takeBranch(t, in, goal, indirect[:levels], want)
	if e != 0 {
		return mapping{}, e
	}
	// Splice the branch in (ext2_alloc_branch, ext2_splice_branch).
	to := hole.in
	for i, b := range indirect[:levels] {
		slot := c.slots[at+i]
		kid := fs.newNode(b, i == levels-1)
		to.ptr[slot], to.kid[slot] = uint32(b), kid
		to = kid
	}
	slot := c.slots[c.depth-1]
	for i := range n {
		to.ptr[slot+int(i)] = uint32(start) + i
	}
	// The next block of the file will have the one behind these as its goal.
	if in.started {
		in.lastLogical = lblk + n - 1
		in.lastPhysical = start + allocator.Block(n) - 1
	}
	return mapping{start: start, n: n}, 0
}

// goal is where the block at lblk should lie: behind the block allocated last if
// it follows that one in the file, else near what is near it in the tree
// (ext2_find_goal, ext2_find_near).
func (fs *FS) goal(t *task, in *inode, lblk uint32, hole link) allocator.Block {
	if in.started && lblk == in.lastLogical+1 && in.lastPhysical != 0 {
		return in.lastPhysical + 1
	}
	// The nearest pointer to the left in the same array is near in the file too.
	for i := hole.slot - 1; i >= 0; i-- {
		if b := hole.in.ptr[i]; b != 0 {
			return allocator.Block(b)
		}
	}
	// Then the indirect block that holds the pointer, so that data lies behind it.
	if hole.in.blk != 0 {
		return hole.in.blk
	}
	// Then the inode's group, at one of 16 places by process, so that processes that write
	// at the same time do not mix their blocks.
	colour := uint32(t.PID) % 16 * (fs.geo.BlocksPerGroup / 16)
	return fs.geo.GroupStart(fs.groupOf(in)) + allocator.Block(colour)
}

// blocksWanted is how many data blocks to ask for at once
// (ext2_blks_to_allocate): up to limit, the end of the array of pointers, and the
// end of the hole.
func blocksWanted(hole link, levels int, limit, toEnd uint32) uint32 {
	if levels > 0 {
		return min(limit, toEnd+1)
	}
	n := uint32(1)
	for n < limit && n <= toEnd && hole.in.ptr[hole.slot+int(n)] == 0 {
		n++
	}
	return n
}

// takeBranch allocates the given number of indirect blocks, which need not lie
// together, and up to n data blocks in a row, at least one (ext2_alloc_blocks).
func (fs *FS) takeBranch(t *task, in *inode, goal allocator.Block, indirect []allocator.Block, n uint32) (start allocator.Block, got uint32, e errno) {
	// The allocator may give fewer blocks than asked for. What it gives goes to indirect
	// blocks first, and the first blocks that are left over are the data.
	target := n + uint32(len(indirect))
	unprivileged := !fs.reserve.OpenTo(t.User)
	for have := 0; ; {
		r := &fs.request
		// Directories have no window.
		r.Goal, r.Len, r.Window, r.Unprivileged = goal, target, nil, unprivileged
		if in.started {
			r.Window = &in.window
		}
		b, ok := fs.alloc.NewBlocks(t.CPU, r)
		// The indirect blocks already taken go back, and the file is as it was.
		if !ok {
			for _, b := range indirect[:have] {
				fs.freeBlocks(t, in, b, 1)
			}
			return 0, 0, filesystem.ENOSPC
		}
		in.blocks += int64(r.Len)
		target -= r.Len
		k := min(int(r.Len), len(indirect)-have)
		for i := range k {
			indirect[have+i] = b + allocator.Block(i)
		}
		have += k
		if rest := r.Len - uint32(k); rest > 0 {
			return b + allocator.Block(k), rest, 0
		}
	}
}

// freeBlocks gives n blocks of an inode from b on back.
func (fs *FS) freeBlocks(t *task, in *inode, b allocator.Block, n uint32) {
	fs.alloc.FreeBlocks(t.CPU, b, n)
	in.blocks -= int64(n)
}
