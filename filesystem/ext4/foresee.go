package ext4

// Who works on many inodes one after the other waits for memory at each: an inode
// is several lines of the cache. Reads that do not depend on each other take the
// time of one, so some inodes are read side by side before.

// side is how many inodes are read side by side.
const side = 16

// foresee reads inodes that will be worked on next. It changes nothing.
func (fs *FS) foresee(ins []*inode) {
	for _, in := range ins {
		fs.foreseen += in.spread()
	}
}

// spread is a sum over the inode's lines of the cache. It means nothing: it has
// them read.
func (in *inode) spread() int64 {
	return in.Size + in.blocks + int64(len(in.es.ext)) + int64(len(in.cache.runs))
}
