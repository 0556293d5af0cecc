package metrics

import (
	"math"
	"math/bits"

	"mbsim/filesystem"
)

// Score is a layout score in the making: of so many blocks that have a
// predecessor, so many lie right behind it on the device.
type Score struct {
	Followed, Pairs int64
	sum             float64 // of the scores of files
	files           int64   // that have one
}

// Score is the share of blocks that follow their predecessor, NaN where no block
// has one.
func (s *Score) Score() float64 { return quot(s.Followed, s.Pairs) }

// Mean is the mean of the files' own scores.
func (s *Score) Mean() float64 {
	if s.files == 0 {
		return math.NaN()
	}
	return s.sum / float64(s.files)
}

func quot(a, b int64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}

// placed says whether an extent has blocks on the device.
func placed(e *filesystem.Extent) bool {
	return e.Len > 0 && e.Flags&(filesystem.ExtentDelalloc|filesystem.ExtentUnknown|filesystem.ExtentInline) == 0
}

// FileLayout is what the extents of one file come to.
type FileLayout struct {
	Extents     int64  // pieces
	Blocks      int64  // in them
	Unwritten   int64  // of these
	Delayed     int64  // blocks that have no place yet
	Followed    int64  // blocks, but for the first, that lie right behind the block before them in the file
	First, Last uint64 // where the file's first and last block lie
	Clusters    int64  // clusters that the blocks, delayed ones included, take
}

// Score is the file's layout score, NaN for a file of fewer than two blocks.
//
// Deviates from Smith and Seltzer in sparse files, which they do not treat: the
// predecessor is the block before it that has a place.
func (f *FileLayout) Score() float64 { return quot(f.Followed, max(0, f.Blocks-1)) }

// LayoutOf works out the extents of a file, which are sorted by logical block.
func LayoutOf(extents []filesystem.Extent, clusterBits uint8) FileLayout {
	return measure(extents, clusterBits, nil)
}

// measure is LayoutOf; it adds the lengths of the pieces to sizes.
//
// What a piece is follows filefrag of e2fsprogs (filefrag_fiemap): an extent goes
// on where the one before it ends, or where it would lie if the hole between them
// were filled. ext4 itself cuts extents at 32768 blocks and where written and
// unwritten blocks meet. Delayed extents, which filefrag counts, are left out.
func measure(extents []filesystem.Extent, clusterBits uint8, sizes *Bins) FileLayout {
	var f FileLayout
	var nextCluster, piece uint64
	var before *filesystem.Extent
	for i := range extents {
		e := &extents[i]
		if e.Flags&filesystem.ExtentInline != 0 || e.Len == 0 {
			continue
		}
		first, last := e.Logical>>clusterBits, (e.Logical+e.Len-1)>>clusterBits
		if first = max(first, nextCluster); first <= last {
			f.Clusters += int64(last - first + 1)
			nextCluster = last + 1
		}
		if !placed(e) {
			f.Delayed += int64(e.Len)
			continue
		}
		start := uint64(e.Physical)
		switch {
		case before == nil:
			f.Extents, f.First = 1, start
		case start == f.Last+1:
			f.Followed++
		case start == uint64(before.Physical)+e.Logical-before.Logical:
			// Filling the hole would join them: the piece goes on, but no block follows another.
		default:
			f.Extents++
			sizes.add(piece)
			piece = 0
		}
		before = e
		piece += e.Len
		f.Followed += int64(e.Len) - 1
		f.Blocks += int64(e.Len)
		f.Last = start + e.Len - 1
		if e.Flags&filesystem.ExtentUnwritten != 0 {
			f.Unwritten += int64(e.Len)
		}
	}
	sizes.add(piece)
	return f
}

// add counts a file.
func (s *Score) add(f *FileLayout) {
	if f.Blocks < 2 {
		return
	}
	s.Followed += f.Followed
	s.Pairs += f.Blocks - 1
	s.sum += f.Score()
	s.files++
}

// Bins is a histogram by powers of two: Bins[i] counts sizes of [2^i, 2^(i+1)).
type Bins [48]Bin

// Bin is one class of sizes.
type Bin struct {
	Count int64 // things of this size
	Sum   int64 // of their sizes
}

// add counts a size; none, and adding to nil, is nothing.
func (b *Bins) add(size uint64) {
	if b != nil && size > 0 {
		b.addMany(size, 1)
	}
}

// addMany counts a size above 0 n times, or takes it off if n is negative.
func (b *Bins) addMany(size uint64, n int64) {
	i := min(bits.Len64(size)-1, len(b)-1)
	b[i].Count += n
	b[i].Sum += int64(size) * n
}

// Len is the number of bins up to the last that counts something.
func (b *Bins) Len() int {
	n := len(b)
	for n > 0 && b[n-1].Count == 0 {
		n--
	}
	return n
}
