package ext4

import (
	"fmt"
	"iter"
	"math/bits"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
	"mbsim/filesystem/ext4/extents"
	"mbsim/filesystem/image"
	"mbsim/filesystem/owners"
)

// OnDisk is the file system as it would lie on disk if the machine stopped now, everything in the
// journal had reached its place, and the next mount had deleted what has no name. Data that has no
// place yet is not there, and sizes are those that the disk knows; after Sync nothing is missing.
// What it returns reads the file system, leaves no trace in it, and is valid until that changes.
func (fs *FS) OnDisk() *image.Layout {
	d := &onDisk{fs: fs, blocks: owners.NewSet(fs.geo.ClustersPerGroup), inodes: owners.NewSet(fs.geo.InodesPerGroup), dirs: owners.NewSet(fs.geo.InodesPerGroup)}
	for in := range fs.inodes.all() {
		if in.links == 0 {
			d.forget(in)
		}
	}
	// The totals are the sums over the groups.
	s := fs.layout.Super
	s.FreeBlocks, s.FreeInodes = 0, 0
	for id := range fs.geo.Groups {
		g := d.Desc(id)
		s.FreeBlocks += allocator.Block(g.FreeClusters) << fs.geo.ClusterBits
		s.FreeInodes += g.FreeInodes
	}
	return image.Now(fs.layout, &s, d)
}

// onDisk implements image.State.
type onDisk struct {
	fs *FS
	// What inodes without a name hold, and these inodes: they are free at the next mount.
	blocks, inodes, dirs *owners.Set
}

// forget notes what an inode without a name holds.
func (d *onDisk) forget(in *inode) {
	geo := &d.fs.geo
	owners.OwnInode(geo, d.inodes, in.Number)
	if in.isDir() {
		owners.OwnInode(geo, d.dirs, in.Number)
	}
	im := d.describe(in)
	for _, m := range im.Meta {
		_ = owners.Own(geo, d.blocks, m.Block, 1)
	}
	// Two extents may share a cluster, which Own would call an error.
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
	g := fs.layout.Desc(id)
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
	}
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
	page := d.fs.inodeGroups[id/groupsPerPage]
	if page != nil && page[id%groupsPerPage].bits != nil {
		image.FillBitmap(bitmap, page[id%groupsPerPage].bits, d.fs.geo.InodesPerGroup)
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
		for in := range d.fs.inodes.all() {
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
	if in := d.fs.inodes.find(n); in != nil && in.links > 0 {
		return d.describe(in), nil
	}
	return image.Inode{}, fmt.Errorf("ext4: inode %d is not in use", n)
}

// describe is an inode as it would lie on disk. What other kinds of files and extended attributes
// keep in an inode, or in a block of its own, belongs here too.
func (d *onDisk) describe(in *inode) image.Inode {
	fs := d.fs
	im := image.Inode{
		Number: in.Number, Mode: uint32(in.mode), Links: in.links, Size: in.disksize,
		Sectors: in.blocks << (fs.geo.BlockBits - 9), AttrSectors: in.attrs << (fs.geo.BlockBits - 9),
		Started: in.started, Times: fs.timesOf(in),
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

// DirBlocks implements image.Files.
func (d *onDisk) DirBlocks(im *image.Inode) ([]image.DirBlock, error) {
	in := d.fs.inodes.find(im.Number)
	if in == nil || in.dir == nil {
		return nil, fmt.Errorf("ext4: inode %d is not a directory", im.Number)
	}
	return dirBlocks(in.dir), nil
}

// dirBlocks are the blocks of a directory in the words of package image.
func dirBlocks(dir *dirent.Dir) []image.DirBlock {
	blocks := make([]image.DirBlock, dir.Blocks())
	for b := range blocks {
		blocks[b].Logical = uint32(b)
		for _, r := range dir.Index(b) {
			blocks[b].Index = append(blocks[b].Index, image.IndexRange{Hash: r.Hash, Block: r.Block})
		}
		for s := range dir.Slots(b) {
			blocks[b].Entries = append(blocks[b].Entries, image.Dirent{Inode: s.Inode, Offset: uint16(s.Offset), RecLen: uint32(s.Len), Type: s.Type, Name: s.Name})
		}
	}
	return blocks
}
