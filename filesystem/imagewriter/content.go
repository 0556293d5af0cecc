package imagewriter

import (
	"fmt"
	"math/bits"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/image"
)

// contents writes what takes the place of the data of files, file by file from the root down, as only
// directories know names.
func (w *writer) contents() error {
	if w.o.Content == Zero && !w.patch && !w.o.Dense {
		return w.links()
	}
	root, err := w.l.Inode(image.RootInode)
	if err != nil {
		return err
	}
	return w.below("", &root, make(map[uint32]bool))
}

// links writes the targets of the symbolic links that have a block of their own.
func (w *writer) links() error {
	for in, err := range w.l.Inodes() {
		if err != nil {
			return err
		}
		if in.Mode&filesystem.ModeType == filesystem.ModeLink && in.Target != "" {
			if err := w.data(&in, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// below writes the contents of all files below a directory whose path ends in a slash. seen are the
// files with several names that were met.
func (w *writer) below(path string, dir *image.Inode, seen map[uint32]bool) error {
	blocks, err := w.l.DirBlocks(dir)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		for _, e := range b.Entries {
			if e.Inode == 0 || e.Name == "." || e.Name == ".." || e.Name == "" {
				continue
			}
			in, err := w.l.Inode(e.Inode)
			if err != nil {
				return err
			}
			name := path + "/" + e.Name
			if in.IsDir() {
				if err := w.below(name, &in, seen); err != nil {
					return err
				}
				continue
			}
			if in.Links > 1 {
				if seen[in.Number] {
					continue
				}
				seen[in.Number] = true
			}
			if err := w.data(&in, name); err != nil {
				return fmt.Errorf("inode %d: %w", in.Number, err)
			}
		}
	}
	return nil
}

// data writes what takes the place of a file's data: all of it, or, where the target has the file
// already, what got other blocks since.
func (w *writer) data(in *image.Inode, path string) error {
	var had []filesystem.Extent
	if start := w.l.Start(); w.patch && in.Started && start != nil {
		was, err := start.Inode(in.Number)
		if err != nil {
			return err
		}
		had = was.Extents
	}
	// Up to the end of the file, in blocks.
	end := uint64(in.Size+w.blockSize-1) >> w.sb.BlockBits
	for _, x := range in.Extents {
		if x.Flags&filesystem.ExtentUnwritten != 0 || x.Logical >= end {
			continue
		}
		x.Len = min(x.Len, end-x.Logical)
		for _, piece := range without(x, had) {
			if err := w.run(in, path, piece); err != nil {
				return err
			}
		}
	}
	return nil
}

// without are the pieces of x that no extent of had maps to the same place, written. Both are in the
// order of the file.
func without(x filesystem.Extent, had []filesystem.Extent) (pieces []filesystem.Extent) {
	for _, h := range had {
		if h.Logical >= x.Logical+x.Len {
			break
		}
		same := h.Flags&filesystem.ExtentUnwritten == 0 && h.Physical+allocator.Block(x.Logical) == x.Physical+allocator.Block(h.Logical)
		if !same || h.Logical+h.Len <= x.Logical {
			continue
		}
		if h.Logical > x.Logical {
			n := h.Logical - x.Logical
			pieces = append(pieces, filesystem.Extent{Logical: x.Logical, Len: n, Physical: x.Physical})
		}
		done := min(x.Logical+x.Len, h.Logical+h.Len) - x.Logical
		x.Logical, x.Len, x.Physical = x.Logical+done, x.Len-done, x.Physical+allocator.Block(done)
		if x.Len == 0 {
			return pieces
		}
	}
	return append(pieces, x)
}

// runBytes is how much of a file is written at once.
const runBytes = 1 << 20

// run writes the content of one piece of a file.
func (w *writer) run(in *image.Inode, path string, x filesystem.Extent) error {
	if w.o.Content == Zero && in.Target == "" {
		return w.zero(x.Physical, x.Len)
	}
	per := uint64(max(1, runBytes/w.blockSize))
	for x.Len > 0 {
		n := min(x.Len, per)
		data := make([]byte, int64(n)*w.blockSize)
		// What is behind the end of the file is zeros.
		from := int64(x.Logical) << w.sb.BlockBits
		if used := min(int64(len(data)), in.Size-from); used > 0 {
			w.fill(data[:used], in, path, from)
		}
		if err := w.put(x.Physical, data); err != nil {
			return err
		}
		x.Logical, x.Len, x.Physical = x.Logical+n, x.Len-n, x.Physical+allocator.Block(n)
	}
	return nil
}

// fill makes the bytes of a file from an offset on, which is that of a block.
func (w *writer) fill(data []byte, in *image.Inode, path string, from int64) {
	if in.Target != "" {
		if from < int64(len(in.Target)) {
			copy(data, in.Target[from:])
		}
		return
	}
	for at := int64(0); at < int64(len(data)); at += w.blockSize {
		block := data[at:min(int64(len(data)), at+w.blockSize)]
		switch w.o.Content {
		case Random:
			fillRandom(block, w.o.Seed, in.Number, uint64(from+at)>>w.sb.BlockBits)
		case Name:
			fillName(block, in.Number, path, from+at)
		}
	}
}

// fillName fills a block with a line that names inode, offset and path, again and again. Where one line
// does not fit, it is cut.
func fillName(block []byte, number uint32, path string, offset int64) {
	line := fmt.Sprintf("inode %d offset %d %s\n", number, offset, path)
	for len(block) > 0 {
		block = block[copy(block, line):]
	}
}

// fillRandom fills a block with bytes that seed, inode and the block of the file decide (splitmix64).
func fillRandom(block []byte, seed uint64, number uint32, lblk uint64) {
	state := seed ^ bits.RotateLeft64(uint64(number)*0x9e3779b97f4a7c15, 32) ^ lblk*0xd1342543de82ef95
	for len(block) > 0 {
		state += 0x9e3779b97f4a7c15
		x := state
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		var word [8]byte
		le.PutUint64(word[:], x^x>>31)
		block = block[copy(block, word[:]):]
	}
}

// zero makes the target read as zeros in n blocks from b on.
func (w *writer) zero(b allocator.Block, n uint64) error {
	if !w.patch && !w.o.Dense {
		return nil // nothing was written there
	}
	per := uint64(max(1, runBytes/w.blockSize))
	buf := make([]byte, int64(min(per, n))*w.blockSize)
	for n > 0 {
		k := min(per, n)
		if err := w.put(b, buf[:int64(k)*w.blockSize]); err != nil {
			return err
		}
		b, n = b+allocator.Block(k), n-k
	}
	return nil
}
