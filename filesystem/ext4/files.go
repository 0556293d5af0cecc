package ext4

import (
	"iter"
	"sort"

	"mbsim/filesystem"
)

// Files implements filesystem.FileSystem.
func (fs *FS) Files() iter.Seq[filesystem.FileInfo] {
	return func(yield func(filesystem.FileInfo) bool) {
		type entry struct {
			path string
			in   *inode
		}
		all := []entry{{".", fs.root}}
		var walk func(prefix string, dir *inode)
		walk = func(prefix string, dir *inode) {
			for d := range dir.dir.Entries() {
				in := fs.inodes.at(d.Inode)
				all = append(all, entry{prefix + d.Name, in})
				if in.isDir() {
					walk(prefix+d.Name+"/", in)
				}
			}
		}
		walk("", fs.root)
		// The recorder sorts full paths, in which the root ends without a
		// slash: it comes first.
		sort.Slice(all[1:], func(i, j int) bool { return all[1+i].path < all[1+j].path })
		for _, x := range all {
			if !yield(fs.fileInfo(x.path, x.in)) {
				return
			}
		}
	}
}

func (fs *FS) fileInfo(path string, in *inode) filesystem.FileInfo {
	return filesystem.FileInfo{
		Path:    path,
		Inode:   in.Number,
		Mode:    uint32(in.mode),
		Size:    in.Size,
		Sectors: fs.sectors(in),
		Extents: fs.fiemap(in),
	}
}

// sectors are those that stat(2) tells of: delayed blocks count, and data inside
// the inode of a file does too (ext4_file_getattr).
func (fs *FS) sectors(in *inode) int64 {
	n := (in.blocks + int64(in.reserved)<<fs.geo.ClusterBits) << (fs.geo.BlockBits - 9)
	if in.inline > 0 && in.Regular {
		n += (in.Size + 511) >> 9
	}
	return n
}

// fiemap lists the extents of a file as FIEMAP does (iomap_fiemap,
// ext4_iomap_begin_report): mapping after mapping as the status tree and the
// extent tree give them.
func (fs *FS) fiemap(in *inode) []filesystem.Extent {
	var out []filesystem.Extent
	if in.inline > 0 {
		return fs.inlineExtent(out, in)
	}
	limit := uint32(fs.maxSize(in) >> fs.geo.BlockBits)
	for b := uint32(0); b < limit; {
		m := mapping{lblk: b, len: limit - b}
		got, e := fs.mapBlocks(&fs.observerTask, in, &m, 0)
		if e != 0 {
			break
		}
		x := filesystem.Extent{Logical: uint64(b), Physical: m.pblk}
		show := true
		switch {
		case got == 0 && fs.isDelayed(in, &m):
			x.Flags = filesystem.ExtentDelalloc | filesystem.ExtentUnknown
			x.Physical = 0
		case got == 0:
			show = false
		case m.state&stateUnwritten != 0:
			x.Flags = filesystem.ExtentUnwritten
		case !in.Extents:
			x.Flags = filesystem.ExtentMerged
		}
		x.Len = uint64(m.len)
		if show {
			out = append(out, x)
		}
		b += m.len
	}
	if n := len(out); n > 0 {
		out[n-1].Flags |= filesystem.ExtentLast
	}
	return out
}

// isDelayed reports whether the hole m is a delayed range, cutting m where that
// begins or ends (ext4_iomap_is_delalloc).
func (fs *FS) isDelayed(in *inode, m *mapping) bool {
	d, ok := in.es.find(m.lblk, m.lblk+m.len-1, isDelayed)
	if !ok {
		return false
	}
	if d.lblk > m.lblk {
		m.len = d.lblk - m.lblk
		return false
	}
	m.len = d.len - (m.lblk - d.lblk)
	return true
}
