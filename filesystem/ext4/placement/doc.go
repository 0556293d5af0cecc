// Package placement chooses the block group of a new inode (fs/ext4/ialloc.go): Policy.Directory
// spreads the directories of the root over the device and keeps others near their parent, as Orlov's
// allocator does; Policy.File keeps files near their directory. What lies in a file later goes
// near its inode, so that this is the first decision of a layout.
//
// The package decides, and changes nothing. It asks for what it weighs through Groups: free
// inodes, directories and free clusters, of each group, of each flex group, and of the whole file
// system by counters that may be off by what the CPUs hold back. To take an inode in the
// group, or in a later one if there is none any more, and to update what Groups counts, is
// the file system's part, and so is the tunable inode_goal, which asks nobody.
//
// Units: a group is a block group, a flex group is 2^FlexBits of them and the same as a
// group without the feature flex_bg. Inode numbers count from 1. The same numbers give the
// same group: there is no chance in it. Nothing allocates memory.
//
// Read next: filesystem/ext4, ialloc.go, which takes the inode.
package placement
