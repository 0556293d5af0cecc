// Package ext4 is what stands between the operations of processes and ext4's
// block allocator: it decides which requests the allocator sees, and when.
//
// A write reserves space and marks blocks delayed (delalloc.go, write.go);
// writeback gathers runs of dirty blocks (writeback.go) and maps them
// (map.go): over the extent tree (extent*.go, package extents) or indirect blocks
// (indirect*.go), with a goal and neighbours for the allocator. The extent
// status tree (package es) remembers what is mapped, delayed, unwritten or a hole, and the
// page cache which blocks are dirty (package pagecache). For
// most files, one run of blocks, a few bytes stand for all this (brief.go). An inode
// may hold its data itself (inline*.go). Unwritten blocks become written when their data is
// on disk; when that is depends on what the block layer holds back (plug.go).
// Inodes are placed as Orlov's allocator does (ialloc.go, package placement), directories grow
// block by block (namespace.go, over package dirent), and freed blocks come
// back when their transaction commits (commit.go, package journal). Inodes lie in memory by
// their numbers (icache.go).
//
// FS.Check counts again, slowly, what the file system keeps up to date as it goes (check*.go);
// with the build tag invariants it does so after each sync and remount. The tests perform
// random operations under it, and stories that say why a block lies where it does
// (testdata/stories), ask single rules for a decision (testdata/decisions), and compare the
// fingerprints of random scripts with stored ones (testdata/fingerprints).
//
// Units: lblk and pblk are file-system blocks, sizes and offsets are in bytes, and where
// something counts clusters or pages a comment says so. Everything is deterministic.
//
// Not modelled: file contents, quota, extended attributes, encryption, data
// journalling, online resize, memory pressure on the status tree.
//
// Read next: allocator/mballoc, which answers the requests.
package ext4
