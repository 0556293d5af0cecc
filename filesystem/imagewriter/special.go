package imagewriter

import (
	"encoding/binary"
	"fmt"

	"mbsim/allocator"
	"mbsim/filesystem/image"
)

// special writes what the file system's own inodes of a new file system hold: the journal, the table
// of the resize inode, and the orphan file. Those of an image stay as they are, but for an orphan file
// that names inodes.
func (w *writer) special() error {
	for _, in := range w.l.Reserved {
		var err error
		switch {
		case in.Number == w.sb.OrphanInode && w.sb.OrphanInode != 0:
			err = w.orphanFile(&in)
		case w.patch:
		case in.Number == w.sb.JournalInode && w.sb.JournalInode != 0:
			err = w.journalSuper(&in)
		case in.Number == image.ResizeInodeNum:
			err = w.resizeTable(&in)
		}
		if err != nil {
			return fmt.Errorf("inode %d: %w", in.Number, err)
		}
	}
	return nil
}

// journalSuper writes the superblock of an empty journal into its first block (journal_superblock_t,
// big-endian).
func (w *writer) journalSuper(in *image.Inode) error {
	first, ok := newMapping(in).of(0)
	if !ok {
		return fmt.Errorf("the journal has no first block")
	}
	be := binary.BigEndian
	raw := make([]byte, w.blockSize)
	be.PutUint32(raw[0x00:], 0xc03b3998) // h_magic
	be.PutUint32(raw[0x04:], 4)          // h_blocktype: a superblock of version 2
	be.PutUint32(raw[0x0c:], uint32(w.blockSize))
	blocks := uint32(in.Size >> w.sb.BlockBits)
	be.PutUint32(raw[0x10:], blocks)
	be.PutUint32(raw[0x14:], 1) // s_first
	be.PutUint32(raw[0x18:], 1) // s_sequence; s_start is 0: nothing is to be replayed
	copy(raw[0x30:], w.sb.UUID[:])
	be.PutUint32(raw[0x40:], 1) // s_nr_users
	if w.sb.Compat&image.FastCommit != 0 {
		be.PutUint32(raw[0x54:], w.l.FastCommitBlocks) // s_num_fc_blks
	}
	// The rest of the journal is what it was: nothing there has the journal's sequence.
	if w.o.Dense {
		for _, x := range in.Extents {
			if err := w.zero(x.Physical, x.Len); err != nil {
				return err
			}
		}
	}
	return w.put(first, raw)
}

// resizeTable writes the double indirect block of the resize inode and the reserved descriptor blocks
// of the first group below it, which list their copies in the other groups.
func (w *writer) resizeTable(in *image.Inode) error {
	if len(in.Meta) == 0 {
		return nil
	}
	per := uint32(w.blockSize / 4)
	first := w.sb.Prefix(0)
	backups := w.sb.BackupGroupsOf()
	table := make([]byte, w.blockSize)
	for i := range first.Reserved {
		b := first.Desc + allocator.Block(first.Blocks+i)
		le.PutUint32(table[4*((first.Blocks+i)%per):], uint32(b))
		raw := make([]byte, w.blockSize)
		for k, id := range backups {
			le.PutUint32(raw[4*k:], uint32(b)+uint32(id)*w.sb.BlocksPerGroup)
		}
		if err := w.put(b, raw); err != nil {
			return err
		}
	}
	return w.put(in.Meta[0].Block, table)
}

// orphanFile writes the blocks of an orphan file that names no inode.
func (w *writer) orphanFile(in *image.Inode) error {
	generation := uint32(0)
	if w.patch {
		raw, err := w.rawInode(in.Number)
		if err != nil {
			return err
		}
		generation = le.Uint32(raw[0x64:])
	}
	sum := w.sums.inode(in.Number, generation)
	end := w.blockSize - 8
	for _, x := range in.Extents {
		for i := range x.Len {
			b := x.Physical + allocator.Block(i)
			raw := make([]byte, w.blockSize)
			le.PutUint32(raw[end:], 0x0b10ca04)
			if w.sums.on {
				var at [8]byte
				le.PutUint64(at[:], uint64(b))
				le.PutUint32(raw[end+4:], crc(crc(sum, at[:]), raw[:end]))
			}
			if err := w.put(b, raw); err != nil {
				return err
			}
		}
	}
	return nil
}
