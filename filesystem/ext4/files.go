package ext4

import (
	"iter"
	"slices"
	"strings"

	"mbsim/filesystem"
)

// Files implements filesystem.FileSystem.
func (fs *FS) Files() iter.Seq[filesystem.FileInfo] { return fs.walk(fs.fiemap) }

// walk lists every file by path, with the extents that a function appends.
func (fs *FS) walk(extents func([]filesystem.Extent, *inode) []filesystem.Extent) iter.Seq[filesystem.FileInfo] {
	return func(yield func(filesystem.FileInfo) bool) {
		w := walker{fs: fs, extents: extents, yield: yield}
		_ = w.one(".", fs.root) && w.directory("", fs.root)
	}
}

// walker is one walk. The extents of a file are in buf, until the next one.
type walker struct {
	fs      *FS
	extents func([]filesystem.Extent, *inode) []filesystem.Extent
	yield   func(filesystem.FileInfo) bool
	buf     []filesystem.Extent
}

// child is an entry of a directory, or all that is below it: then its name ends
// with a slash, so that names sort as paths do.
type child struct {
	name string
	in   *inode
}

// directory lists what is below a directory.
func (w *walker) directory(prefix string, dir *inode) bool {
	children := make([]child, 0, dir.dir.Len())
	for b := range dir.dir.Blocks() {
		for s := range dir.dir.Slots(b) {
			if s.Inode == 0 || s.Name == "" || s.Name == "." || s.Name == ".." {
				continue
			}
			in := w.fs.inodes.at(s.Inode)
			children = append(children, child{s.Name, in})
			if in.isDir() {
				children = append(children, child{s.Name + "/", in})
			}
		}
	}
	slices.SortFunc(children, func(a, b child) int { return strings.Compare(a.name, b.name) })
	for _, c := range children {
		path := prefix + c.name
		more := false
		if path[len(path)-1] == '/' {
			more = w.directory(path, c.in)
		} else {
			more = w.one(path, c.in)
		}
		if !more {
			return false
		}
	}
	return true
}

// one lists a file.
func (w *walker) one(path string, in *inode) bool {
	w.buf = w.extents(w.buf[:0], in)
	return w.yield(filesystem.FileInfo{
		Path:    path,
		Inode:   in.Number,
		Mode:    uint32(in.mode),
		Size:    in.Size,
		Sectors: w.fs.sectors(in),
		Extents: w.buf,
	})
}

// sectors are those that stat(2) tells of: delayed blocks count, and data inside
// the inode of a file does too (ext4_file_getattr).
func (fs *FS) sectors(in *inode) int64 {
	n := (in.blocks + int64(in.reserved)<<fs.geo.ClusterBits) << (fs.geo.BlockBits - 9)
	if fs.isInline(in) && in.Regular {
		n += (in.Size + 511) >> 9
	}
	return n
}

// fiemap appends the extents of a file as FIEMAP does (iomap_fiemap,
// ext4_iomap_begin_report): mapping after mapping as the status tree and the
// extent tree give them.
func (fs *FS) fiemap(out []filesystem.Extent, in *inode) []filesystem.Extent {
	if fs.isInline(in) {
		return fs.inlineExtent(out, in)
	}
	limit := uint32(fs.maxSize(in) >> fs.geo.BlockBits)
	if s := in.brief.state; s != notBrief && s != briefEmpty {
		hole := uint64(limit - in.brief.n) // behind the run; it is asked for in pieces
		fs.esStats.Hits += 1 + (hole+maxMapped-1)/maxMapped
		return append(out, in.brief.fiemap())
	}
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
	d, ok := in.fileMap().es.find(m.lblk, m.lblk+m.len-1, isDelayed)
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
