package metrics

import (
	"iter"
	"math"
	"slices"
	"strings"

	"mbsim/allocator"
	"mbsim/filesystem"
)

// Tree is what all files of a file system come to. Blocks are file-system blocks.
type Tree struct {
	Files, Directories int64
	WithBlocks         int64 // files that have blocks on the device
	OneExtent          int64 // of these, files in one piece
	Bytes              int64 // sizes of files
	Extents            int64 // pieces of files, as filefrag counts them
	DataBlocks         int64
	UnwrittenBlocks    int64
	DelayedBlocks      int64
	MappingBlocks      int64
	SlackBlocks        int64
	DirectoryBlocks    int64
	Layout             Score  // of the files
	Dynamic            Score  // of all files, one after the other
	Gaps               int64  // files before which, by name in their directory, another has blocks
	GapBlocks          uint64 // sum of the distances between the two
	FilesByExtents     Bins   // how many files are in so many pieces
	ExtentsBySize      Bins   // how many pieces of files have so many blocks

	counts []uint32 // of pieces, a file
	sorted bool
	names  int64 // that the tally went through, the second ones of files included
}

// Tally goes through the files of a file system, which come sorted by path.
func Tally(files iter.Seq[filesystem.FileInfo], geo *allocator.Geometry) *Tree {
	return new(tallier).tally(files, geo)
}

// tallier keeps what one tally may take over from the one before.
type tallier struct {
	counts []uint32
	seen   map[uint32]bool   // inodes with several names
	last   map[string]uint64 // where the last file of a directory ends
}

func (k *tallier) tally(files iter.Seq[filesystem.FileInfo], geo *allocator.Geometry) *Tree {
	t := &Tree{counts: k.counts[:0]}
	clear(k.seen)
	if k.last == nil {
		k.last, k.seen = make(map[string]uint64), make(map[uint32]bool)
	}
	clear(k.last)
	var end uint64 // of the last file with blocks
	for f := range files {
		t.names++
		// A hard link: its blocks are counted under the first name. A directory has one name, whatever
		// its links.
		if f.Links > 1 && f.Mode&filesystem.ModeType != filesystem.ModeDir && k.seenBefore(f.Inode) {
			continue
		}
		// Other types than these two have no blocks that matter here.
		switch f.Mode & filesystem.ModeType {
		case filesystem.ModeDir:
			t.Directories++
			t.DirectoryBlocks += f.Sectors >> (geo.BlockBits - 9)
		case filesystem.ModeRegular:
			// What the extents of the file come to, with the lengths of its pieces.
			l := measure(f.Extents, geo.ClusterBits, &t.ExtentsBySize)
			t.addFile(&f, &l, geo)
			if l.Blocks == 0 {
				continue
			}
			if t.WithBlocks > 1 {
				t.Dynamic.Pairs++
				if l.First == end {
					t.Dynamic.Followed++
				}
			}
			t.Dynamic.Pairs += l.Blocks - 1
			t.Dynamic.Followed += l.Followed
			end = l.Last + 1
			dir := f.Path[:max(strings.LastIndexByte(f.Path, '/'), 0)]
			if at, ok := k.last[dir]; ok {
				t.Gaps++
				t.GapBlocks += max(at, l.First) - min(at, l.First)
			}
			k.last[dir] = end
		}
	}
	k.counts = t.counts
	return t
}

// seenBefore reports whether the inode was met before in this tally, under another name, and
// notes it.
func (k *tallier) seenBefore(inode uint32) bool {
	was := k.seen[inode]
	k.seen[inode] = true
	return was
}

func (t *Tree) addFile(f *filesystem.FileInfo, l *FileLayout, geo *allocator.Geometry) {
	t.Files++
	t.Bytes += f.Size
	t.DataBlocks += l.Blocks
	t.UnwrittenBlocks += l.Unwritten
	t.DelayedBlocks += l.Delayed
	inClusters := l.Clusters << geo.ClusterBits
	t.MappingBlocks += max(0, f.Sectors>>(geo.BlockBits-9)-inClusters)
	t.SlackBlocks += inClusters - l.Blocks - l.Delayed
	if l.Blocks == 0 {
		return
	}
	t.WithBlocks++
	t.Extents += l.Extents
	if l.Extents == 1 {
		t.OneExtent++
	}
	t.Layout.add(l)
	t.FilesByExtents.add(uint64(l.Extents))
	t.counts = append(t.counts, uint32(l.Extents))
}

// ExtentsMean is the mean number of pieces of the files that have blocks.
func (t *Tree) ExtentsMean() float64 { return quot(t.Extents, t.WithBlocks) }

// OneExtentShare is the share of these files that lie in one piece.
func (t *Tree) OneExtentShare() float64 { return quot(t.OneExtent, t.WithBlocks) }

// ExtentsQuantile is the number of pieces that percent of the files with blocks
// do not exceed (nearest rank).
func (t *Tree) ExtentsQuantile(percent int) float64 {
	n := len(t.counts)
	if n == 0 {
		return math.NaN()
	}
	if !t.sorted {
		slices.Sort(t.counts)
		t.sorted = true
	}
	rank := (n*percent + 99) / 100
	return float64(t.counts[max(rank, 1)-1])
}

// RelatedDistance is the mean distance from the end of a file to the start of
// the next one in its directory.
func (t *Tree) RelatedDistance() float64 {
	if t.Gaps == 0 {
		return math.NaN()
	}
	return float64(t.GapBlocks) / float64(t.Gaps)
}

// UsedBlocks are the blocks in use by files and directories that have a place.
func (t *Tree) UsedBlocks() int64 {
	return t.DataBlocks + t.SlackBlocks + t.MappingBlocks + t.DirectoryBlocks
}
