package ext4

import "mbsim/filesystem/dirent"

// Foresee implements filesystem.Foreseer.
func (fs *FS) Foresee(paths []string) {
	var names [32]dirent.Foresight
	for len(paths) > 0 {
		n := 0
		for ; n < len(names) && len(paths) > 0; paths = paths[1:] {
			dir, name := split(paths[0])
			if in := fs.dentries.find(dir); in != nil {
				names[n] = in.dir.Foresee(name)
				n++
			}
		}
		for i := range names[:n] {
			names[i].Slot()
		}
		for i := range names[:n] {
			if number := names[i].Inode(); number != 0 {
				fs.foreseen += fs.inodes.at(number).spread()
			}
		}
	}
}

// side is how many inodes that are to be worked on one after the other are read side
// by side before.
const side = 16

// foreseeInodes reads inodes that will be worked on next.
func (fs *FS) foreseeInodes(ins []*inode) {
	for _, in := range ins {
		fs.foreseen += in.spread()
	}
}

// spread is a sum over the inode's lines of the cache. It means nothing: it has
// them read, all at once.
func (in *inode) spread() int64 {
	return in.Size + in.blocks + in.dirtied + int64(len(in.es.ext)) + int64(in.firstES[1].len) + int64(in.firstExt[0].len)
}
