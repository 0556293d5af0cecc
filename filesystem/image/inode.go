package image

import (
	"fmt"
	"iter"
	"slices"

	"mbsim/allocator"
	"mbsim/filesystem"
)

// fileTypes are all there are: fifo, character device, directory, block device,
// regular file, symbolic link, socket.
var fileTypes = [...]uint32{0o010000, 0o020000, filesystem.ModeDir, 0o060000, filesystem.ModeRegular, filesystem.ModeLink, 0o140000}

const hugeFileFlag = 0x40000 // EXT4_HUGE_FILE_FL: i_blocks counts blocks

// readReserved reads the inodes mke2fs makes.
func (s *imageSource) readReserved() error {
	root, err := s.inode(RootInode)
	if err != nil {
		return err
	}
	if !root.IsDir() {
		return fmt.Errorf("inode %d: the root is not a directory", RootInode)
	}
	// The number of lost+found follows from its name in the root.
	numbers := []uint32{}
	if s.sb.Compat&ResizeInode != 0 {
		numbers = append(numbers, ResizeInodeNum)
	}
	if s.sb.JournalInode != 0 {
		numbers = append(numbers, s.sb.JournalInode)
	}
	blocks, err := s.dirBlocks(&root)
	if err != nil {
		return err
	}
	lost := uint32(0)
	for _, b := range blocks {
		for _, e := range b.Entries {
			if e.Name == "lost+found" && e.Inode != 0 {
				lost = e.Inode
			}
		}
	}
	if lost != 0 {
		numbers = append(numbers, lost)
	}
	for _, n := range s.sb.QuotaInodes {
		if n != 0 {
			numbers = append(numbers, n)
		}
	}
	if s.sb.OrphanInode != 0 {
		numbers = append(numbers, s.sb.OrphanInode)
	}
	slices.Sort(numbers)
	s.files = []Inode{root}
	for _, n := range numbers {
		in, err := s.inode(n)
		if err != nil {
			return err
		}
		// The superblock does not hold the journal's size.
		if n == s.sb.JournalInode {
			s.sb.JournalBlocks = uint32(in.Size >> s.sb.BlockBits)
		}
		s.files = append(s.files, in)
	}
	return nil
}

// inode reads inode n.
func (s *imageSource) inode(n uint32) (Inode, error) { return s.readInode(n, nil) }

// readInode reads inode n and notes whose its blocks are, unless own is nil.
func (s *imageSource) readInode(n uint32, own *owners) (Inode, error) {
	if n == 0 || n > s.sb.Inodes {
		return Inode{}, fmt.Errorf("inode %d: the file system has 1 to %d", n, s.sb.Inodes)
	}
	if in, ok := s.changed[n]; ok {
		return in, nil
	}
	id, i := s.inodeAt(n)
	if s.groups[id].inodes.anyFree(i, i+1) {
		return Inode{}, fmt.Errorf("inode %d is not in use", n)
	}
	// Fields beyond the first 128 bytes matter only where they hold data.
	raw := make([]byte, 128)
	if s.sb.Incompat&InlineData != 0 {
		raw = make([]byte, s.sb.InodeSize)
	}
	if err := s.readRawInode(n, raw); err != nil {
		return Inode{}, err
	}
	in, err := s.parseInode(n, raw, own)
	if err != nil {
		return in, fmt.Errorf("inode %d: %w", n, err)
	}
	return in, nil
}

// readRawInode reads the first bytes of inode n, which exists, from its place: its group's
// table, at its index there.
func (s *imageSource) readRawInode(n uint32, raw []byte) error {
	id, i := s.inodeAt(n)
	at := int64(s.groups[id].desc.InodeTable)<<s.sb.BlockBits + int64(i)*int64(s.sb.InodeSize)
	if _, err := s.r.ReadAt(raw, at); err != nil {
		return fmt.Errorf("inode %d: %w", n, err)
	}
	return nil
}

// parseInode takes over an inode and reads its mapping.
func (s *imageSource) parseInode(n uint32, b []byte, own *owners) (Inode, error) {
	in, err := s.parseFields(n, b)
	if err != nil {
		return in, err
	}
	// The mapping, then the block of attributes: all that an inode can own.
	w := &mapWalker{s: s, in: &in, own: own, left: s.sb.Blocks}
	if err := s.parseMap(w, b); err != nil {
		return in, err
	}
	if own != nil {
		if err := own.takeAttrs(&in); err != nil {
			return in, err
		}
	}
	return in, s.countSectors(w)
}

// parseFields takes over the fields of an inode.
func (s *imageSource) parseFields(n uint32, b []byte) (Inode, error) {
	in := Inode{Number: n, Mode: uint32(le.Uint16(b)), Links: uint32(le.Uint16(b[0x1a:])), Flags: le.Uint32(b[0x20:])}
	if in.Mode != 0 && !slices.Contains(fileTypes[:], in.Mode&filesystem.ModeType) {
		return in, fmt.Errorf("mode %06o is of no known type", in.Mode)
	}
	// Bytes. The upper half of the size exists for regular files, and with large_dir for
	// all.
	size := uint64(le.Uint32(b[0x04:]))
	if in.Mode&filesystem.ModeType == filesystem.ModeRegular || s.sb.Incompat&LargeDir != 0 {
		size |= uint64(le.Uint32(b[0x6c:])) << 32 // of others it is something else (i_dir_acl)
	}
	if size > maxFileBlocks<<s.sb.BlockBits {
		return in, fmt.Errorf("a size of %d bytes: a file has at most %d", size, uint64(maxFileBlocks)<<s.sb.BlockBits)
	}
	// i_blocks counts sectors of 512 bytes; with huge_file it has 48 bits, and counts file
	// system blocks in inodes that say so.
	in.Size, in.Sectors = int64(size), int64(le.Uint32(b[0x1c:]))
	if s.sb.ROCompat&HugeFile != 0 {
		in.Sectors |= int64(le.Uint16(b[0x74:])) << 32
		if in.Flags&hugeFileFlag != 0 {
			in.Sectors <<= s.sb.BlockBits - 9
		}
	}
	in.ACL = allocator.Block(le.Uint32(b[0x68:]))
	if s.sb.Incompat&Is64Bit != 0 {
		in.ACL |= allocator.Block(le.Uint16(b[0x76:])) << 32
	}
	if in.ACL >= s.sb.Blocks || in.ACL != 0 && in.ACL < s.sb.FirstDataBlock {
		return in, fmt.Errorf("the block of attributes lies at block %d, outside the device of %d blocks", in.ACL, s.sb.Blocks)
	}
	return in, nil
}

// parseMap reads the mapping of an inode, or the data that it holds itself.
func (s *imageSource) parseMap(w *mapWalker, b []byte) error {
	in, iblock := w.in, b[0x28:0x64]
	switch t := in.Mode & filesystem.ModeType; {
	case in.Flags&InlineFlag != 0:
		if s.sb.Incompat&InlineData == 0 {
			return fmt.Errorf("it is said to hold its data itself, without the inline_data feature")
		}
		return in.parseInline(b)
	case in.Number == BadBlocksInode && in.Mode == 0: // its mode is never set
	case t != filesystem.ModeDir && t != filesystem.ModeRegular && t != filesystem.ModeLink:
		return nil
	case in.Flags&ExtentsFlag != 0:
		if s.sb.Incompat&ExtentTree == 0 {
			return fmt.Errorf("it is mapped by extents, without the extent feature")
		}
		return w.root(iblock)
	case t == filesystem.ModeLink && in.Size < 60 && in.Sectors == s.aclSectors(in):
		return nil // the target is in the inode
	case in.Number == ResizeInodeNum:
		return w.resize(iblock)
	case s.sb.ClusterBits > 0:
		return fmt.Errorf("it is mapped by indirect blocks, with bigalloc")
	}
	return w.indirect(iblock)
}

// aclSectors are the sectors of the attribute block.
func (s *imageSource) aclSectors(in *Inode) int64 {
	if in.ACL == 0 {
		return 0
	}
	return s.sb.BlockSize() / 512 << s.sb.ClusterBits
}

// countSectors tells the sectors of attributes and checks that an inode counts the
// blocks that it has. Not checked are inodes that no directory names, of which the
// resize inode counts blocks of the file system's own; and with ea_inode, attributes
// in other inodes are what the count has beyond.
func (s *imageSource) countSectors(w *mapWalker) error {
	in := w.in
	in.AttrSectors = s.aclSectors(in)
	if in.Number < s.sb.FirstInode && in.Number != RootInode {
		return nil
	}
	// Data and mapping, in sectors; w counts clusters.
	tree := int64(w.data+w.meta) << (s.sb.BlockBits - 9 + s.sb.ClusterBits)
	if rest := in.Sectors - tree; s.sb.Incompat&EAInode != 0 && rest >= 0 && rest%(s.sb.BlockSize()/512) == 0 {
		in.AttrSectors = rest
	}
	if tree+in.AttrSectors != in.Sectors {
		return fmt.Errorf("it counts %d sectors, and has %d", in.Sectors, tree+in.AttrSectors)
	}
	return nil
}

// numbers lists the numbers of the inodes in use.
func (s *imageSource) numbers() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for id := range s.groups {
			first := uint32(id)*s.sb.InodesPerGroup + 1
			for from, to := range s.groups[id].inodes.used(s.sb.InodesPerGroup) {
				for i := from; i < to; i++ {
					if !yield(first + i) {
						return
					}
				}
			}
		}
	}
}

// inodes lists the inodes in use.
func (s *imageSource) inodes() iter.Seq2[Inode, error] {
	return func(yield func(Inode, error) bool) {
		for n := range s.numbers() {
			in, err := s.inode(n)
			if err == nil && in.Mode == 0 {
				continue // reserved, never made
			}
			if !yield(in, err) || err != nil {
				return
			}
		}
	}
}
