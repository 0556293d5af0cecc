// Package imagewriter writes a file system to a disk: what a layout tells (package image), be it fresh
// from mkfs or the state of a run, becomes superblock, descriptors, bitmaps, inode tables, extent
// trees, indirect blocks and directories at the very blocks that the layout gives them, with
// checksums and an empty journal, so that a kernel can mount it and e2fsck finds nothing.
//
// Where the layout comes from an image, the target is a copy of that image (Copy), and Write changes
// in it only what the run has changed: owners, extended attributes, times and contents of files that
// were there stay as they are.
//
// # Units
//
// Block numbers are those of the device, sizes are bytes, times of a layout are ns of simulated
// time, to which Options.Epoch gives a date.
//
// # Invariants
//
// The same layout and options give the same bytes. A block that holds nothing but zeros is not
// written where the target holds zeros, so that holes stay holes. The superblock is written last.
// Memory follows the largest file and the number of groups (64 bytes each), not the size of the
// file system.
//
// # Not modelled
//
// Contents of files (Options.Content says what takes their place), owners, quota files: the usage
// that quota files of an image count is not brought up to date.
//
// Read next: filesystem/image, which reads what this writes.
package imagewriter
