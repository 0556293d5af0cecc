package ext2

import (
	"cmp"
	"iter"
	"slices"

	"mbsim/filesystem"
)

// named is an inode and a path that leads to it.
type named struct {
	path string
	in   *inode
}

// all lists every name, the root first, then by path as the recorder sorts them.
func (fs *FS) all() []named {
	list := []named{{".", fs.root}}
	// Depth first, since a path is built from the one above; the sort brings the order.
	var below func(prefix string, dir *inode)
	below = func(prefix string, dir *inode) {
		for e := range dir.dir.Entries() {
			in := *fs.inodeAt(e.Inode)
			list = append(list, named{prefix + e.Name, in})
			if in.isDir() {
				below(prefix+e.Name+"/", in)
			}
		}
	}
	below("", fs.root)
	slices.SortFunc(list[1:], func(a, b named) int { return cmp.Compare(a.path, b.path) })
	return list
}

// Files implements filesystem.FileSystem.
func (fs *FS) Files() iter.Seq[filesystem.FileInfo] {
	return func(yield func(filesystem.FileInfo) bool) {
		for _, x := range fs.all() {
			f := filesystem.FileInfo{
				Path: x.path, Inode: x.in.number, Mode: x.in.mode, Links: x.in.links, Size: x.in.size,
				Sectors: x.in.blocks << (fs.geo.BlockBits - 9),
			}
			// The recorder's FIEMAP ioctl fails on everything but regular files.
			if x.in.isFile() {
				f.Extents = fs.fiemap(x.in)
			} else {
				f.FiemapErrno = filesystem.EOPNOTSUPP
			}
			if !yield(f) {
				return
			}
		}
	}
}

// fiemap lists the extents of a file as FIEMAP does (ext2_fiemap,
// iomap_fiemap): one for each mapping, so that an extent ends where an array of
// pointers does, up to the file's size.
func (fs *FS) fiemap(in *inode) []filesystem.Extent {
	var list []filesystem.Extent
	// In blocks, the last one rounded up. Each mapping becomes an extent of its own, even if
	// the next one begins where it ends: iomap does not merge them.
	end := uint64(in.size+fs.geo.BlockSize()-1) >> fs.geo.BlockBits
	for b := uint64(0); b < end; {
		m, e := fs.mapBlocks(nil, in, uint32(b), uint32(end-b), false)
		if e != 0 {
			break
		}
		if m.n > 0 {
			list = append(list, filesystem.Extent{
				Logical: b, Len: uint64(m.n), Physical: m.start, Flags: filesystem.ExtentMerged,
			})
		}
		b += uint64(m.n) + m.hole
	}
	// FIEMAP marks the last extent of the file.
	if n := len(list); n > 0 {
		list[n-1].Flags |= filesystem.ExtentLast
	}
	return list
}
