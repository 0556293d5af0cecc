// Package ext2 is what stands between the operations of processes and ext2's
// block allocator, as Linux 6.1's ext2 driver has it (not ext4's, which serves
// ext2 on most distributions and has no reservation windows).
//
// Blocks are allocated when they are written: a buffered write maps its pages
// one after the other, each block for itself (write.go), a direct one maps as
// much as it can at once (direct.go). A block's way leads over indirect blocks
// (tree.go, map.go), which are allocated together with the data they are needed
// for; the goal is the block behind the file's last, or else a place near (goal,
// in map.go), for the first block of a file one that the process's number
// colours. Regular files have a reservation window from their first allocation
// until they are closed, truncated or removed. Inodes are placed as the mount
// option says (ialloc.go): oldalloc or Orlov. Directories are linear
// (namespace.go, over package dirent).
//
// # Units
//
// A logical block is counted from the file's start, sizes and offsets are bytes,
// an inode's blocks are file-system blocks, data and indirect blocks together.
//
// # Invariants
//
// Every pointer of a tree names a block that the allocator has given out and
// that nothing else points to; an indirect block has at least one pointer; an
// inode's block count is what its tree holds. Check recounts all of it, with names,
// windows, bitmaps and counters (check.go); Mount refuses what does not hold on disk.
//
// # Not modelled
//
// File contents, the page cache (a page mapped once gives what the tree gives),
// memory-mapped writes, writeback and I/O, times, quota, extended attributes
// (an inode's attribute block outlives it), following symbolic links, several
// names of one file but those found at mount, DAX, and memory pressure on
// inodes: an inode keeps its window and its last block until it is deleted or
// the file system unmounted. Deviations from the kernel are said where they are;
// where a function names a kernel function and no deviation there is none.
//
// Read next: allocator/reservation, which answers the requests.
package ext2
