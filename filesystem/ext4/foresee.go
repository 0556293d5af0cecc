package ext4

import "mbsim/internal/prefetch"

// Who works on many inodes one after the other waits for memory at each. So some of
// them are asked for before.

// side is how many inodes are asked for at a time.
const side = 16

// foresee asks for the memory of inodes that will be worked on next.
func foresee(ins []*inode) {
	for _, in := range ins {
		in.foresee()
	}
}

// foresee asks for an inode's memory, but for its largeInode.
func (in *inode) foresee() { prefetch.Pair(in) }
