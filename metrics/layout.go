package metrics

import (
	"math"
	"math/bits"

	"mbsim/filesystem"
)

// Score counts towards a layout score: Pairs blocks have a predecessor in their file, and
// Followed of these lie directly behind it on the device.
type Score struct {
	Followed, Pairs int64
	sum             float64 // sum of the files' own scores
	files           int64   // number of files that have a score
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

// quot returns a/b, NaN where b is 0.
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

// measure is LayoutOf; it also adds the lengths of the pieces to sizes, which may be nil.
//
// What counts as one piece follows filefrag of e2fsprogs (filefrag_fiemap): an extent
// continues a piece if it begins where the extent before it ends, or where it would lie if
// the hole between them were filled. So an extent that ext4 had to cut, at 32768 blocks or
// where written and unwritten blocks meet, counts once. Delayed extents have no place; they
// are left out here, although filefrag counts them.
func measure(extents []filesystem.Extent, clusterBits uint8, sizes *Bins) FileLayout {
	var f FileLayout
	var nextCluster, piece uint64
	var before *filesystem.Extent
	for i := range extents {
		e := &extents[i]
		// Data inside the inode takes no block.
		if e.Flags&filesystem.ExtentInline != 0 || e.Len == 0 {
			continue
		}
		// From blocks to clusters: an extent shares its first cluster with the extent before
		// it if both have blocks in it, and then that cluster is counted already.
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
		// Does the extent continue the piece, or begin another?
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
		// All blocks of an extent but its first follow their predecessor.
		before = e
		piece += e.Len
		f.Followed += int64(e.Len) - 1
		f.Blocks += int64(e.Len)
		f.Last = start + e.Len - 1
		if e.Flags&filesystem.ExtentUnwritten != 0 {
			f.Unwritten += int64(e.Len)
		}
	}
	// The last piece is still open.
	sizes.add(piece)
	return f
}

// add counts a file's score. A file of fewer than two blocks has none.
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

// add counts one thing of a size. Size 0, and a nil histogram, count nothing.
func (b *Bins) add(size uint64) {
	if b == nil || size == 0 {
		return
	}
	i := min(bits.Len64(size)-1, len(b)-1)
	b[i].Count++
	b[i].Sum += int64(size)
}

// Len is the number of bins up to the last that counts something.
func (b *Bins) Len() int {
	n := len(b)
	for n > 0 && b[n-1].Count == 0 {
		n--
	}
	return n
}
