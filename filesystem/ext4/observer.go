package ext4

// Observer is told of what the file system decides above the allocator.
type Observer interface {
	// InodeAllocated: a file or directory got inode number.
	InodeAllocated(number, parent, mode uint32)
	// WritePagesExtent: writeback asks for the place of n blocks of an inode.
	WritePagesExtent(number, lblk, n uint32)
	// Commit: transaction tid commits.
	Commit(tid uint64)
}
