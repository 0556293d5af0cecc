// Package extents is the extent tree of an inode as a data structure: the part of fs/ext4/extents.c
// that needs no allocator, no journal and no clock.
//
// A Node is the root inside the inode or a block, and holds extents or indexes of further nodes. A
// Path leads from the root to an entry of a leaf: Find makes it, and from it the neighbours of a
// block are known (Left, Right, NextAllocated, Hole). Changes go by a path too. Insert and
// ExtendNeighbour put an extent in, where the leaf has room; Split and Grow make room with
// blocks that the caller has allocated. What merges, and when, the caller decides
// (MergeAround), and it records what has changed in its journal.
//
// A node that is read puts its extents into the status tree (package es), if the caller gives
// one. The kernel does so where the buffer of the node was not verified yet, so a node
// remembers whether it was (Node.Verified).
//
// Units: Lblk, lblk and Len are blocks of the file, Pblk and Blk blocks of the device. A
// logical block beyond what any file has, es.MaxBlocks, stands for none. Nothing here can fail.
//
// Read next: filesystem/ext4, extent_map.go, where requests to the allocator come from.
package extents
