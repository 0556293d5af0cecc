package allocator

// GroupDesc is what the on-disk group descriptor says of one group.
// Counts of space are clusters.
type GroupDesc struct {
	BlockBitmap, InodeBitmap, InodeTable Block
	InodeTableBlocks                     uint32
	FreeClusters, FreeInodes, UsedDirs   uint32
	UnusedInodes                         uint32 // bg_itable_unused: inodes at the table's end never used
	BlockUninit, InodeUninit             bool   // BLOCK_UNINIT, INODE_UNINIT
}

// Source is a file system as it lies on disk at mount. It is read group by
// group on first touch, so that its cost follows what is used, and it never
// changes: the mounted file system keeps its own copies.
type Source interface {
	// Desc describes group id.
	Desc(id GroupID) GroupDesc
	// BlockBitmap sets in bits (bit i of word i/64 is cluster i, set means in
	// use) every cluster of group id that is in use, and every bit past the
	// group's last cluster. The words are zero before the call. For a
	// BLOCK_UNINIT group it gives what the kernel computes for it.
	BlockBitmap(id GroupID, bits []uint64)
	// InodeBitmap does the same for the inodes of group id: bit i is inode
	// id*InodesPerGroup+i+1.
	InodeBitmap(id GroupID, bits []uint64)
	// SystemZone reports whether any block of [b, b+n) belongs to the
	// metadata of the file system itself (superblock and descriptor copies,
	// bitmaps, inode tables, the journal), which no file may be given.
	SystemZone(b Block, n uint32) bool
}
