package ext2

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
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
				Path: x.path, Inode: x.in.number, Mode: x.in.mode, Size: x.in.size,
				Sectors: x.in.blocks << (fs.geo.BlockBits - 9),
			}
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
	if n := len(list); n > 0 {
		list[n-1].Flags |= filesystem.ExtentLast
	}
	return list
}

// Check walks over everything and returns what is wrong: a block that two
// pointers lead to or that is free, an inode whose count of blocks is not what
// its tree holds, an indirect block without pointers, or what the allocator finds.
func (fs *FS) Check() error {
	seen := bitmap.New(int(fs.geo.Blocks))
	for _, page := range fs.inodes {
		for _, in := range page {
			if in == nil {
				continue
			}
			n, err := fs.checkNode(&in.top, 0, seen)
			if err == nil && n+in.attrs != in.blocks {
				err = fmt.Errorf("its tree holds %d blocks, its attributes %d, it counts %d", n, in.attrs, in.blocks)
			}
			if err != nil {
				return fmt.Errorf("ext2: inode %d: %w", in.number, err)
			}
		}
	}
	return fs.alloc.Check()
}

func (fs *FS) checkNode(n *node, levels int, seen bitmap.Bits) (blocks int64, err error) {
	for slot, b := range n.ptr {
		if (n.kid != nil && n.kid[slot] != nil) != (b != 0 && (n.blk != 0 && n.kid != nil || n.blk == 0 && slot >= directSlots)) {
			return 0, fmt.Errorf("slot %d of block %d has pointer %d and another child", slot, n.blk, b)
		}
		if b == 0 {
			continue
		}
		id, off := fs.geo.GroupOf(allocator.Block(b))
		if b >= uint32(fs.geo.Blocks) || seen.Test(int(b)) || !bitmap.Bits(fs.alloc.BitmapOf(id)).Test(int(off)) {
			return 0, fmt.Errorf("slot %d of block %d points to block %d, which is free, another's, or not there", slot, n.blk, b)
		}
		seen.Set(int(b))
		blocks++
		if n.kid == nil || n.kid[slot] == nil {
			continue
		}
		kid := n.kid[slot]
		below, err := fs.checkNode(kid, levels+1, seen)
		if err != nil {
			return 0, err
		}
		if below == 0 && !kid.bare || kid.blk != allocator.Block(b) {
			return 0, fmt.Errorf("indirect block %d holds %d blocks, and is said to lie at %d", b, below, kid.blk)
		}
		blocks += below
	}
	return blocks, nil
}
