package ext4

import (
	"iter"
	"slices"
	"strings"

	"mbsim/filesystem"
)

// Files implements filesystem.FileSystem.
func (fs *FS) Files() iter.Seq[filesystem.FileInfo] { return fs.walk(fs.fiemap) }

// walk lists every file and directory by path. extents appends the extents of one inode to
// a slice.
func (fs *FS) walk(extents func([]filesystem.Extent, *inode) []filesystem.Extent) iter.Seq[filesystem.FileInfo] {
	return func(yield func(filesystem.FileInfo) bool) {
		w := walker{fs: fs, extents: extents, yield: yield}
		_ = w.one(".", fs.root) && w.directory("", fs.root)
	}
}

// walker is the state of one walk. The extents of a file are in buf until the next file.
type walker struct {
	fs      *FS
	extents func([]filesystem.Extent, *inode) []filesystem.Extent
	yield   func(filesystem.FileInfo) bool
	buf     []filesystem.Extent
}

// child is an entry of a directory, or stands for everything below that entry: then its
// name ends with a slash, so that names sort as paths do.
type child struct {
	name string
	in   *inode
}

// directory lists what is below a directory. It reports false if the caller wants no more.
func (w *walker) directory(prefix string, dir *inode) bool {
	// A directory stands in the list twice: once for itself, once for what is below it.
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

// one lists one file. It reports false if the caller wants no more.
func (w *walker) one(path string, in *inode) bool {
	w.buf = w.extents(w.buf[:0], in)
	return w.yield(filesystem.FileInfo{
		Path:    path,
		Inode:   in.Number,
		Mode:    uint32(in.mode),
		Links:   in.links,
		Size:    in.Size,
		Sectors: w.fs.sectors(in),
		Extents: w.buf,
	})
}

// sectors is st_blocks, in units of 512 bytes (ext4_file_getattr). Delayed blocks count,
// and so does data inside the inode of a file.
func (fs *FS) sectors(in *inode) int64 {
	n := (in.blocks + int64(in.reserved)<<fs.geo.ClusterBits) << (fs.geo.BlockBits - 9)
	if fs.isInline(in) && in.Regular {
		n += (in.Size + 511) >> 9
	}
	return n
}

// fiemap appends the extents of a file as FIEMAP shows them (iomap_fiemap,
// ext4_iomap_begin_report): one mapping after another, as the status tree and the extent
// tree give them.
func (fs *FS) fiemap(out []filesystem.Extent, in *inode) []filesystem.Extent {
	if fs.isInline(in) {
		return fs.inlineExtent(out, in)
	}
	limit := uint32(fs.maxSize(in) >> fs.geo.BlockBits)
	// The extent tree does not know delayed blocks, which look like holes to it, so the status
	// tree is asked about each hole.
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
		// A hole is not shown.
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
	// The last one is marked (FIEMAP_EXTENT_LAST).
	if n := len(out); n > 0 {
		out[n-1].Flags |= filesystem.ExtentLast
	}
	return out
}

// isDelayed reports whether hole m begins with a delayed range, and cuts m where that ends;
// or where the first one inside it begins (ext4_iomap_is_delalloc).
func (fs *FS) isDelayed(in *inode, m *mapping) bool {
	d, ok := in.firstDelayed(m.lblk, m.lblk+m.len-1)
	if !ok {
		return false
	}
	if d.Lblk > m.lblk {
		m.len = d.Lblk - m.lblk
		return false
	}
	m.len = d.Len - (m.lblk - d.Lblk)
	return true
}
