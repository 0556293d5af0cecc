package ext4

import (
	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/extents"
)

// What kernels do that split an unwritten extent only when its IO has ended
// (Quirks.SplitAfterIO). The split and the change of state are two steps here, and zeroes stand
// in for both where the tree finds no block to grow by.

// convertRange makes [lblk, lblk+n), which begins inside the path's extent, written with
// mapConvert and unwritten with mapConvertUnwritten (ext4_split_convert_extents).
func (fs *FS) convertRange(t *task, in *inode, p *extents.Path, lblk, n uint32, f mapFlags) errno {
	x := p.Ex()
	zeroed := false
	// First the range becomes an extent of its own. Zeroes may stand in for that only if all
	// of the extent lies before the end of the file.
	if x.Lblk != lblk || uint32(x.Len) != n {
		mayZero := x.Next() <= fs.eofBlock(in, lblk, n)
		var e errno
		if zeroed, e = fs.splitOff(t, in, p, lblk, n, mayZero, f|mapPreIO); e != 0 {
			return e
		}
	}
	// Then it changes its state, and may merge with its neighbours.
	in.find(p, lblk, f.searchOpt())
	leaf, at := p.Leaf().Node, p.Leaf().Entry
	now := leaf.Ext[at]
	if !zeroed {
		now.Unwritten = f&mapConvert == 0
		leaf.Ext[at] = now
		fs.tryMerge(t, in, p, at)
		fs.dirtyPath(t, in, p)
	}
	// The status tree learns of the extent, unless the caller wants nothing cached. As in the
	// kernel it is the one that stands at the place now: after a merge with the left
	// neighbour that is the next one.
	if f&mapNoCache == 0 {
		if at < len(leaf.Ext) {
			now = leaf.Ext[at]
		}
		fs.remember(t, in, now.Lblk, uint32(now.Len), now.Pblk, now.Status(), false)
	}
	return 0
}

// splitOff makes [lblk, lblk+n) an extent of its own, in the state that it has
// (ext4_split_extent). If the tree finds no block to grow by, and mayZero allows it, zeroes are
// written to what the caller writes no data to, and the whole extent counts as written: then
// zeroed is true.
func (fs *FS) splitOff(t *task, in *inode, p *extents.Path, lblk, n uint32, mayZero bool, f mapFlags) (zeroed bool, e errno) {
	f |= mapNoCache
	x := p.Ex()
	start := x.Lblk
	// The part behind the range first, then the part before it.
	if lblk+n < x.Next() {
		if e = fs.splitAt(t, in, p, lblk+n, f); e == 0 {
			in.find(p, lblk, f.searchOpt())
		}
	}
	if e == 0 && lblk >= start {
		e = fs.splitAt(t, in, p, lblk, f)
	}
	if e != filesystem.ENOSPC || !mayZero {
		return false, e
	}
	// What is to become unwritten is zeroed itself, and so must be short. extent_max_zeroout_kb
	// is shifted from KiB to blocks.
	if f&mapConvertUnwritten != 0 && n > maxZerooutKB>>(fs.geo.BlockBits-10) {
		return false, e
	}
	in.find(p, lblk, f.searchOpt())
	p.Ex().Unwritten = false
	fs.dirtyPath(t, in, p)
	return true, 0
}

// splitAt splits the path's extent in two, so that one begins at lblk (ext4_split_extent_at).
// If that fails the extent is as it was, and the status tree has forgotten it.
func (fs *FS) splitAt(t *task, in *inode, p *extents.Path, lblk uint32, f mapFlags) errno {
	x := p.Ex()
	if lblk == x.Lblk {
		return 0
	}
	orig := *x
	leaf, at := p.Leaf().Node, p.Leaf().Entry
	x.Len = uint16(lblk - x.Lblk)
	second := orig
	second.Lblk, second.Len, second.Pblk = lblk, orig.Len-x.Len, orig.Pblk+allocator.Block(x.Len)
	e := fs.insertExtent(t, in, p, second, f|mapNoCache)
	if e != 0 {
		leaf.Ext[at].Len = orig.Len
		fs.dirtyPath(t, in, p)
		fs.forget(t, in, orig.Lblk, uint32(orig.Len))
	}
	return e
}
