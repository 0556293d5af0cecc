package image

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/filesystem"
)

// maxDirDepth is how deep directories may lie below the root. A path has at most
// 4095 bytes (PATH_MAX), so that nobody can name what lies deeper, and what walks
// the tree by recursion ends.
const maxDirDepth = 2047

// fileChecker checks the files of an image when it is opened: that every block
// has one owner, that names and links agree, and that the directories are a
// tree. Nothing that works on the image later need expect anything else.
//
// It takes 12 bytes for each inode in use and a bit for each cluster of the
// groups that files lie in.
type fileChecker struct {
	s    *imageSource
	own  *owners
	seen inodeTable
	dirs map[allocator.GroupID]uint32 // directories by the group of their inode

	orphans orphanList // inodes that are deleted or truncated at mount
}

// inodeFact is what is known of an inode in use.
type inodeFact struct {
	names uint32 // entries that name it, "." and ".." excepted; of a directory also those of its subdirectories' ".."
	links uint16
	kind  uint8 // the type in its mode, shifted down; 0 of one that was never made
	flags uint8
}

// The flags of an inodeFact.
const (
	factReached = 1 << iota // a directory that the tree holds
	factAttrs               // it holds the value of an attribute (EAFlag)
)

// inodeTable keeps facts by inode number, in pages that are made on first use.
type inodeTable map[uint32]*[factsPerPage]inodeFact

const factsPerPage = 64

func (t inodeTable) at(n uint32) *inodeFact {
	page := t[n/factsPerPage]
	if page == nil {
		page = new([factsPerPage]inodeFact)
		t[n/factsPerPage] = page
	}
	return &page[n%factsPerPage]
}

// checkFiles checks all files of the image.
func (s *imageSource) checkFiles() error {
	// Each step may rely on the ones before: inodes that own their blocks, then directories
	// that name those inodes, then links counted in these directories.
	c := &fileChecker{s: s, own: newOwners(s), seen: make(inodeTable), dirs: make(map[allocator.GroupID]uint32)}
	if err := s.checkReserved(); err != nil {
		return err
	}
	if !s.keepOrphans {
		var err error
		if c.orphans, err = s.findOrphans(); err != nil {
			return err
		}
	}
	if err := c.inodes(); err != nil {
		return err
	}
	if err := c.cleanOrphans(); err != nil {
		return err
	}
	if err := c.tree(); err != nil {
		return err
	}
	if err := c.links(); err != nil {
		return err
	}
	return c.dirCounts()
}

// inodes reads every inode in use and takes its blocks.
func (c *fileChecker) inodes() error {
	if err := c.own.takeMMP(); err != nil {
		return err
	}
	// Reading an inode with owners claims its blocks; what the later checks need of it is
	// kept, 12 bytes, and the inode is read again when it is needed.
	for n := range c.s.numbers() {
		in, err := c.s.readInode(n, c.own)
		if err != nil {
			return err
		}
		f := c.seen.at(n)
		f.kind, f.links = uint8(in.Mode>>12), uint16(in.Links)
		if in.Flags&EAFlag != 0 {
			f.flags |= factAttrs
		}
		// An orphan may be what would be a mistake elsewhere: a directory that was removed has a
		// size of 0, and a file that was being truncated has blocks behind its end. Both are
		// deleted or truncated before anything else looks at them.
		if !c.orphans.has[n] {
			err = c.inode(&in)
		}
		if err != nil {
			return fmt.Errorf("inode %d: %w", n, err)
		}
		if in.IsDir() {
			id, _ := c.s.inodeAt(n)
			c.dirs[id]++
		}
	}
	return nil
}

// inode checks what an inode says of itself, its mapping excepted.
func (c *fileChecker) inode(in *Inode) error {
	// Bytes: the size of a file, and of a directory, which is full blocks.
	bits := c.s.sb.BlockBits
	switch {
	case in.InlineSize > 0 && in.Size > int64(in.InlineSize), in.InlineSize > 0 && in.IsDir() && in.Size != int64(in.InlineSize):
		return fmt.Errorf("a size of %d bytes, and it holds %d itself", in.Size, in.InlineSize)
	case in.Number == c.s.sb.JournalInode && in.InlineSize == 0:
		return c.journal(in)
	case in.InlineSize > 0:
		return nil
	case !in.IsDir():
		return c.end(in)
	case in.Size == 0 || in.Size&(1<<bits-1) != 0:
		return fmt.Errorf("a directory of %d bytes: want a multiple of %d", in.Size, 1<<bits)
	case in.Size > 16<<30:
		return fmt.Errorf("a directory of %d bytes: it may have 16 GiB", in.Size)
	}
	// A directory is mapped without holes and without unwritten blocks, to its end.
	next := uint64(0)
	for _, x := range in.Extents {
		if x.Logical != next || x.Flags != 0 {
			return fmt.Errorf("directory block %d is a hole", next)
		}
		next += x.Len
	}
	if next != uint64(in.Size>>bits) {
		return fmt.Errorf("a directory of %d bytes maps %d blocks", in.Size, next)
	}
	return nil
}

// end checks that a file without extents maps nothing behind its end: only blocks
// of extents may be allocated beyond it.
func (c *fileChecker) end(in *Inode) error {
	if in.Flags&ExtentsFlag != 0 || in.Links == 0 || len(in.Extents) == 0 || in.Number < c.s.sb.FirstInode {
		return nil
	}
	x := &in.Extents[len(in.Extents)-1]
	if last := x.Logical + x.Len - 1; last > uint64(max(in.Size, 1)-1)>>c.s.sb.BlockBits || in.Size == 0 {
		return fmt.Errorf("a file of %d bytes maps logical block %d, which is behind its end", in.Size, last)
	}
	return nil
}

// journal checks that all of the journal is mapped.
func (c *fileChecker) journal(in *Inode) error {
	mapped := uint64(0)
	for _, x := range in.Extents {
		mapped += x.Len
	}
	if in.Mode&filesystem.ModeType != filesystem.ModeRegular || uint64(in.Size>>c.s.sb.BlockBits) > mapped {
		return fmt.Errorf("the journal, mode %06o, has %d bytes and maps %d blocks", in.Mode, in.Size, mapped)
	}
	return nil
}

// links checks that every inode has as many links as names, and that no
// directory is outside the tree. A file may be without names: one that was open
// when it was removed, or one that belongs to the file system.
func (c *fileChecker) links() error {
	for n := range c.s.numbers() {
		f := c.seen.at(n)
		dir := f.kind == filesystem.ModeDir>>12
		switch {
		case dir && f.flags&factReached == 0:
			return fmt.Errorf("inode %d: a directory that no name leads to from the root", n)
		case !dir && f.names == 0:
		case dir && f.links == 1 && c.s.sb.ROCompat&DirNlink != 0: // it had too many to count
		case f.names != uint32(f.links):
			return fmt.Errorf("inode %d: %d links by its count, %d by the directories", n, f.links, f.names)
		}
	}
	return nil
}

// dirCounts compares the directories that descriptors count with those there are.
func (c *fileChecker) dirCounts() error {
	for id := range c.s.groups {
		if n := c.dirs[allocator.GroupID(id)]; n != c.s.groups[id].desc.UsedDirs {
			return fmt.Errorf("group %d: the descriptor counts %d directories, there are %d", id, c.s.groups[id].desc.UsedDirs, n)
		}
	}
	return nil
}
