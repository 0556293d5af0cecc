package ext4

import (
	"iter"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
	"mbsim/filesystem/ext4/extents"
	"mbsim/filesystem/image"
)

// OnDisk is the file system as it would lie on disk if the machine stopped now, everything in the
// journal had reached its place, and the next mount had deleted what has no name. Data that has no
// place yet is not there, and sizes are those that the disk knows; after Sync nothing is missing.
// What it returns reads the file system, leaves no trace in it, and is valid until that changes.
func (fs *FS) OnDisk() *image.Layout { return image.Now(fs.layout, onDisk{fs}) }

// onDisk implements image.Mounted.
type onDisk struct{ fs *FS }

// Group implements image.Mounted.
func (d onDisk) Group(id allocator.GroupID) (g allocator.GroupDesc, blocks, inodes []uint64) {
	fs := d.fs
	g = fs.layout.Desc(id)
	// What nobody has touched since the first mount is as it was.
	if free, touched := fs.alloc.PeekFree(id); touched {
		g.FreeClusters = free
	}
	g.BlockUninit = fs.groupChecksums && fs.alloc.PeekUninit(id)
	if page := fs.inodeGroups[id/groupsPerPage]; page != nil {
		ig := &page[id%groupsPerPage]
		g.FreeInodes, g.UsedDirs, g.UnusedInodes = ig.free, ig.dirs, ig.unused
		if !fs.groupChecksums {
			g.UnusedInodes = 0
		}
		g.InodeUninit = g.InodeUninit && ig.unused == fs.geo.InodesPerGroup
		inodes = ig.bits
	}
	return g, fs.alloc.PeekBitmap(id), inodes
}

// Live implements image.Mounted.
func (d onDisk) Live() iter.Seq[image.Inode] {
	return func(yield func(image.Inode) bool) {
		for in := range d.fs.inodes.all() {
			if !yield(d.describe(in)) {
				return
			}
		}
	}
}

// Find implements image.Mounted.
func (d onDisk) Find(n uint32) (image.Inode, bool) {
	in := d.fs.inodes.find(n)
	if in == nil {
		return image.Inode{}, false
	}
	return d.describe(in), true
}

// Directory implements image.Mounted.
func (d onDisk) Directory(n uint32) *dirent.Dir {
	if in := d.fs.inodes.find(n); in != nil {
		return in.dir
	}
	return nil
}

// describe is an inode as it would lie on disk. What other kinds of files and extended attributes
// keep in an inode, or in a block of its own, belongs here too.
func (d onDisk) describe(in *inode) image.Inode {
	fs := d.fs
	im := image.Inode{
		Number: in.Number, Mode: uint32(in.mode), Links: in.links, Size: in.disksize,
		Sectors: in.blocks << (fs.geo.BlockBits - 9), AttrSectors: in.attrs << (fs.geo.BlockBits - 9),
		Started: in.started, Times: fs.timesOf(in), Target: in.target,
	}
	if a := in.attributes; a != nil {
		im.SetAttrs = len(a.body)
		if a.block != nil {
			im.SetAttrs += len(a.block.entries)
		}
	}
	for _, x := range [...]struct {
		flag uint32
		set  bool
	}{
		{image.ExtentsFlag, in.Extents}, {image.TopdirFlag, in.topdir}, {image.InlineFlag, fs.isInline(in)},
		{image.IndexFlag, in.dir != nil && in.dir.Hashed()},
	} {
		if x.set {
			im.Flags |= x.flag
		}
	}
	if in.started && in.attrs > 0 {
		// It was there at mount, so it can be read again.
		if was, err := fs.layout.Inode(in.Number); err == nil {
			im.ACL = was.ACL
		}
	}
	switch b := in.brief; {
	case fs.isInline(in):
		im.InlineSize, im.InlineMax = int(in.inline), int(in.inlineMax)
		if in.isDir() {
			im.Parent = in.dir.Parent()
		}
	case b.mapped():
		x := b.fiemap()
		x.Flags &= filesystem.ExtentUnwritten
		im.Extents = []filesystem.Extent{x}
	case b.state != notBrief: // nothing has its place yet
	case in.Extents:
		root := &in.m.root
		im.Extents, im.Meta = appendNode(nil, root), appendTree(nil, root)
	case in.ind != nil:
		im.Extents = appendIndirect(nil, in.ind, fs.geo.BlockBits-2)
		im.Meta = appendArrays(nil, in.ind, fs.geo.BlockBits-2)
	}
	return im
}

// appendTree appends the nodes below n, which is itself in the inode, in the order of what they map.
func appendTree(out []image.MetaBlock, n *extents.Node) []image.MetaBlock {
	for i := range n.Idx {
		kid := n.Idx[i].Child
		out = append(out, image.MetaBlock{Block: kid.Blk, Depth: uint8(kid.Depth), Entries: uint16(kid.Entries()), Logical: n.Idx[i].Lblk})
		out = appendTree(out, kid)
	}
	return out
}

// appendArrays appends the indirect blocks of an inode, in the order of what they map. An indirect
// block has 2^bits pointers.
func appendArrays(out []image.MetaBlock, inode *indirect, bits uint8) []image.MetaBlock {
	lblk := uint64(directSlots)
	for levels := uint8(1); levels <= inodeSlots-directSlots; levels++ {
		if kid := inode.children[directSlots+levels-1]; kid != nil {
			out = appendArray(out, kid, lblk, levels, bits)
		}
		lblk += 1 << (levels * bits)
	}
	return out
}

// appendArray appends the indirect block n, which maps the file from lblk on over so many levels, and
// all below it.
func appendArray(out []image.MetaBlock, n *indirect, lblk uint64, levels, bits uint8) []image.MetaBlock {
	at := len(out)
	out = append(out, image.MetaBlock{Block: n.blk, Depth: levels, Logical: uint32(lblk)})
	for i, p := range n.pointers {
		if p == 0 {
			continue
		}
		out[at].Entries++
		if levels > 1 {
			out = appendArray(out, n.children[i], lblk+uint64(i)<<((levels-1)*bits), levels-1, bits)
		}
	}
	return out
}
