package ext2

import (
	"fmt"
	"iter"
	"math/bits"

	"mbsim/allocator"
	"mbsim/filesystem/image"
	"mbsim/filesystem/owners"
)

// OnDisk is the file system as it would lie on disk if it were unmounted now, without the inodes
// that have no name. What it returns reads the file system, leaves no trace in it, and is valid
// until that changes.
func (fs *FS) OnDisk() *image.Layout {
	d := &onDisk{fs: fs, blocks: owners.NewSet(fs.geo.ClustersPerGroup), inodes: owners.NewSet(fs.geo.InodesPerGroup), dirs: owners.NewSet(fs.geo.InodesPerGroup)}
	for in := range fs.live() {
		if in.links == 0 {
			d.forget(in)
		}
	}
	// The totals are the sums over the groups.
	s := fs.layout.Super
	s.FreeBlocks, s.FreeInodes = 0, 0
	for id := range fs.geo.Groups {
		g := d.Desc(id)
		s.FreeBlocks += allocator.Block(g.FreeClusters)
		s.FreeInodes += g.FreeInodes
	}
	return image.Now(fs.layout, &s, d)
}

// live lists the inodes in memory by number.
func (fs *FS) live() iter.Seq[*inode] {
	return func(yield func(*inode) bool) {
		for _, page := range fs.inodes {
			for _, in := range page {
				if in != nil && !yield(in) {
					return
				}
			}
		}
	}
}

// onDisk implements image.State.
type onDisk struct {
	fs *FS
	// What inodes without a name hold, and these inodes: they are free once their handles close.
	blocks, inodes, dirs *owners.Set
}

// forget notes what an inode without a name holds.
func (d *onDisk) forget(in *inode) {
	geo := &d.fs.geo
	owners.OwnInode(geo, d.inodes, in.number)
	if in.isDir() {
		owners.OwnInode(geo, d.dirs, in.number)
	}
	im := d.describe(in)
	for _, m := range im.Meta {
		_ = owners.Own(geo, d.blocks, m.Block, 1)
	}
	for _, x := range im.Extents {
		_ = owners.Own(geo, d.blocks, x.Physical, x.Len)
	}
}

// count is the number of bits that are set.
func count(words []uint64) (n uint32) {
	for _, w := range words {
		n += uint32(bits.OnesCount64(w))
	}
	return n
}

// Desc implements allocator.Source.
func (d *onDisk) Desc(id allocator.GroupID) allocator.GroupDesc {
	fs := d.fs
	g, x := fs.layout.Desc(id), &fs.inodeGroups[id]
	if free, touched := fs.alloc.PeekFree(id); touched {
		g.FreeClusters = free
	}
	g.FreeInodes, g.UsedDirs = x.free, x.dirs
	g.FreeClusters += count(d.blocks.Bits(id))
	g.FreeInodes += count(d.inodes.Bits(id))
	g.UsedDirs -= count(d.dirs.Bits(id))
	return g
}

// BlockBitmap implements allocator.Source.
func (d *onDisk) BlockBitmap(id allocator.GroupID, bitmap []uint64) {
	if now := d.fs.alloc.PeekBitmap(id); now != nil {
		image.FillBitmap(bitmap, now, d.fs.geo.ClustersIn(id))
	} else {
		d.fs.layout.BlockBitmap(id, bitmap)
	}
	for i, w := range d.blocks.Bits(id) {
		bitmap[i] &^= w
	}
}

// InodeBitmap implements allocator.Source.
func (d *onDisk) InodeBitmap(id allocator.GroupID, bitmap []uint64) {
	if now := d.fs.inodeGroups[id].bits; now != nil {
		image.FillBitmap(bitmap, now, d.fs.geo.InodesPerGroup)
	} else {
		d.fs.layout.InodeBitmap(id, bitmap)
	}
	for i, w := range d.inodes.Bits(id) {
		bitmap[i] &^= w
	}
}

// SystemZone implements allocator.Source.
func (d *onDisk) SystemZone(b allocator.Block, n uint32) bool { return d.fs.layout.SystemZone(b, n) }

// ITableZeroed implements image.State.
func (d *onDisk) ITableZeroed(id allocator.GroupID) bool { return d.fs.layout.ITableZeroed(id) }

// Inodes implements image.Files.
func (d *onDisk) Inodes() iter.Seq2[image.Inode, error] {
	return d.fs.layout.WithUnnamed(func(yield func(image.Inode) bool) {
		for in := range d.fs.live() {
			if in.links > 0 && !yield(d.describe(in)) {
				return
			}
		}
	})
}

// Inode implements image.Files.
func (d *onDisk) Inode(n uint32) (image.Inode, error) {
	for _, in := range d.fs.layout.Unnamed() {
		if in.Number == n {
			return in, nil
		}
	}
	if in := d.fs.peekInode(n); in != nil && in.links > 0 {
		return d.describe(in), nil
	}
	return image.Inode{}, fmt.Errorf("ext2: inode %d is not in use", n)
}

// describe is an inode as it would lie on disk.
func (d *onDisk) describe(in *inode) image.Inode {
	fs := d.fs
	im := image.Inode{
		Number: in.number, Mode: in.mode, Links: in.links, Size: in.size, Started: in.atStart,
		Sectors: in.blocks << (fs.geo.BlockBits - 9), AttrSectors: in.attrs << (fs.geo.BlockBits - 9),
	}
	if in.topdir {
		im.Flags |= image.TopdirFlag
	}
	if in.atStart && in.attrs > 0 {
		// It was there at mount, so it can be read again.
		if was, err := fs.layout.Inode(in.number); err == nil {
			im.ACL = was.ACL
		}
	}
	// The twelve direct blocks, then the trees of one, two and three levels.
	lblk := uint64(0)
	for i, p := range in.top.ptr {
		if i < directSlots {
			im.AppendBlock(lblk, allocator.Block(p))
			lblk++
			continue
		}
		levels := uint8(i - directSlots + 1)
		if kid := in.top.kid[i]; kid != nil && p != 0 {
			fs.describeNode(&im, kid, lblk, levels)
		}
		lblk += 1 << (levels * fs.pointerBits)
	}
	return im
}

// describeNode adds the indirect block n, which maps the file from lblk on over so many levels, and all
// below it.
func (fs *FS) describeNode(im *image.Inode, n *node, lblk uint64, levels uint8) {
	at := len(im.Meta)
	im.Meta = append(im.Meta, image.MetaBlock{Block: n.blk, Depth: levels, Logical: uint32(lblk)})
	for i, p := range n.ptr {
		if p == 0 {
			continue
		}
		im.Meta[at].Entries++
		below := lblk + uint64(i)<<((levels-1)*fs.pointerBits)
		if levels > 1 {
			fs.describeNode(im, n.kid[i], below, levels-1)
		} else {
			im.AppendBlock(below, allocator.Block(p))
		}
	}
}

// DirBlocks implements image.Files.
func (d *onDisk) DirBlocks(im *image.Inode) ([]image.DirBlock, error) {
	in := d.fs.peekInode(im.Number)
	if in == nil || in.dir == nil {
		return nil, fmt.Errorf("ext2: inode %d is not a directory", im.Number)
	}
	blocks := make([]image.DirBlock, in.dir.Blocks())
	for b := range blocks {
		blocks[b].Logical = uint32(b)
		for s := range in.dir.Slots(b) {
			blocks[b].Entries = append(blocks[b].Entries, image.Dirent{Inode: s.Inode, Offset: uint16(s.Offset), RecLen: uint32(s.Len), Type: s.Type, Name: s.Name})
		}
	}
	return blocks, nil
}
