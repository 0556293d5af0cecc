package ext4

// Who works on many inodes one after the other waits for memory at each: an inode is
// two lines of the cache. Reads that do not depend on each other take the time of one,
// so some inodes are read side by side before.

// side is how many inodes are read side by side.
const side = 16

// foresee reads the inodes of those that come next, when i is where the last ones end.
func foresee[T any](fs *FS, all []T, i int, inodeOf func(*T) *inode) {
	if i%side != 0 {
		return
	}
	for next := range all[i:min(i+side, len(all))] {
		fs.foresee(inodeOf(&all[i+next]))
	}
}

// foresee reads both lines of an inode. It changes nothing but a sum that means nothing.
func (fs *FS) foresee(in *inode) { fs.foreseen += in.Size + in.blocks }
