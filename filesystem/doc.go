// Package filesystem is what the file systems of mbsim (filesystem/ext4,
// filesystem/ext2) have in common towards those who use them: the operations a
// process performs, their errors, and the layout of a file as FIEMAP shows it.
//
// Sizes and offsets are bytes; extents are in file-system blocks.
//
// Read next: filesystem/ext4, the way from a write to an allocation request.
package filesystem
