package ext4

import "mbsim/internal/prefetch"

// Who works on many inodes one after the other waits for memory at each. So some of
// them are asked for before.

// side is how many inodes are asked for at a time.
const side = 16

// foresee asks for the memory of the inodes of those that come next, when i is where
// the last ones end.
func foresee[T any](all []T, i int, inodeOf func(*T) *inode) {
	if i%side != 0 {
		return
	}
	for next := range all[i:min(i+side, len(all))] {
		inodeOf(&all[i+next]).foresee()
	}
}

// foresee asks for an inode's memory, but for its largeInode.
func (in *inode) foresee() { prefetch.Pair(in) }
