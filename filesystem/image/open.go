package image

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"

	"mbsim/allocator"
	"mbsim/internal/memory"
)

var le = binary.LittleEndian

// Open reads the image of a file system. Close the layout to close the file.
//
// It reads all that says where things are, and checks it: superblock,
// descriptors and bitmaps, with their checksums where the file system has them;
// the counts of every group against its bitmaps; every inode in use, whose blocks
// must be on the device, marked in use and nobody else's; and every directory
// from the root down, which must be a tree whose names and links agree. What is
// corrupt, cut short, or needs its journal replayed it refuses with an error of
// one line that names the place. So whoever works on a layout later finds it
// sound; inodes and directories are read again when they are asked for.
//
// It takes memory for what the image holds, whatever its superblock claims: for
// every group about 200 bytes, and up to two blocks where free space is in
// pieces; while it checks, a bit for each cluster of the groups that files lie
// in, 12 bytes for each inode in use and the names of one directory. Where that
// is more than the machine has it refuses.
func Open(path string) (*Layout, error) { return OpenAs(path, OpenOptions{}) }

// OpenOptions are how to open an image.
type OpenOptions struct {
	// Offset is where in the file the file system begins, bytes: that of a partition of a
	// disk.
	Offset int64
	// KeepOrphans leaves the inodes without a name that a crash has left, as the driver of
	// ext2 does; ext4's deletes them at mount.
	KeepOrphans bool
}

// OpenAs is Open with options. The file may be a block device, which is only read, or be
// compressed or in the format qcow2 (container.go).
func OpenAs(path string, o OpenOptions) (*Layout, error) {
	// To open a pipe would wait for somebody to write into it.
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if m := st.Mode(); !m.IsRegular() && (m&os.ModeDevice == 0 || m&os.ModeCharDevice != 0) {
		return nil, fmt.Errorf("%s: neither a file nor a block device, so no image", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	// Every error below closes the file and names it.
	l, err := openFile(f, o)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	l.src.(*imageSource).closer = f
	return l, nil
}

// openFile opens the image that a file is, or that is in it.
func openFile(f *os.File, o OpenOptions) (*Layout, error) {
	size, err := f.Seek(0, io.SeekEnd) // also right for a block device
	if err != nil {
		return nil, err
	}
	r, size, err := contained(f, size)
	if err != nil {
		return nil, err
	}
	if o.Offset < 0 || o.Offset > 0 && o.Offset >= size {
		return nil, fmt.Errorf("it ends at byte %d, before the offset %d", size, o.Offset)
	}
	return readAs(io.NewSectionReader(r, o.Offset, size-o.Offset), size-o.Offset, o)
}

// imageSource answers for an image.
type imageSource struct {
	readState
	r      io.ReaderAt
	closer io.Closer
	sums   checksums
	mmp    allocator.Block // the block of multiple-mount protection, 0 for none

	lastOrphan  uint32           // the first inode of the list of orphans, 0 for none
	errorState  bool             // the superblock says that errors were found
	keepOrphans bool             // orphans stay
	cleaned     string           // what became of orphans
	changed     map[uint32]Inode // inodes that are not as they are in the image
}

// Read reads an image of size bytes, as Open does; its errors do not name the
// image.
func Read(r io.ReaderAt, size int64) (*Layout, error) { return readAs(r, size, OpenOptions{}) }

// readAs is Read with options; the offset is the caller's matter.
func readAs(r io.ReaderAt, size int64, o OpenOptions) (*Layout, error) {
	// Each step relies on what the ones before have checked: superblock, descriptors, tables
	// that do not overlap, bitmaps, files.
	s := &imageSource{r: r, keepOrphans: o.KeepOrphans}
	l := &Layout{src: s}
	s.sb = &l.Super
	if err := s.readSuper(size); err != nil {
		return nil, err
	}
	if err := s.enoughMemory(0); err != nil {
		return nil, fmt.Errorf("superblock: %w", err)
	}
	if err := s.readDescs(); err != nil {
		return nil, err
	}
	if err := s.addTables(); err != nil {
		return nil, err
	}
	if err := s.readAllBitmaps(); err != nil {
		return nil, err
	}
	// What the kernel changes at mount comes behind what it counts before that.
	l.Notes = s.notes()
	if err := s.checkFiles(); err != nil {
		return nil, err
	}
	if err := s.readReserved(); err != nil {
		return nil, err
	}
	l.Reserved = s.files
	if s.cleaned != "" {
		l.Notes = append(l.Notes, s.cleaned)
	}
	return l, nil
}

// groupMemory is the bytes that a group takes at least once the file system is
// mounted.
const groupMemory = 200

// enoughMemory refuses a file system whose groups, with lists of free space of so
// many bytes, take more memory than there is.
func (s *imageSource) enoughMemory(lists uint64) error {
	n := uint64(s.sb.Groups())
	return memory.Check(fmt.Sprintf("a file system of %d groups of %d blocks", n, s.sb.BlocksPerGroup), int64(n*groupMemory+lists))
}

// readAllBitmaps reads the bitmaps of all groups.
func (s *imageSource) readAllBitmaps() error {
	// The memory is asked for again whenever the lists have grown by 64 MiB.
	lists, checked := uint64(0), uint64(0)
	for id := range s.groups {
		if err := s.readBitmaps(allocator.GroupID(id)); err != nil {
			return err
		}
		g := &s.groups[id]
		lists += g.blocks.size() + g.inodes.size()
		if lists-checked < 64<<20 {
			continue
		}
		if err := s.enoughMemory(lists); err != nil {
			return fmt.Errorf("group %d: %w", id, err)
		}
		checked = lists
	}
	return nil
}

// readSuper reads and checks the superblock.
func (s *imageSource) readSuper(size int64) error {
	// The superblock lies at byte 1024, whatever the block size.
	raw := make([]byte, 1024)
	if _, err := s.r.ReadAt(raw, 1024); err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("too short for a superblock (%d bytes)", size)
	} else if err != nil {
		return err
	}
	if m := le.Uint16(raw[0x38:]); m != 0xef53 {
		if err := otherContent(s.r, size); err != nil {
			return err
		}
		return fmt.Errorf("no ext2, ext3 or ext4 file system: magic number 0x%04x, want 0xef53", m)
	}
	if err := s.sb.parse(raw); err != nil {
		return fmt.Errorf("superblock: %w", err)
	}
	// The checksum is tested before the numbers are compared with each other, so that damage
	// is called by its name.
	if s.sb.ROCompat&MetadataCsum != 0 {
		if raw[0x175] != 1 {
			return fmt.Errorf("superblock: unknown checksum type %d", raw[0x175])
		}
		if got, want := crc32c(^uint32(0), raw[:0x3fc]), le.Uint32(raw[0x3fc:]); got != want {
			return fmt.Errorf("superblock: checksum 0x%08x, want 0x%08x: it is corrupt", want, got)
		}
	}
	// A journal on a device of its own has a superblock too.
	if s.sb.Incompat&JournalDev != 0 {
		return fmt.Errorf("an external journal (made by mke2fs -O journal_dev), not a file system: give the image of the file system that uses it")
	}
	// A journal with transactions makes what lies on disk old.
	if s.sb.Incompat&NeedsRecover != 0 {
		return fmt.Errorf("the journal needs recovery: mount the file system, or run e2fsck, first")
	}
	if err := s.sb.check(); err != nil {
		return fmt.Errorf("superblock: %w", err)
	}
	if need := uint64(s.sb.Blocks) << s.sb.BlockBits; uint64(size) < need {
		return fmt.Errorf("the image is cut short: %d bytes, the file system has %d", size, need)
	}
	s.sums = newChecksums(s.sb, raw)
	s.lastOrphan, s.errorState = le.Uint32(raw[0xe8:]), le.Uint16(raw[0x3a:])&2 != 0
	if s.sb.Incompat&MMP != 0 {
		s.mmp = allocator.Block(le.Uint64(raw[0x168:]))
	}
	return nil
}

// parse takes the superblock's fields over.
func (s *Superblock) parse(b []byte) error {
	// Numbers are little-endian. Offsets are those of struct ext4_super_block.
	u16 := func(o int) uint16 { return le.Uint16(b[o:]) }
	u32 := func(o int) uint32 { return le.Uint32(b[o:]) }
	// Revision 0 has fixed sizes and no features.
	s.Revision = u32(0x4c)
	s.InodeSize, s.FirstInode = 128, 11
	if s.Revision > 1 {
		return fmt.Errorf("unknown revision %d", s.Revision)
	} else if s.Revision == 1 {
		s.FirstInode, s.InodeSize = u32(0x54), u16(0x58)
		s.Compat, s.Incompat, s.ROCompat = Compat(u32(0x5c)), Incompat(u32(0x60)), ROCompat(u32(0x64))
	}
	// With 64bit, descriptors are wider and counts have upper halves.
	s.DescSize = 32
	hi := func(int) uint64 { return 0 }
	if s.Incompat&Is64Bit != 0 {
		s.DescSize = u16(0xfe)
		hi = func(o int) uint64 { return uint64(u32(o)) << 32 }
	}
	s.Blocks = allocator.Block(uint64(u32(0x04)) | hi(0x150))
	s.ReservedBlocks = allocator.Block(uint64(u32(0x08)) | hi(0x154))
	s.FreeBlocks = allocator.Block(uint64(u32(0x0c)) | hi(0x158))
	s.Inodes, s.FreeInodes, s.FirstDataBlock = u32(0), u32(0x10), allocator.Block(u32(0x14))
	// log2 of block and cluster size, less 10.
	log, clog := u32(0x18), u32(0x1c)
	if log > 6 || clog > 20 || clog < log {
		return fmt.Errorf("block size 2^(10+%d), cluster size 2^(10+%d)", log, clog)
	}
	s.BlockBits, s.ClusterBits = uint8(log)+10, uint8(clog-log)
	s.BlocksPerGroup, s.ClustersPerGroup, s.InodesPerGroup = u32(0x20), u32(0x24), u32(0x28)
	if s.ROCompat&Bigalloc == 0 && s.ClustersPerGroup != s.BlocksPerGroup {
		return fmt.Errorf("%d blocks and %d fragments a group", s.BlocksPerGroup, s.ClustersPerGroup)
	}
	s.ReservedUID, s.ReservedGID = u16(0x50), u16(0x52)
	// Bits of s_state, in the words of dumpe2fs.
	s.State = "clean"
	if u16(0x3a)&1 == 0 {
		s.State = "not clean"
	}
	if u16(0x3a)&2 != 0 {
		s.State += " with errors"
	}
	s.Errors = map[uint16]string{1: "Continue", 2: "Remount read-only", 3: "Panic"}[u16(0x3c)]
	copy(s.UUID[:], b[0x68:])
	copy(s.HashSeed[:], b[0xec:])
	s.Label, s.MountOpts = cstring(b[0x78:0x88]), cstring(b[0x200:0x240])
	s.ReservedGDT, s.JournalInode, s.HashVersion = u16(0xce), u32(0xe0), HashVersion(b[0xfc])
	s.DefaultMountOpts, s.FirstMetaBG = u32(0x100), u32(0x104)
	s.MinExtraIsize, s.WantExtraIsize, s.Flags = u16(0x15c), u16(0x15e), u32(0x160)&(FlagSignedHash|FlagUnsignedHash)
	s.RaidStride, s.RaidStripeWidth, s.LogGroupsPerFlex = u16(0x164), u32(0x170), b[0x174]
	s.Overhead, s.BackupGroups = uint64(u32(0x248)), [2]uint32{u32(0x24c), u32(0x250)}
	// Fields without their feature mean nothing.
	if s.Compat&OrphanFile != 0 {
		s.OrphanInode = u32(0x280)
	}
	if s.ROCompat&Quota != 0 {
		s.QuotaInodes = [3]uint32{u32(0x240), u32(0x244), u32(0x26c)}
	}
	if s.Compat&HasJournal == 0 {
		s.JournalInode = 0
	}
	return nil
}

func cstring(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}

// readBlock reads block b.
func (s *imageSource) readBlock(b allocator.Block) ([]byte, error) {
	buf := make([]byte, s.sb.BlockSize())
	if b >= s.sb.Blocks {
		return nil, fmt.Errorf("block %d lies outside the file system of %d blocks", b, s.sb.Blocks)
	}
	if _, err := s.r.ReadAt(buf, int64(b)<<s.sb.BlockBits); err != nil {
		return nil, fmt.Errorf("block %d cannot be read: %w", b, err)
	}
	return buf, nil
}

// descBlock is where block n of the descriptor table lies.
func (s *imageSource) descBlock(n uint32) allocator.Block {
	if s.sb.Incompat&MetaBG != 0 && n >= s.sb.FirstMetaBG {
		return s.sb.prefix(allocator.GroupID(n * s.sb.DescPerBlock())).gdt
	}
	return s.sb.prefix(0).super + 1 + allocator.Block(n)
}

// readDescs reads the descriptors of all groups. It takes memory as it finds
// sound ones, so that a superblock may claim any number of them.
func (s *imageSource) readDescs() error {
	groups := s.sb.Groups()
	per := s.sb.DescPerBlock()
	for n := range s.sb.DescBlocks() {
		raw, err := s.readBlock(s.descBlock(n))
		if err != nil {
			return fmt.Errorf("group descriptors: %w", err)
		}
		for i := uint32(0); i < per && n*per+i < uint32(groups); i++ {
			if err := s.readDesc(n*per+i, raw[i*uint32(s.sb.DescSize):][:s.sb.DescSize]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *imageSource) readDesc(id uint32, d []byte) error {
	// Offsets are those of struct ext4_group_desc. Descriptors of 64 bytes have upper halves.
	wide := len(d) >= 64
	half := func(lo, hi int) uint32 {
		n := uint32(le.Uint16(d[lo:]))
		if wide {
			n |= uint32(le.Uint16(d[hi:])) << 16
		}
		return n
	}
	block := func(lo, hi int) allocator.Block {
		n := uint64(le.Uint32(d[lo:]))
		if wide {
			n |= uint64(le.Uint32(d[hi:])) << 32
		}
		return allocator.Block(n)
	}
	var g groupState
	g.desc = allocator.GroupDesc{
		BlockBitmap: block(0, 0x20), InodeBitmap: block(4, 0x24), InodeTable: block(8, 0x28),
		InodeTableBlocks: s.sb.InodeTableBlocks(),
		FreeClusters:     half(0xc, 0x2c), FreeInodes: half(0xe, 0x2e), UsedDirs: half(0x10, 0x30),
	}
	// Flags and the count of unused inodes exist only with checksums.
	if s.sums.crc32c || s.sums.crc16 {
		if got, want := s.sums.desc(id, d), le.Uint16(d[0x1e:]); got != want {
			return fmt.Errorf("group %d: descriptor checksum 0x%04x, want 0x%04x: it is corrupt", id, want, got)
		}
		g.flags = uint8(le.Uint16(d[0x12:]) & 7)
		g.desc.UnusedInodes = half(0x1c, 0x32)
		g.desc.BlockUninit, g.desc.InodeUninit = g.flags&bgBlockUninit != 0, g.flags&bgInodeUninit != 0
	}
	if g.desc.UnusedInodes > s.sb.InodesPerGroup || g.desc.UsedDirs > s.sb.InodesPerGroup {
		return fmt.Errorf("group %d: %d unused inodes, %d directories of %d inodes", id, g.desc.UnusedInodes, g.desc.UsedDirs, s.sb.InodesPerGroup)
	}
	g.blocks.bits = d // until readBitmaps: the checksums of the bitmaps are in it
	s.groups = append(s.groups, g)
	return s.checkTables(id)
}

// readBitmaps reads the bitmaps of group id.
func (s *imageSource) readBitmaps(id allocator.GroupID) error {
	// A group that is BLOCK_UNINIT or INODE_UNINIT has no bitmap on disk worth reading.
	g := &s.groups[id]
	d := g.blocks.bits
	geo := s.sb.Geometry()
	clusters := geo.ClustersIn(id)
	if g.desc.BlockUninit {
		g.blocks = s.uninitBlocks(id, clusters)
	} else {
		bits, err := s.readBlock(g.desc.BlockBitmap)
		if err != nil {
			return fmt.Errorf("group %d: block bitmap: %w", id, err)
		}
		if !s.sums.bitmap(bits[:s.sb.ClustersPerGroup/8], d, 0x18, 0x38) {
			return fmt.Errorf("group %d: the block bitmap does not agree with its checksum: it is corrupt", id)
		}
		g.blocks = freeListOf(bits, clusters)
	}
	if g.desc.InodeUninit {
		g.inodes = freeList{runs: []uint32{0, s.sb.InodesPerGroup}}
	} else {
		bits, err := s.readBlock(g.desc.InodeBitmap)
		if err != nil {
			return fmt.Errorf("group %d: inode bitmap: %w", id, err)
		}
		if !s.sums.bitmap(bits[:(s.sb.InodesPerGroup+7)/8], d, 0x1a, 0x3a) {
			return fmt.Errorf("group %d: the inode bitmap does not agree with its checksum: it is corrupt", id)
		}
		g.inodes = freeListOf(bits, s.sb.InodesPerGroup)
	}
	// The counts of the descriptor must be those of the bitmaps.
	if n := g.blocks.count(clusters); n != g.desc.FreeClusters {
		return fmt.Errorf("group %d: the descriptor counts %d free clusters, the bitmap has %d", id, g.desc.FreeClusters, n)
	}
	if n := g.inodes.count(s.sb.InodesPerGroup); n != g.desc.FreeInodes {
		return fmt.Errorf("group %d: the descriptor counts %d free inodes, the bitmap has %d", id, g.desc.FreeInodes, n)
	}
	return s.checkStatic(id)
}

// uninitBlocks is what the kernel takes for the bitmap of a BLOCK_UNINIT group
// (ext4_init_block_bitmap): its metadata in use, the rest free.
func (s *imageSource) uninitBlocks(id allocator.GroupID, clusters uint32) freeList {
	// Runs of the group's metadata in clusters, from which the free runs follow.
	var used runSet
	start, cb := s.sb.groupStart(id), s.sb.ClusterBits
	s.static(id, func(r run) {
		used.add(run{(r.start - start) >> cb, (r.end - start + 1<<cb - 1) >> cb})
	})
	var l freeList
	at := uint32(0)
	for _, r := range used {
		if uint32(r.start) > at {
			l.runs = append(l.runs, at, uint32(r.start)-at)
		}
		at = uint32(r.end)
	}
	if at < clusters {
		l.runs = append(l.runs, at, clusters-at)
	}
	return l
}

// notes are what a user should know of the image.
func (s *imageSource) notes() (notes []string) {
	var free, inodes uint64
	for i := range s.groups {
		free += uint64(s.groups[i].desc.FreeClusters) << s.sb.ClusterBits
		inodes += uint64(s.groups[i].desc.FreeInodes)
	}
	return append(s.sb.recount(free, inodes), s.sb.stateNotes(false)...)
}

func (s *imageSource) close() error {
	if s.closer == nil {
		return nil
	}
	return s.closer.Close()
}
