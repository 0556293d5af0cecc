package ext4

import (
	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/es"
)

// splitFlags say what the two halves of a split extent become (EXT4_EXT_*).
type splitFlags uint8

const (
	mayZeroout     splitFlags = 1 << iota // without room for a new node, write zeroes instead
	markUnwritten1                        // the first half is unwritten
	markUnwritten2                        // the second half is unwritten
	dataValid1                            // the first half holds data already
	dataValid2                            // the second half does
	dataPartly1                           // a part of the first half does
)

// maxZerooutKB is the default of the extent_max_zeroout_kb tunable
// (EXT4_EXT_ZERO_LEN).
const maxZerooutKB = 32

// splitExtentAt splits the path's extent in two, so that one begins at lblk, and marks the
// halves as s says. If the extent begins there already, it is only marked
// (ext4_split_extent_at).
func (fs *FS) splitExtentAt(t *task, in *inode, p *path, lblk uint32, s splitFlags, f mapFlags) errno {
	if fs.quirks.SplitCachesNothing {
		f |= mapNoCache
	}
	x := p.ex()
	if lblk == x.lblk {
		x.unwritten = s&markUnwritten2 != 0
		if f&mapPreIO == 0 {
			fs.tryMerge(t, in, p, p.leaf().entry)
		}
		fs.dirtyPath(t, in, p)
		return 0
	}
	// The extent shrinks to its first half; the second half is inserted.
	orig := *x
	leaf, at := p.leaf().node, p.leaf().entry
	x.len = uint16(lblk - x.lblk)
	x.unwritten = s&markUnwritten1 != 0
	second := extent{
		lblk:      lblk,
		len:       orig.len - x.len,
		unwritten: s&markUnwritten2 != 0,
		pblk:      orig.pblk + allocator.Block(x.len),
	}
	// Inserting may need a block for the tree, and only the want of one is dealt with here.
	first := *x
	e := fs.insertExtent(t, in, p, second, f)
	if e != filesystem.ENOSPC {
		return e
	}
	// There was no block for the tree to grow by. The first half is still where it was in
	// its leaf, and gets its old length back.
	x = &leaf.ext[at]
	if s&mayZeroout == 0 {
		x.len, x.unwritten = orig.len, orig.unwritten
		fs.dirtyPath(t, in, p)
		if fs.quirks.SplitBeforeIOKeepsData {
			fs.forget(t, in, orig.lblk, uint32(orig.len))
		}
		return e
	}
	// Instead of a split, zeroes are written: the whole extent becomes written. zero is the
	// part that holds no data yet, and only that part is told to the status tree.
	zero := orig
	switch {
	case s&(dataValid1|dataPartly1) != 0:
		zero = second
	case s&dataValid2 != 0:
		zero = first
	}
	// Only a part of the first half holds data: nothing is converted, and the status tree
	// forgets what was zeroed.
	if s&dataPartly1 != 0 {
		fs.forget(t, in, zero.lblk, uint32(zero.len))
		x.len, x.unwritten = orig.len, orig.unwritten
		fs.dirtyPath(t, in, p)
		return 0
	}
	x.len, x.unwritten = orig.len, false
	fs.tryMerge(t, in, p, at)
	fs.dirtyPath(t, in, p)
	fs.zeroed(t, in, zero)
	return 0
}

// zeroed tells the status tree that the blocks of x were written with zeroes
// (ext4_zeroout_es).
func (fs *FS) zeroed(t *task, in *inode, x extent) {
	if x.len > 0 {
		fs.remember(t, in, x.lblk, uint32(x.len), x.pblk, es.Written, false)
	}
}

// splitExtent makes [lblk, lblk+n), which begins inside the path's extent, an extent of its
// own (ext4_split_extent). It returns the number of blocks from lblk to the end of what was
// split off.
func (fs *FS) splitExtent(t *task, in *inode, p *path, lblk, n uint32, s splitFlags, f mapFlags) (uint32, errno) {
	if fs.quirks.SplitCachesNothing {
		f |= mapNoCache
	}
	x := p.ex()
	start, length, unwritten := x.lblk, uint32(x.len), x.unwritten
	// First the part behind the range is split off, if the extent reaches beyond it.
	got := n
	behind := lblk+n < start+length
	if behind {
		s1 := s & mayZeroout
		if unwritten {
			s1 |= markUnwritten1 | markUnwritten2
		}
		if s&dataValid2 != 0 {
			s1 |= dataValid1
			if fs.quirks.SplitBeforeIOKeepsData && lblk > start {
				s1 ^= dataValid1 | dataPartly1
			}
		}
		if e := fs.splitExtentAt(t, in, p, lblk+n, s1, f|mapPreIO); e != 0 {
			return 0, e
		}
	} else {
		got = length - (lblk - start)
	}
	// Then the part before it. The path must be found anew, since the first split may have
	// changed the tree, and may even have made the extent written.
	if behind || !fs.quirks.SplitBeforeIOKeepsData {
		in.find(p, lblk, f.searchOpt())
		unwritten = p.ex().unwritten
	}
	if lblk >= start {
		s1 := s & dataValid2
		if unwritten {
			s1 |= markUnwritten1 | s&(mayZeroout|markUnwritten2)
		}
		if e := fs.splitExtentAt(t, in, p, lblk, s1, f); e != 0 {
			return 0, e
		}
	}
	return got, 0
}

// eofBlock is the number of blocks up to the end of the file on disk, or up to the end of
// the range [lblk, lblk+n) if that lies further.
func (fs *FS) eofBlock(in *inode, lblk, n uint32) uint32 {
	return max(fs.blocksFor(in.disksize), lblk+n)
}

// splitConvert splits the path's extent so that [lblk, lblk+n) can change its state alone
// (ext4_split_convert_extents).
func (fs *FS) splitConvert(t *task, in *inode, p *path, lblk, n uint32, f mapFlags) (uint32, errno) {
	var s splitFlags
	x := p.ex()
	switch {
	// Written blocks become unwritten. Zeroes may not stand in for a split, as all blocks
	// hold data.
	case f&mapConvertUnwritten != 0:
		s = dataValid1
	// Unwritten blocks become written. Zeroes may stand in for a split, but only if all of
	// the extent lies before the end of the file: written blocks must not lie behind it.
	case f&mapConvert != 0:
		if x.next() <= fs.eofBlock(in, lblk, n) {
			s = mayZeroout
		}
		s |= markUnwritten2 | dataValid2
	// Before IO the blocks hold no data yet, which some kernels know.
	case f&mapUnwritten != 0:
		if x.next() <= fs.eofBlock(in, lblk, n) {
			s = mayZeroout
		}
		s |= markUnwritten2
	}
	return fs.splitExtent(t, in, p, lblk, n, s, f|mapPreIO)
}

// convertEndIO makes [lblk, lblk+n) written once its data is on disk
// (ext4_convert_unwritten_extents_endio).
func (fs *FS) convertEndIO(t *task, in *inode, p *path, lblk, n uint32) errno {
	// It should be an extent of its own since before the IO; merges may have changed that.
	if x := p.ex(); x.lblk != lblk || uint32(x.len) > n {
		f := mapConvert
		if fs.quirks.EndIOMayUseReserve {
			f |= mapMetadataNofail
		}
		if _, e := fs.splitConvert(t, in, p, lblk, n, f); e != 0 {
			return e
		}
		in.find(p, lblk, cacheRead)
	}
	p.ex().unwritten = false
	fs.tryMerge(t, in, p, p.leaf().entry)
	fs.dirtyPath(t, in, p)
	return 0
}

// convertToUnwritten makes the written blocks of m unwritten
// (convert_initialized_extent).
func (fs *FS) convertToUnwritten(t *task, in *inode, p *path, m *mapping, f mapFlags, got uint32) (uint32, errno) {
	// More than one unwritten extent can hold is done in parts.
	if m.len > maxUnwrittenLen {
		m.len = maxUnwrittenLen / 2
	}
	if fs.quirks.SplitAfterIO {
		if e := fs.convertRange(t, in, p, m.lblk, m.len, f); e != 0 {
			return 0, e
		}
		in.find(p, m.lblk, f.searchOpt())
		// Zeroes may have stood in for the conversion.
		m.state |= stateMapped
		if p.ex().unwritten {
			m.state ^= stateMapped | stateUnwritten
		}
		m.len = min(got, m.len)
		return m.len, 0
	}
	// The range becomes an extent of its own, and that changes its state.
	if x := p.ex(); x.lblk != m.lblk || uint32(x.len) > m.len {
		if !fs.quirks.SplitBeforeIOKeepsData {
			f = mapConvertUnwritten
		}
		if _, e := fs.splitConvert(t, in, p, m.lblk, m.len, f); e != 0 {
			return 0, e
		}
		in.find(p, m.lblk, f.searchOpt())
	}
	p.ex().unwritten = true
	fs.tryMerge(t, in, p, p.leaf().entry)
	fs.dirtyPath(t, in, p)
	m.state |= stateUnwritten
	m.len = min(got, m.len)
	return m.len, 0
}

// convertToWritten makes [m.lblk, m.lblk+m.len) written before its data is there
// (ext4_ext_convert_to_initialized). It returns the number of blocks from m.lblk on that
// are written then.
func (fs *FS) convertToWritten(t *task, in *inode, p *path, m *mapping, f mapFlags) (uint32, errno) {
	// The cheapest way is to move the boundary between two extents.
	if fs.moveToNeighbour(t, in, p, m) {
		return m.len, 0
	}
	x := *p.ex()
	// got is the number of blocks from m.lblk to the end of the extent.
	got := uint32(x.len) - (m.lblk - x.lblk)
	s := dataValid2
	// Inside the file, short rests of the extent are written with zeroes, which saves
	// splits. maxZero is in blocks: extent_max_zeroout_kb shifted from KiB.
	var maxZero uint32
	if x.next() <= fs.eofBlock(in, m.lblk, m.len) {
		s |= mayZeroout
		maxZero = maxZerooutKB >> (fs.geo.BlockBits - 10)
	}
	lblk, n := m.lblk, m.len
	var tail, head extent
	if maxZero > 0 && got > n {
		// The rest behind the range is short: it becomes written with the range.
		if got <= maxZero {
			at := lblk + n
			tail = extent{lblk: at, len: uint16(got - n), pblk: x.pblk + allocator.Block(at-x.lblk)}
			n = got
		}
		// The rest before the range is short: likewise.
		if lblk-x.lblk+n < maxZero {
			head = extent{lblk: x.lblk, len: uint16(lblk - x.lblk), pblk: x.pblk}
			n += lblk - x.lblk
			lblk = x.lblk
			got = m.len
		}
	}
	// What remains to be split off becomes an extent of its own, and written.
	if fs.quirks.SplitAfterIO {
		if e := fs.convertRange(t, in, p, lblk, n, f|mapConvert); e != 0 {
			return 0, e
		}
	} else if _, e := fs.splitExtent(t, in, p, lblk, n, s, f); e != 0 {
		return 0, e
	}
	fs.zeroed(t, in, tail)
	fs.zeroed(t, in, head)
	return got, 0
}

// moveToNeighbour gives m's blocks, if they begin or end the path's unwritten extent and
// are not all of it, to the written extent that they continue. It does so only within one
// leaf, and reports whether it did.
func (fs *FS) moveToNeighbour(t *task, in *inode, p *path, m *mapping) bool {
	l := p.leaf()
	ext := l.node.ext
	x := &ext[l.entry]
	if m.len >= uint32(x.len) {
		return false
	}
	n := uint16(m.len)
	// A neighbour is fit if it is written and has room for the blocks.
	fits := func(b *extent) bool { return !b.unwritten && uint32(b.len) < maxExtentLen-m.len }
	switch {
	case m.lblk == x.lblk && l.entry > 0:
		// The blocks at the front go to the extent on the left.
		b := &ext[l.entry-1]
		if !fits(b) || b.next() != x.lblk || b.pblk+allocator.Block(b.len) != x.pblk {
			return false
		}
		x.lblk, x.pblk, x.len = x.lblk+m.len, x.pblk+allocator.Block(n), x.len-n
		b.len += n
		l.entry--
	case m.lblk+m.len == x.next() && l.entry+1 < len(ext):
		// The blocks at the end go to the extent on the right.
		b := &ext[l.entry+1]
		if !fits(b) || x.next() != b.lblk || x.pblk+allocator.Block(x.len) != b.pblk {
			return false
		}
		b.lblk, b.pblk, b.len = b.lblk-m.len, b.pblk-allocator.Block(n), b.len+n
		x.len -= n
		l.entry++
	default:
		return false
	}
	fs.dirtyPath(t, in, p)
	return true
}
