// Package reservation is ext2's block allocator: bitmaps searched from a goal
// on, and a reservation window for each file that is being written.
//
// A window is a range of blocks near the file's goal that other files' windows
// do not touch. It is kept in memory only, nothing on disk knows of it, and a
// block inside it may well be in use. A file allocates inside its window; when
// the window has no free block left, or the goal moves out of it, the file gets
// another, twice as large if more than half of the last one was used. So two
// files that grow at the same time do not interleave.
//
// Allocation without a window (directories, mounts with noreservation, and
// whoever found no room for one) takes the first free block from the goal on, or
// the first free byte of the bitmap.
//
// # Units
//
// Everything counts blocks; ext2 has no clusters. Ranges are [start, start+n) in
// the interface. A Window holds its first and its last block, as the kernel's
// does, because its tests are written that way.
//
// # Invariants
//
// Windows are disjoint and sorted; the tree always holds one that covers block 0,
// so that every search finds a window at or before its goal. The free count of a
// group is the number of zero bits of its bitmap (Check recounts).
//
// # Cost
//
// Groups are described at mount; a bitmap is read when its group is first
// searched. NewBlocks allocates no memory but for a bitmap's first use.
//
// # Not modelled
//
// Quota: a claim never fails. The lock of the window tree: a try-lock that fails
// makes the kernel skip an extension. Several CPUs matter for the counter of
// free blocks only.
//
// Read next: filesystem/ext2, which chooses the goals.
package reservation
