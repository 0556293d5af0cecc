package ext2

import (
	"iter"

	"mbsim/allocator"
	"mbsim/filesystem/dirent"
	"mbsim/filesystem/image"
)

// OnDisk is the file system as it would lie on disk if it were unmounted now, without the inodes
// that have no name. What it returns reads the file system, leaves no trace in it, and is valid
// until that changes.
func (fs *FS) OnDisk() *image.Layout { return image.Now(fs.layout, onDisk{fs}) }

// onDisk implements image.Mounted.
type onDisk struct{ fs *FS }

// Group implements image.Mounted.
func (d onDisk) Group(id allocator.GroupID) (g allocator.GroupDesc, blocks, inodes []uint64) {
	x := &d.fs.inodeGroups[id]
	g = d.fs.layout.Desc(id)
	if free, touched := d.fs.alloc.PeekFree(id); touched {
		g.FreeClusters = free
	}
	g.FreeInodes, g.UsedDirs = x.free, x.dirs
	return g, d.fs.alloc.PeekBitmap(id), x.bits
}

// Live implements image.Mounted.
func (d onDisk) Live() iter.Seq[image.Inode] {
	return func(yield func(image.Inode) bool) {
		for _, page := range d.fs.inodes {
			for _, in := range page {
				if in != nil && !yield(d.describe(in)) {
					return
				}
			}
		}
	}
}

// Find implements image.Mounted.
func (d onDisk) Find(n uint32) (image.Inode, bool) {
	in := d.fs.peekInode(n)
	if in == nil {
		return image.Inode{}, false
	}
	return d.describe(in), true
}

// Directory implements image.Mounted.
func (d onDisk) Directory(n uint32) *dirent.Dir {
	if in := d.fs.peekInode(n); in != nil {
		return in.dir
	}
	return nil
}

// describe is an inode as it would lie on disk.
func (d onDisk) describe(in *inode) image.Inode {
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
