package ext2

import (
	"fmt"
	"slices"

	"mbsim/filesystem/dirent"
	"mbsim/filesystem/image"
)

// loadTree brings the files and directories that exist at mount into memory.
func (fs *FS) loadTree() error {
	root, err := fs.layout.Inode(image.RootInode)
	if err != nil {
		return err
	}
	if !root.IsDir() {
		return fmt.Errorf("ext2: the root inode is not a directory (mode %o)", root.Mode)
	}
	fs.root, err = fs.load(&root, nil)
	return err
}

// load makes the inode that im describes, and what is below it. The root has no
// parent and becomes its own.
func (fs *FS) load(im *image.Inode, parent *inode) (*inode, error) {
	in := fs.addInode(im.Number, im.Mode)
	fs.atMount = append(fs.atMount, im.Number)
	// i_blocks counts sectors of 512 bytes on disk, blocks in memory.
	in.atStart = true
	in.links = im.Links
	in.size = im.Size
	in.blocks = im.Sectors >> (fs.geo.BlockBits - 9)
	in.attrs = im.AttrSectors >> (fs.geo.BlockBits - 9)
	in.topdir = im.Flags&topdirFlag != 0
	in.parent = parent
	if parent == nil {
		in.parent = in
	}
	if err := fs.loadPointers(in, im); err != nil {
		return nil, fmt.Errorf("ext2: inode %d: %w", im.Number, err)
	}
	if !in.isDir() {
		return in, nil
	}
	// A directory's names are needed to go on to what lies below it.
	blocks, err := fs.layout.DirBlocks(im)
	if err != nil {
		return nil, fmt.Errorf("ext2: directory %d: %w", im.Number, err)
	}
	if in.dir, err = dirent.Restore(&fs.dirOptions, slots(blocks)); err != nil {
		return nil, fmt.Errorf("ext2: directory %d: %w", im.Number, err)
	}
	for e := range in.dir.Entries() {
		if e.Inode > fs.layout.Super.Inodes {
			return nil, fmt.Errorf("ext2: directory %d: %q names inode %d of %d", im.Number, e.Name, e.Inode, fs.layout.Super.Inodes)
		}
		// A file with several names is loaded with the first of them.
		if *fs.inodeAt(e.Inode) != nil {
			continue // another name of it
		}
		child, err := fs.layout.Inode(e.Inode)
		if err != nil {
			return nil, fmt.Errorf("ext2: directory %d: %q: %w", im.Number, e.Name, err)
		}
		if _, err := fs.load(&child, in); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// slots are the blocks of a directory as dirent has them. ext2 does not know the index of
// hashes: to it, an index block is one empty slot.
func slots(blocks []image.DirBlock) []dirent.Block {
	list := make([]dirent.Block, 0, len(blocks))
	for _, b := range blocks {
		var x dirent.Block
		for _, e := range b.Entries {
			x.Slots = append(x.Slots, dirent.Slot{
				Entry:  dirent.Entry{Name: e.Name, Inode: e.Inode, Type: e.Type},
				Offset: int(e.Offset), Len: int(e.RecLen),
			})
		}
		list = append(list, x)
	}
	return list
}

// loadPointers builds the tree of a file: first the indirect blocks from the top
// down, then the data.
func (fs *FS) loadPointers(in *inode, im *image.Inode) error {
	// From the top down: an indirect block can be hung in only where the one above it is.
	meta := slices.Clone(im.Meta)
	slices.SortStableFunc(meta, func(a, b image.MetaBlock) int { return int(b.Depth) - int(a.Depth) })
	for _, m := range meta {
		c := fs.chainTo(m.Logical)
		// The walk must end at the pointer to this block: as many levels above the data as the
		// block is deep.
		at := in.walk(&c)
		if m.Depth == 0 || at != c.depth-1-int(m.Depth) {
			return fmt.Errorf("indirect block %d, for blocks from %d on, is at depth %d", m.Block, m.Logical, m.Depth)
		}
		l := c.links[at]
		l.in.ptr[l.slot] = uint32(m.Block)
		kid := fs.newNode(m.Block, m.Depth == 1)
		kid.bare = m.Entries == 0
		l.in.kid[l.slot] = kid
	}
	// Then the data, whose indirect blocks must all be there.
	for _, x := range im.Extents {
		for i := range x.Len {
			c := fs.chainTo(uint32(x.Logical + i))
			at := in.walk(&c)
			if at != c.depth-1 {
				return fmt.Errorf("no indirect block leads to block %d", x.Logical+i)
			}
			l := c.links[at]
			l.in.ptr[l.slot] = uint32(x.Physical) + uint32(i)
		}
	}
	return nil
}
