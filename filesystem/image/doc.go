// Package image is an ext4 or ext2 file system as it lies on disk before it is
// mounted: the starting state of a run. It comes from one of three sources and
// is of one type, Layout, whatever the source:
//
//   - Mkfs computes what mke2fs 1.47.0 lays out for given parameters, block for
//     block, without writing anything;
//   - ReadDumpe2fs and Dump read the text that dumpe2fs prints, plain or gzip, with or
//     without groups;
//   - Open reads a real image, packed or not (superblock, descriptors, bitmaps, inodes,
//     directories) and checks all of it.
//
// # Units
//
// Block counts and numbers are file-system blocks, sizes are bytes, sectors are
// 512 bytes. The counts of free space in a group descriptor are clusters.
// Inodes are numbered from 1.
//
// # Invariants
//
// What Open or ReadDumpe2fs accepts is sound: whoever mounts a Layout need not
// expect damage. Memory follows what an input holds and not what it claims.
//
// A Layout never changes once made and may be read by several goroutines. Its
// cost follows what is asked of it: Mkfs of a petabyte computes the descriptor
// and the bitmap of a group from rules when the group is first asked for.
//
// # Not modelled
//
// Contents of files, times, extended attributes, checksums of what Mkfs
// computes. See Mkfs, ReadDumpe2fs and Open for what each refuses.
//
// Read next: filesystem/ext4, which mounts a Layout.
package image
