// Package es is the extent status tree of an inode (fs/ext4/extents_status.c): a memory of
// what is known of the file's blocks, and the only record of its delayed ones. Its names are
// those that ext4_es_* functions have without that prefix.
//
// A Tree holds Ranges, each with a Status: written, unwritten, delayed or a hole. Set
// records what has become of a range, whatever was known; Cache records what the extent
// tree says, which what is known outweighs; Remove and Release forget. Lookup counts a hit
// or a miss for the statistics, Peek does not. All trees of a file system have a Shared in
// common, which holds their statistics.
//
// The delayed blocks of a bigalloc file are reserved by cluster (cluster.go). A cluster that is
// allocated or reserved already for another block needs no second reservation. If an allocated
// cluster also holds delayed blocks, a pending reservation notes that: when its allocated
// blocks are freed, the cluster becomes a reserved one. The tree only counts reservations; to
// take and to give them back is the file system's part.
//
// Units: lblk, end and the fields of a Range are blocks of the file, pblk is a block of the
// device, clu is a cluster of the file, and bits is the logarithm of the number of blocks a
// cluster, 0 without bigalloc. No block number reaches MaxBlocks. Nothing here can fail, and
// nothing allocates memory but a tree that grows.
//
// Read next: filesystem/ext4, map.go and delalloc.go, which ask the tree.
package es
