// Package blockcache knows which blocks of a device are in memory, and which must be read: those
// that were used since the mount, as far as memory holds them.
//
//	c := blockcache.New(2 << 30 >> 12)
//	if !c.Use(block) { read it from the device }
//
// It holds no data, only block numbers. What is used becomes the most recent; where more than its
// limit was used, the least recent goes, in halves: the blocks used since half of the limit was
// last filled, and those used in the half before that. A block used in either is in memory. So
// between half of the limit and all of it stays, as of the kernel's lists of active and inactive
// pages. An answer depends on the order of uses alone.
//
// Blocks of metadata and of files' data share it. A block that is freed stays, as nobody asks for
// it before it is written anew.
//
// Read next: filesystem/ext4, metadata.go (which blocks of metadata an operation uses).
package blockcache
