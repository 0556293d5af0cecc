package imagewriter

import (
	"mbsim/allocator"
	"mbsim/filesystem/image"
)

// superblocks writes the copies of the superblock, and then the superblock itself.
func (w *writer) superblocks() error {
	w.encodeSuper()
	// Copies say which group they are in and are not marked clean. An image keeps its own: no kernel
	// changes them either.
	for id := allocator.GroupID(1); !w.patch && id < w.sb.Groups(); id++ {
		p := w.sb.Prefix(id)
		if !p.HasSuper {
			continue
		}
		raw := make([]byte, w.blockSize)
		copy(raw, w.raw)
		le.PutUint16(raw[0x3a:], le.Uint16(raw[0x3a:])&^1)
		le.PutUint16(raw[0x5a:], uint16(id))
		w.sumSuper(raw[:1024])
		if err := w.put(p.Super, raw); err != nil {
			return err
		}
	}
	w.sumSuper(w.raw)
	if w.o.Dense {
		if _, err := w.to.WriteAt(make([]byte, 1024), 0); err != nil {
			return err
		}
	}
	_, err := w.to.WriteAt(w.raw, 1024)
	return err
}

// sumSuper puts its checksum into a superblock.
func (w *writer) sumSuper(raw []byte) {
	if w.sums.on {
		raw[0x175] = 1
		le.PutUint32(raw[0x3fc:], crc(^uint32(0), raw[:0x3fc]))
	}
}

// encodeSuper makes the superblock.
func (w *writer) encodeSuper() {
	s, b := &w.sb, w.raw
	if w.largeFile {
		s.ROCompat |= image.LargeFile
	}
	now, _ := w.seconds(w.o.Now)
	if w.patch {
		// What the run changes: counts, and what a clean unmount leaves.
		w.encodeCounts()
		le.PutUint32(b[0xe8:], 0) // the list of orphans
		s.ROCompat &^= image.OrphanPresent
		le.PutUint32(b[0x64:], uint32(s.ROCompat))
		le.PutUint32(b[0x30:], max(le.Uint32(b[0x30:]), uint32(now)))
		return
	}
	w.encodeCounts()
	w.encodeGeometry()
	w.encodeFeatures()
	// Times: of mkfs, of the last write and of the last check.
	made, _ := w.seconds(0)
	le.PutUint32(b[0x30:], uint32(now))
	le.PutUint32(b[0x40:], uint32(made))
	le.PutUint32(b[0x108:], uint32(made))
	le.PutUint16(b[0x36:], 0xffff) // s_max_mnt_count: never checked for being mounted often
	le.PutUint16(b[0x38:], 0xef53)
	le.PutUint16(b[0x3a:], 1) // clean
	errors := map[string]uint16{"Continue": 1, "Remount read-only": 2, "Panic": 3}[s.Errors]
	le.PutUint16(b[0x3c:], max(errors, 1))
	// The journal's map is kept here too, for e2fsck.
	if s.Compat&image.HasJournal != 0 && w.journal.Number != 0 {
		le.PutUint32(b[0xe0:], s.JournalInode)
		b[0xfd] = 1 // s_jnl_backup_type
		copy(b[0x10c:], w.journalMap)
		le.PutUint32(b[0x10c+15*4:], uint32(w.journal.Size>>32))
		le.PutUint32(b[0x10c+16*4:], uint32(w.journal.Size))
	}
}

// encodeCounts puts the counts of blocks and inodes into the superblock.
func (w *writer) encodeCounts() {
	s, b := &w.sb, w.raw
	wide := s.Incompat&image.Is64Bit != 0
	block := func(lo, hi int, n allocator.Block) {
		le.PutUint32(b[lo:], uint32(n))
		if wide {
			le.PutUint32(b[hi:], uint32(n>>32))
		}
	}
	le.PutUint32(b[0x00:], s.Inodes)
	block(0x04, 0x150, s.Blocks)
	block(0x08, 0x154, s.ReservedBlocks)
	block(0x0c, 0x158, s.FreeBlocks)
	le.PutUint32(b[0x10:], s.FreeInodes)
}

// encodeGeometry puts sizes and places into the superblock of a new file system.
func (w *writer) encodeGeometry() {
	s, b := &w.sb, w.raw
	le.PutUint32(b[0x14:], uint32(s.FirstDataBlock))
	le.PutUint32(b[0x18:], uint32(s.BlockBits)-10)
	le.PutUint32(b[0x1c:], uint32(s.BlockBits+s.ClusterBits)-10)
	le.PutUint32(b[0x20:], s.BlocksPerGroup)
	le.PutUint32(b[0x24:], s.ClustersPerGroup)
	le.PutUint32(b[0x28:], s.InodesPerGroup)
	le.PutUint32(b[0x4c:], 1) // revision
	le.PutUint16(b[0x50:], s.ReservedUID)
	le.PutUint16(b[0x52:], s.ReservedGID)
	le.PutUint32(b[0x54:], s.FirstInode)
	le.PutUint16(b[0x58:], s.InodeSize)
	le.PutUint16(b[0xce:], s.ReservedGDT)
	if s.Incompat&image.Is64Bit != 0 {
		le.PutUint16(b[0xfe:], s.DescSize)
	}
	le.PutUint32(b[0x104:], s.FirstMetaBG)
	le.PutUint16(b[0x15c:], s.MinExtraIsize)
	le.PutUint16(b[0x15e:], s.WantExtraIsize)
	le.PutUint16(b[0x164:], s.RaidStride)
	le.PutUint32(b[0x170:], s.RaidStripeWidth)
	b[0x174] = s.LogGroupsPerFlex
	le.PutUint32(b[0x248:], uint32(s.Overhead))
	le.PutUint32(b[0x24c:], s.BackupGroups[0])
	le.PutUint32(b[0x250:], s.BackupGroups[1])
	le.PutUint32(b[0x280:], s.OrphanInode)
}

// encodeFeatures puts features, names and defaults into the superblock of a new file system.
func (w *writer) encodeFeatures() {
	s, b := &w.sb, w.raw
	le.PutUint32(b[0x5c:], uint32(s.Compat))
	le.PutUint32(b[0x60:], uint32(s.Incompat))
	le.PutUint32(b[0x64:], uint32(s.ROCompat))
	copy(b[0x68:], s.UUID[:])
	copy(b[0x78:0x88], s.Label)
	copy(b[0xec:], s.HashSeed[:])
	b[0xfc] = uint8(s.HashVersion)
	le.PutUint32(b[0x100:], s.DefaultMountOpts)
	le.PutUint32(b[0x160:], s.Flags)
	copy(b[0x200:0x240], s.MountOpts)
}
