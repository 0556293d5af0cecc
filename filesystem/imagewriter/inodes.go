package imagewriter

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/image"
)

// tableBlock is the block of an inode table that is being filled.
type tableBlock struct {
	at   allocator.Block // 0 for none
	data []byte
}

// rawInode is the place of inode n in its table. It is written when another block of a table is asked
// for, and by flushTable.
func (w *writer) rawInode(n uint32) ([]byte, error) {
	id := allocator.GroupID((n - 1) / w.sb.InodesPerGroup)
	at := int64((n-1)%w.sb.InodesPerGroup) * int64(w.sb.InodeSize)
	b := w.l.Desc(id).InodeTable + allocator.Block(at>>w.sb.BlockBits)
	if b != w.table.at {
		if err := w.flushTable(); err != nil {
			return nil, err
		}
		// A block that is come back to holds what was written then.
		data := make([]byte, w.blockSize)
		if _, err := w.to.ReadAt(data, int64(b)<<w.sb.BlockBits); err != nil {
			return nil, err
		}
		w.table = tableBlock{b, data}
	}
	return w.table.data[at&(w.blockSize-1):][:w.sb.InodeSize], nil
}

// flushTable writes the block of a table that is being filled.
func (w *writer) flushTable() error {
	if w.table.at == 0 {
		return nil
	}
	err := w.put(w.table.at, w.table.data)
	w.table = tableBlock{}
	return err
}

// inodes writes all inodes in use, with what maps their blocks, and directories.
func (w *writer) inodes() error {
	if w.o.Dense && !w.patch {
		if err := w.zeroTables(); err != nil {
			return err
		}
	}
	if err := w.reserved(); err != nil {
		return err
	}
	for in, err := range w.l.Inodes() {
		if err != nil {
			return err
		}
		if err := refuseAttrs(&in); err != nil {
			return err
		}
		// What an image has and nobody mounts stays as it is there.
		unnamed := in.Number < w.sb.FirstInode && in.Number != image.RootInode || in.Number == w.sb.OrphanInode
		if unnamed && w.patch {
			continue
		}
		if err := w.inode(&in); err != nil {
			return fmt.Errorf("inode %d: %w", in.Number, err)
		}
	}
	return w.flushTable()
}

// refuseAttrs refuses an inode with extended attributes that the writer does not know.
func refuseAttrs(in *image.Inode) error {
	if in.SetAttrs == 0 {
		return nil
	}
	return refusef("inode %d has extended attributes that a script has set: they are not written to images yet", in.Number)
}

// reserved makes the inodes that the file system keeps for itself: empty, but for the times of the one of
// bad blocks. Those that hold something are written later.
func (w *writer) reserved() error {
	for n := uint32(1); n < w.sb.FirstInode && !w.patch; n++ {
		raw, err := w.rawInode(n)
		if err != nil {
			return err
		}
		if made, _ := w.seconds(0); n == image.BadBlocksInode {
			for _, at := range []int{0x08, 0x0c, 0x10} {
				le.PutUint32(raw[at:], uint32(made))
			}
		}
		w.sumInode(&file{Inode: &image.Inode{Number: n}, raw: raw, sum: w.sums.inode(n, 0)})
	}
	return nil
}

// zeroTables fills the inode tables of a target that holds something else with zeros.
func (w *writer) zeroTables() error {
	for id := range w.sb.Groups() {
		d := w.l.Desc(id)
		if err := w.zero(d.InodeTable, uint64(d.InodeTableBlocks)); err != nil {
			return err
		}
	}
	return nil
}

// file is an inode on its way to the target.
type file struct {
	*image.Inode
	raw  []byte // where it lies in its table
	sum  uint32 // the seed of its checksums
	kept bool   // the target has it already, as it was at the start
}

// inode writes one inode.
func (w *writer) inode(in *image.Inode) error {
	raw, err := w.rawInode(in.Number)
	if err != nil {
		return err
	}
	f := &file{Inode: in, raw: raw, kept: w.patch && in.Started}
	if !f.kept {
		if w.wasUsed(in.Number) { // by another file
			if err := w.dropAttrs(raw); err != nil {
				return err
			}
		}
		clear(raw)
		if in.Number >= w.sb.FirstInode {
			// A file that is made gets a generation that tells it from earlier ones of its number.
			le.PutUint32(raw[0x64:], generation(in, w.o.Seed))
		}
		if extra := w.extraSize(); extra > 0 {
			le.PutUint16(raw[0x80:], extra)
		}
	}
	f.sum = w.sums.inode(in.Number, le.Uint32(raw[0x64:]))
	w.encodeFields(f)
	// mke2fs begins lost+found in its inode, which leaves a space of attributes without any.
	if w.sb.Incompat&image.InlineData != 0 && !f.kept && in.Number == w.sb.FirstInode && in.IsDir() && !in.Times.Stamped {
		le.PutUint32(attributeSpace(raw), xattrMagic)
	}
	if err := w.encodeMap(f); err != nil {
		return err
	}
	if in.IsDir() {
		if err := w.directory(f); err != nil {
			return err
		}
	}
	if in.Number == w.sb.JournalInode {
		w.journal, w.journalMap = *in, append([]byte(nil), raw[0x28:0x64]...)
	}
	w.sumInode(f)
	return nil
}

// generation is the i_generation of a file that the run has made.
func generation(in *image.Inode, seed uint64) uint32 {
	if in.Times.Made == 0 && !in.Times.Stamped {
		return 0 // mke2fs made it
	}
	var b [4]byte
	fillRandom(b[:], seed^uint64(in.Times.Made), in.Number, 0)
	return le.Uint32(b[:])
}

// extraSize is how many bytes of fields inodes have beyond 128 (i_extra_isize).
func (w *writer) extraSize() uint16 {
	if w.sb.InodeSize <= 128 {
		return 0
	}
	return max(32, w.sb.WantExtraIsize, w.sb.MinExtraIsize)
}

// The flags of an inode that the simulator decides. All others stay as they are.
const decidedFlags = image.IndexFlag | image.TopdirFlag | image.ExtentsFlag | image.InlineFlag

// hugeFile says that i_blocks counts blocks and not sectors.
const hugeFile = 0x40000

// encodeFields puts mode, links, size, blocks, flags and times into an inode.
func (w *writer) encodeFields(f *file) {
	in, b := f.Inode, f.raw
	le.PutUint16(b[0x00:], uint16(in.Mode))
	// More links than 16 bits hold, or ext4 counts, are 1 (dir_nlink).
	links := in.Links
	if in.IsDir() && links >= 65000 {
		links = 1
	}
	le.PutUint16(b[0x1a:], uint16(links))
	le.PutUint32(b[0x04:], uint32(in.Size))
	if filesystem.IsRegular(in.Mode) || w.sb.Incompat&image.LargeDir != 0 {
		le.PutUint32(b[0x6c:], uint32(in.Size>>32))
	}
	if filesystem.IsRegular(in.Mode) && in.Size >= 1<<31 {
		w.largeFile = true
	}
	flags := le.Uint32(b[0x20:])&^decidedFlags&^uint32(hugeFile) | in.Flags&decidedFlags
	sectors := in.Sectors
	if w.sb.ROCompat&image.HugeFile != 0 {
		if sectors >= 1<<48 {
			sectors >>= w.sb.BlockBits - 9
			flags |= hugeFile
		}
		le.PutUint16(b[0x74:], uint16(sectors>>32))
	}
	le.PutUint32(b[0x1c:], uint32(sectors))
	le.PutUint32(b[0x20:], flags)
	if !f.kept {
		le.PutUint32(b[0x68:], uint32(in.ACL))
		le.PutUint16(b[0x76:], uint16(in.ACL>>32))
	}
	w.encodeTimes(f)
}

// encodeTimes puts the times of an inode into it: those that the run has set, or, of a new file
// system, that of its making.
func (w *writer) encodeTimes(f *file) {
	t := f.Times
	put := func(at, extra int, simulated int64) {
		sec, ns := w.seconds(simulated)
		le.PutUint32(f.raw[at:], uint32(sec))
		if n := len(f.raw); n > 128 && 128+int(le.Uint16(f.raw[0x80:])) >= extra+4 {
			// Two bits more of the seconds, counted from where 32 bits with a sign end.
			epoch := uint32((sec-int64(int32(sec)))>>32) & 3
			le.PutUint32(f.raw[extra:], epoch|ns<<2)
		}
	}
	if t.Stamped || !f.kept {
		put(0x0c, 0x84, t.Changed)
		put(0x10, 0x88, t.Modified)
	}
	if !f.kept {
		put(0x08, 0x8c, t.Made)
		if n := len(f.raw); n > 128 {
			sec, ns := w.seconds(t.Made)
			le.PutUint32(f.raw[0x90:], uint32(sec))
			le.PutUint32(f.raw[0x94:], uint32((sec-int64(int32(sec)))>>32)&3|ns<<2)
		}
	}
}

// sumInode puts its checksum into an inode (ext4_inode_csum).
func (w *writer) sumInode(f *file) {
	if !w.sums.on {
		return
	}
	b := f.raw
	wide := len(b) > 128 && le.Uint16(b[0x80:]) >= 4
	le.PutUint16(b[0x7c:], 0)
	if wide {
		le.PutUint16(b[0x82:], 0)
	}
	sum := crc(f.sum, b)
	le.PutUint16(b[0x7c:], uint16(sum))
	if wide {
		le.PutUint16(b[0x82:], uint16(sum>>16))
	}
}

// encodeMap puts into an inode what maps its blocks, or what it holds itself, and writes the blocks of
// the map.
func (w *writer) encodeMap(f *file) error {
	in, iblock := f.Inode, f.raw[0x28:0x64]
	mapped := len(in.Extents)+len(in.Meta) > 0
	switch t := in.Mode & filesystem.ModeType; {
	case in.Flags&image.InlineFlag != 0:
		return w.inline(f)
	case t != filesystem.ModeDir && t != filesystem.ModeRegular && t != filesystem.ModeLink:
		return nil // a device keeps its number here
	case t == filesystem.ModeLink && !mapped:
		// A short link keeps its target here. Of one of the image it is there already.
		if !f.kept {
			copy(iblock, in.Target)
		}
		return nil
	case in.Number == image.ResizeInodeNum:
		clear(iblock)
		for _, m := range in.Meta {
			le.PutUint32(iblock[4*13:], uint32(m.Block))
		}
		return nil
	case in.Flags&image.ExtentsFlag != 0:
		return w.extentTree(f)
	}
	return w.indirect(f)
}

// deleted marks the inodes of an image that the run has deleted, so that they are deleted on the disk.
func (w *writer) deleted() error {
	if !w.patch {
		return nil
	}
	start := w.l.Start()
	if start == nil {
		return nil
	}
	words := int(w.blockSize / 8)
	was, is := make([]uint64, words), make([]uint64, words)
	for id := range w.sb.Groups() {
		clear(was)
		clear(is)
		start.InodeBitmap(id, was)
		w.l.InodeBitmap(id, is)
		for i := range w.sb.InodesPerGroup {
			if was[i/64]>>(i%64)&1 == 0 || is[i/64]>>(i%64)&1 != 0 {
				continue
			}
			if err := w.deleteInode(uint32(id)*w.sb.InodesPerGroup + i + 1); err != nil {
				return err
			}
		}
	}
	return w.flushTable()
}

// deleteInode marks one inode deleted.
func (w *writer) deleteInode(n uint32) error {
	raw, err := w.rawInode(n)
	if err != nil {
		return err
	}
	if err := w.dropAttrs(raw); err != nil {
		return err
	}
	now, _ := w.seconds(w.o.Now)
	le.PutUint16(raw[0x1a:], 0)
	le.PutUint32(raw[0x14:], uint32(now))
	f := &file{Inode: &image.Inode{Number: n}, raw: raw, sum: w.sums.inode(n, le.Uint32(raw[0x64:]))}
	w.sumInode(f)
	return nil
}
