package ext4

import (
	"fmt"
	"slices"

	"mbsim/filesystem/dirent"
	"mbsim/filesystem/ext4/extents"
	"mbsim/filesystem/image"
)

// loadTree brings all files and directories that exist at mount into memory.
func (fs *FS) loadTree() error {
	root, err := fs.layout.Inode(image.RootInode)
	if err != nil {
		return err
	}
	fs.root, err = fs.loadInode(&root, nil)
	if err != nil {
		return err
	}
	fs.root.parent = fs.root
	fs.root.resident = true
	return nil
}

// loadInode makes the inode that im describes, and everything below it if it is a
// directory. parent is nil for the root.
func (fs *FS) loadInode(im *image.Inode, parent *inode) (*inode, error) {
	// What is on disk is mapped by a fileMap, as it may be anything. Sectors of 512 bytes
	// become blocks.
	in := fs.blankInode(im.Number, im.Mode)
	in.fileMap()
	in.started = true
	in.links = im.Links
	in.Size, in.disksize = im.Size, im.Size
	in.blocks = im.Sectors >> (fs.geo.BlockBits - 9)
	in.Extents = im.Flags&image.ExtentsFlag != 0
	in.topdir = im.Flags&image.TopdirFlag != 0
	in.attrs = im.AttrSectors >> (fs.geo.BlockBits - 9)
	// mke2fs makes the root and lost+found, which is the first of all others, without attributes.
	in.fromImage = im.Number > fs.layout.Super.FirstInode || in.attrs > 0
	in.loadInline(im)
	in.parent = parent
	// The blocks, by extents or by pointers.
	if in.Extents {
		fs.loadExtents(in, im)
	} else {
		fs.loadIndirect(in, im)
	}
	if !in.isDir() {
		return in, nil
	}
	// A directory's entries lead to further inodes.
	blocks, err := fs.layout.DirBlocks(im)
	if err != nil {
		return nil, err
	}
	in.dir, err = loadDir(&fs.dirOptions, im, blocks)
	if err != nil {
		return nil, err
	}
	subdirectories := uint32(0)
	for _, b := range blocks {
		for _, d := range b.Entries {
			if d.Inode == 0 || d.Name == "." || d.Name == ".." || d.Name == "" {
				continue
			}
			child, err := fs.layout.Inode(d.Inode)
			if err != nil {
				return nil, fmt.Errorf("directory %d: %q: %w", im.Number, d.Name, err)
			}
			if child.IsDir() {
				subdirectories++
			}
			// A file with several names is loaded by the first of them.
			if fs.inodes.find(d.Inode) != nil {
				continue
			}
			if _, err := fs.loadInode(&child, in); err != nil {
				return nil, err
			}
		}
	}
	// A count of 1 says that there were too many subdirectories to count (dir_nlink). Here they are
	// counted on.
	if in.links == 1 {
		in.links = 2 + subdirectories
	}
	return in, nil
}

// loadDir gives a directory the entries that it has on disk, at the same places.
func loadDir(opt *dirent.Options, im *image.Inode, blocks []image.DirBlock) (*dirent.Dir, error) {
	d := make([]dirent.Block, 0, len(blocks))
	for _, b := range blocks {
		var x dirent.Block
		for _, r := range b.Index {
			x.Index = append(x.Index, dirent.Range{Hash: r.Hash, Block: r.Block})
		}
		// What covers a node of the index below its root is no entry.
		if x.Index != nil && b.Logical > 0 {
			b.Entries = nil
		}
		for _, e := range b.Entries {
			x.Slots = append(x.Slots, dirent.Slot{
				Entry:  dirent.Entry{Name: e.Name, Inode: e.Inode, Type: e.Type},
				Offset: int(e.Offset), Len: int(e.RecLen),
			})
		}
		d = append(d, x)
	}
	// A directory inside its inode is stored in another way.
	restore := func() (*dirent.Dir, error) { return dirent.Restore(opt, d) }
	if im.InlineSize > 0 {
		restore = func() (*dirent.Dir, error) { return loadInlineDir(opt, im, d) }
	}
	dir, err := restore()
	if err != nil {
		return nil, fmt.Errorf("directory %d: %w", im.Number, err)
	}
	return dir, nil
}

// loadExtents builds the extent tree of an inode from the list of its extents and of the
// blocks of its tree. Each list is in the order of the file, so each node takes the next
// entries of the level below.
func (fs *FS) loadExtents(in *inode, im *image.Inode) {
	root := &in.fileMap().root
	ext := make([]extents.Extent, 0, len(im.Extents))
	for _, x := range im.Extents {
		ext = append(ext, extents.Extent{Lblk: uint32(x.Logical), Len: uint16(x.Len), Unwritten: x.Flags&0x800 != 0, Pblk: x.Physical})
	}
	// All extents lie in the inode.
	if len(im.Meta) == 0 {
		root.Ext = append(root.Ext, ext...)
		return
	}
	// From the leaves up: the nodes of one level are the entries of the next.
	depth := 0
	for _, m := range im.Meta {
		depth = max(depth, int(m.Depth))
	}
	nodes := make([]*extents.Node, 0, len(im.Meta))
	for d := 0; d <= depth; d++ {
		var level []*extents.Node
		for _, m := range im.Meta {
			if int(m.Depth) != d {
				continue
			}
			n := &extents.Node{Blk: m.Block, Depth: d, Max: fs.nodeMax()}
			if d == 0 {
				// A leaf takes as many of the remaining extents as its block has entries.
				n.Ext, ext = append(n.Ext, ext[:m.Entries]...), ext[m.Entries:]
			} else {
				// An index node takes as many of the remaining nodes.
				for _, kid := range nodes[:m.Entries] {
					n.Idx = append(n.Idx, extents.Index{Lblk: kid.First(), Child: kid})
				}
				nodes = nodes[m.Entries:]
			}
			level = append(level, n)
		}
		nodes = level
	}
	// The nodes of the highest level are the entries of the inode.
	*root = extents.Node{Depth: depth + 1, Max: extents.RootEntries, Verified: true}
	for _, kid := range nodes {
		root.Idx = append(root.Idx, extents.Index{Lblk: kid.First(), Child: kid})
	}
}

// loadIndirect builds the block pointers of a file without extents: the indirect blocks
// from the top down, so that each finds its parent, and then the data.
func (fs *FS) loadIndirect(in *inode, im *image.Inode) {
	if len(im.Meta)+len(im.Extents) == 0 {
		return
	}
	in.ind = newIndirect(0, inodeSlots, false)
	meta := slices.Clone(im.Meta)
	slices.SortStableFunc(meta, func(a, b image.MetaBlock) int { return int(b.Depth) - int(a.Depth) })
	for _, m := range meta {
		// The slot that points to the indirect block is as many links up as levels lie
		// below it.
		c := fs.chainTo(m.Logical)
		at := c.depth - 1 - int(m.Depth)
		in.walk(&c, at+1)
		kid := newIndirect(m.Block, 1<<(fs.geo.BlockBits-2), m.Depth == 1)
		kid.mayBeEmpty = m.Entries == 0
		l := c.links[at]
		l.array.pointers[l.slot], l.array.children[l.slot] = uint32(m.Block), kid
	}
	// Each data block sets its pointer.
	for _, x := range im.Extents {
		for k := range uint32(x.Len) {
			c := fs.chainTo(uint32(x.Logical) + k)
			in.walk(&c, c.depth)
			l := c.links[c.depth-1]
			l.array.pointers[l.slot] = uint32(x.Physical) + k
		}
	}
}
