package ext4

import (
	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/es"
	"mbsim/filesystem/ext4/extents"
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
func (fs *FS) splitExtentAt(t *task, in *inode, p *extents.Path, lblk uint32, s splitFlags, f mapFlags) errno {
	if fs.quirks.SplitCachesNothing {
		f |= mapNoCache
	}
	x := p.Ex()
	if lblk == x.Lblk {
		x.Unwritten = s&markUnwritten2 != 0
		if f&mapPreIO == 0 {
			fs.tryMerge(t, in, p, p.Leaf().Entry)
		}
		fs.dirtyPath(t, in, p)
		return 0
	}
	// The extent shrinks to its first half; the second half is inserted.
	orig := *x
	leaf, at := p.Leaf().Node, p.Leaf().Entry
	x.Len = uint16(lblk - x.Lblk)
	x.Unwritten = s&markUnwritten1 != 0
	second := extents.Extent{
		Lblk:      lblk,
		Len:       orig.Len - x.Len,
		Unwritten: s&markUnwritten2 != 0,
		Pblk:      orig.Pblk + allocator.Block(x.Len),
	}
	// Inserting may need a block for the tree, and only the want of one is dealt with here.
	first := *x
	e := fs.insertExtent(t, in, p, second, f)
	if e != filesystem.ENOSPC {
		return e
	}
	// There was no block for the tree to grow by. The first half is still where it was in
	// its leaf, and gets its old length back.
	x = &leaf.Ext[at]
	if s&mayZeroout == 0 {
		x.Len, x.Unwritten = orig.Len, orig.Unwritten
		fs.dirtyPath(t, in, p)
		if fs.quirks.SplitBeforeIOKeepsData {
			fs.forget(t, in, orig.Lblk, uint32(orig.Len))
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
		fs.forget(t, in, zero.Lblk, uint32(zero.Len))
		x.Len, x.Unwritten = orig.Len, orig.Unwritten
		fs.dirtyPath(t, in, p)
		return 0
	}
	x.Len, x.Unwritten = orig.Len, false
	fs.tryMerge(t, in, p, at)
	fs.dirtyPath(t, in, p)
	fs.zeroed(t, in, zero)
	return 0
}

// zeroed tells the status tree that the blocks of x were written with zeroes
// (ext4_zeroout_es).
func (fs *FS) zeroed(t *task, in *inode, x extents.Extent) {
	if x.Len > 0 {
		fs.remember(t, in, x.Lblk, uint32(x.Len), x.Pblk, es.Written, false)
	}
}

// splitExtent makes [lblk, lblk+n), which begins inside the path's extent, an extent of its
// own (ext4_split_extent). It returns the number of blocks from lblk to the end of what was
// split off.
func (fs *FS) splitExtent(t *task, in *inode, p *extents.Path, lblk, n uint32, s splitFlags, f mapFlags) (uint32, errno) {
	if fs.quirks.SplitCachesNothing {
		f |= mapNoCache
	}
	x := p.Ex()
	start, length, unwritten := x.Lblk, uint32(x.Len), x.Unwritten
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
		unwritten = p.Ex().Unwritten
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
func (fs *FS) splitConvert(t *task, in *inode, p *extents.Path, lblk, n uint32, f mapFlags) (uint32, errno) {
	var s splitFlags
	x := p.Ex()
	switch {
	// Written blocks become unwritten. Zeroes may not stand in for a split, as all blocks
	// hold data.
	case f&mapConvertUnwritten != 0:
		s = dataValid1
	// Unwritten blocks become written. Zeroes may stand in for a split, but only if all of
	// the extent lies before the end of the file: written blocks must not lie behind it.
	case f&mapConvert != 0:
		if x.Next() <= fs.eofBlock(in, lblk, n) {
			s = mayZeroout
		}
		s |= markUnwritten2 | dataValid2
	// Before IO the blocks hold no data yet, which some kernels know.
	case f&mapUnwritten != 0:
		if x.Next() <= fs.eofBlock(in, lblk, n) {
			s = mayZeroout
		}
		s |= markUnwritten2
	}
	return fs.splitExtent(t, in, p, lblk, n, s, f|mapPreIO)
}

// convertEndIO makes [lblk, lblk+n) written once its data is on disk
// (ext4_convert_unwritten_extents_endio).
func (fs *FS) convertEndIO(t *task, in *inode, p *extents.Path, lblk, n uint32) errno {
	// It should be an extent of its own since before the IO; merges may have changed that.
	if x := p.Ex(); x.Lblk != lblk || uint32(x.Len) > n {
		f := mapConvert
		if fs.quirks.EndIOMayUseReserve {
			f |= mapMetadataNofail
		}
		if _, e := fs.splitConvert(t, in, p, lblk, n, f); e != 0 {
			return e
		}
		in.find(p, lblk, cacheRead)
	}
	p.Ex().Unwritten = false
	fs.tryMerge(t, in, p, p.Leaf().Entry)
	fs.dirtyPath(t, in, p)
	return 0
}

// convertToUnwritten makes the written blocks of m unwritten
// (convert_initialized_extent).
func (fs *FS) convertToUnwritten(t *task, in *inode, p *extents.Path, m *mapping, f mapFlags, got uint32) (uint32, errno) {
	// More than one unwritten extent can hold is done in parts.
	if m.len > extents.MaxUnwrittenLen {
		m.len = extents.MaxUnwrittenLen / 2
	}
	if fs.quirks.SplitAfterIO {
		if e := fs.convertRange(t, in, p, m.lblk, m.len, f); e != 0 {
			return 0, e
		}
		in.find(p, m.lblk, f.searchOpt())
		// Zeroes may have stood in for the conversion.
		m.state |= stateMapped
		if p.Ex().Unwritten {
			m.state ^= stateMapped | stateUnwritten
		}
		m.len = min(got, m.len)
		return m.len, 0
	}
	// The range becomes an extent of its own, and that changes its state.
	if x := p.Ex(); x.Lblk != m.lblk || uint32(x.Len) > m.len {
		if !fs.quirks.SplitBeforeIOKeepsData {
			f = mapConvertUnwritten
		}
		if _, e := fs.splitConvert(t, in, p, m.lblk, m.len, f); e != 0 {
			return 0, e
		}
		in.find(p, m.lblk, f.searchOpt())
	}
	p.Ex().Unwritten = true
	fs.tryMerge(t, in, p, p.Leaf().Entry)
	fs.dirtyPath(t, in, p)
	m.state |= stateUnwritten
	m.len = min(got, m.len)
	return m.len, 0
}

// convertToWritten makes [m.lblk, m.lblk+m.len) written before its data is there
// (ext4_ext_convert_to_initialized). It returns the number of blocks from m.lblk on that
// are written then.
func (fs *FS) convertToWritten(t *task, in *inode, p *extents.Path, m *mapping, f mapFlags) (uint32, errno) {
	// The cheapest way is to move the boundary between two extents.
	if fs.moveToNeighbour(t, in, p, m) {
		return m.len, 0
	}
	x := *p.Ex()
	// got is the number of blocks from m.lblk to the end of the extent.
	got := uint32(x.Len) - (m.lblk - x.Lblk)
	s := dataValid2
	// Inside the file, short rests of the extent are written with zeroes, which saves
	// splits. maxZero is in blocks: extent_max_zeroout_kb shifted from KiB.
	var maxZero uint32
	if x.Next() <= fs.eofBlock(in, m.lblk, m.len) {
		s |= mayZeroout
		maxZero = maxZerooutKB >> (fs.geo.BlockBits - 10)
	}
	lblk, n := m.lblk, m.len
	var tail, head extents.Extent
	if maxZero > 0 && got > n {
		// The rest behind the range is short: it becomes written with the range.
		if got <= maxZero {
			at := lblk + n
			tail = extents.Extent{Lblk: at, Len: uint16(got - n), Pblk: x.Pblk + allocator.Block(at-x.Lblk)}
			n = got
		}
		// The rest before the range is short: likewise.
		if lblk-x.Lblk+n < maxZero {
			head = extents.Extent{Lblk: x.Lblk, Len: uint16(lblk - x.Lblk), Pblk: x.Pblk}
			n += lblk - x.Lblk
			lblk = x.Lblk
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
func (fs *FS) moveToNeighbour(t *task, in *inode, p *extents.Path, m *mapping) bool {
	l := p.Leaf()
	ext := l.Node.Ext
	x := &ext[l.Entry]
	if m.len >= uint32(x.Len) {
		return false
	}
	n := uint16(m.len)
	// A neighbour is fit if it is written and has room for the blocks.
	fits := func(b *extents.Extent) bool { return !b.Unwritten && uint32(b.Len) < extents.MaxLen-m.len }
	switch {
	case m.lblk == x.Lblk && l.Entry > 0:
		// The blocks at the front go to the extent on the left.
		b := &ext[l.Entry-1]
		if !fits(b) || b.Next() != x.Lblk || b.Pblk+allocator.Block(b.Len) != x.Pblk {
			return false
		}
		x.Lblk, x.Pblk, x.Len = x.Lblk+m.len, x.Pblk+allocator.Block(n), x.Len-n
		b.Len += n
		l.Entry--
	case m.lblk+m.len == x.Next() && l.Entry+1 < len(ext):
		// The blocks at the end go to the extent on the right.
		b := &ext[l.Entry+1]
		if !fits(b) || x.Next() != b.Lblk || x.Pblk+allocator.Block(x.Len) != b.Pblk {
			return false
		}
		b.Lblk, b.Pblk, b.Len = b.Lblk-m.len, b.Pblk-allocator.Block(n), b.Len+n
		x.Len -= n
		l.Entry++
	default:
		return false
	}
	fs.dirtyPath(t, in, p)
	return true
}
