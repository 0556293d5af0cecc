// Package owners is what the checks of whole file systems share: whose every
// cluster and every inode is, compared with the bitmaps on disk.
//
// A member of a bitmap, a cluster or an inode, is the system's if it was in use
// at mount and no file had it then. So what is known is the bitmap at mount and
// now, and who owns what at mount and now. From these follows all that must hold:
//
//   - what a file owns, and what is the system's, is in use;
//   - what is in use is the one or the other, and not both;
//   - what a descriptor counts as free has changed as the bitmap has.
//
// # Units
//
// Clusters are counted inside their group, as bitmaps count them; inodes likewise,
// from 0. Ranges are [from, to).
//
// # Cost
//
// A set holds a bitmap for each group that it has members of, and only groups that
// have members or that somebody has touched are compared, a word at a time.
//
// Read next: filesystem/ext2, file check.go, which finds the owners.
package owners
