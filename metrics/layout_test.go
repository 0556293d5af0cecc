package metrics

import (
	"math"
	"slices"
	"testing"

	"mbsim/allocator"
	"mbsim/filesystem"
)

// ext makes extents of {logical, length, physical} triples.
func ext(v ...uint64) []filesystem.Extent {
	var out []filesystem.Extent
	for ; len(v) > 0; v = v[3:] {
		out = append(out, filesystem.Extent{Logical: v[0], Len: v[1], Physical: allocator.Block(v[2])})
	}
	return out
}

func flagged(e []filesystem.Extent, i int, f filesystem.ExtentFlags) []filesystem.Extent {
	e[i].Flags |= f
	return e
}

var nan = math.NaN()

// same is equality that takes NaN for NaN.
func same(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-12
}

// Worked by hand: the block before each block, other than the first, is its
// predecessor if it lies right before it on the device.
func TestLayoutOf(t *testing.T) {
	for _, c := range []struct {
		name        string
		extents     []filesystem.Extent
		clusterBits uint8
		want        FileLayout
		score       float64
	}{
		{"empty", nil, 0, FileLayout{}, nan},
		{"one block", ext(0, 1, 100), 0, FileLayout{Extents: 1, Blocks: 1, First: 100, Last: 100, Clusters: 1}, nan},
		{"contiguous", ext(0, 10, 100), 0, FileLayout{Extents: 1, Blocks: 10, Followed: 9, First: 100, Last: 109, Clusters: 10}, 1},
		{"two pieces", ext(0, 5, 100, 5, 5, 200), 0, FileLayout{Extents: 2, Blocks: 10, Followed: 8, First: 100, Last: 204, Clusters: 10}, 8. / 9},
		{"cut where written meets unwritten", flagged(ext(0, 5, 100, 5, 5, 105), 1, filesystem.ExtentUnwritten), 0,
			FileLayout{Extents: 1, Blocks: 10, Unwritten: 5, Followed: 9, First: 100, Last: 109, Clusters: 10}, 1},
		{"every block elsewhere", ext(0, 1, 10, 1, 1, 20, 2, 1, 30), 0, FileLayout{Extents: 3, Blocks: 3, First: 10, Last: 30, Clusters: 3}, 0},
		{"backwards", ext(0, 1, 12, 1, 1, 11, 2, 1, 10), 0, FileLayout{Extents: 3, Blocks: 3, First: 12, Last: 10, Clusters: 3}, 0},
		{"a hole, dense on the device", ext(0, 2, 50, 8, 2, 52), 0, FileLayout{Extents: 1, Blocks: 4, Followed: 3, First: 50, Last: 53, Clusters: 4}, 1},
		{"a hole with room for it", ext(0, 2, 50, 8, 2, 58), 0, FileLayout{Extents: 1, Blocks: 4, Followed: 2, First: 50, Last: 59, Clusters: 4}, 2. / 3},
		{"a hole, then elsewhere", ext(0, 2, 50, 8, 2, 57), 0, FileLayout{Extents: 2, Blocks: 4, Followed: 2, First: 50, Last: 58, Clusters: 4}, 2. / 3},
		{"starts with a hole", ext(7, 2, 50), 0, FileLayout{Extents: 1, Blocks: 2, Followed: 1, First: 50, Last: 51, Clusters: 2}, 1},
		{"delayed between", flagged(ext(0, 2, 50, 2, 3, 0, 5, 2, 52), 1, filesystem.ExtentDelalloc|filesystem.ExtentUnknown), 0,
			FileLayout{Extents: 1, Blocks: 4, Delayed: 3, Followed: 3, First: 50, Last: 53, Clusters: 7}, 1},
		{"inline", flagged(ext(0, 1, 0), 0, filesystem.ExtentInline), 0, FileLayout{}, nan},
		{"clusters of four, the last half full", ext(0, 6, 100), 2, FileLayout{Extents: 1, Blocks: 6, Followed: 5, First: 100, Last: 105, Clusters: 2}, 1},
		{"two extents in a cluster", ext(0, 1, 100, 3, 1, 103), 2, FileLayout{Extents: 1, Blocks: 2, First: 100, Last: 103, Clusters: 1}, 0},
	} {
		got := LayoutOf(c.extents, c.clusterBits)
		if got != c.want || !same(got.Score(), c.score) {
			t.Errorf("%s: %+v score %v\nwant %+v score %v", c.name, got, got.Score(), c.want, c.score)
		}
	}
}

var geo4K = &allocator.Geometry{BlockBits: 12}

func file(path string, inode uint32, sectors int64, e ...uint64) filesystem.FileInfo {
	f := filesystem.FileInfo{Path: path, Inode: inode, Mode: filesystem.ModeRegular | 0o644, Sectors: sectors, Extents: ext(e...)}
	for _, x := range f.Extents {
		f.Size += int64(x.Len) << 12
	}
	return f
}

func directory(path string, inode uint32, blocks int64) filesystem.FileInfo {
	return filesystem.FileInfo{Path: path, Inode: inode, Mode: filesystem.ModeDir | 0o755, Sectors: 8 * blocks, Size: blocks << 12}
}

// A tree worked by hand. Read in order: d/a 100-101 110, d/b 111-112, d/c 200,
// e/f 201-204, e/g nothing, e/h 190-191.
func TestTally(t *testing.T) {
	files := []filesystem.FileInfo{
		directory(".", 2, 1), directory("d", 12, 2),
		file("d/a", 13, 24, 0, 2, 100, 2, 1, 110),
		file("d/b", 14, 16, 0, 2, 111),
		file("d/c", 15, 16, 0, 1, 200), // and a block of its extent tree
		directory("e", 16, 1),
		file("e/f", 17, 32, 0, 4, 201),
		file("e/g", 18, 0),
		file("e/h", 19, 16, 0, 2, 190),
		file("e/i", 19, 16, 0, 2, 190), // another name of e/h
	}
	files[8].Links, files[9].Links = 2, 2
	got := Tally(slices.Values(files), geo4K)
	for _, c := range []struct {
		metric string
		want   float64
	}{
		{"files", 6}, {"directories", 3}, {"file_bytes", 12 * 4096}, {"data_blocks", 12}, {"directory_blocks", 4}, {"mapping_blocks", 1},
		{"cluster_slack_blocks", 0}, {"metadata_amplification", 17. / 12},
		{"extents_per_file_mean", 6. / 5}, {"extents_per_file_p50", 1}, {"extents_per_file_p90", 2}, {"extents_per_file_p99", 2},
		{"extents_per_file_max", 2}, {"one_extent_share", 4. / 5}, {"extent_blocks_mean", 2},
		// a: 1 of 2, b: 1 of 1, f: 3 of 3, h: 1 of 1.
		{"layout_score", 6. / 7}, {"layout_score_mean", (0.5 + 1 + 1 + 1) / 4},
		// Of the 11 blocks behind the first, 6 follow in their file; b follows a, and f follows c.
		{"dynamic_layout_score", 8. / 11},
		// b begins where a ends; c is 87 blocks behind b, h 15 before the end of f.
		{"related_distance", (0 + 87 + 15) / 3.},
	} {
		i := slices.IndexFunc(treeTable, func(m treeMetric) bool { return m.Name == c.metric })
		if v := treeTable[i].get(got); !same(v, c.want) {
			t.Errorf("%s is %v, want %v", c.metric, v, c.want)
		}
	}
	if b := got.ExtentsBySize; b[0] != (Bin{2, 2}) || b[1] != (Bin{3, 6}) || b[2] != (Bin{1, 4}) || b.Len() != 3 {
		t.Errorf("pieces by size: %v", b[:4])
	}
	if b := got.FilesByExtents; b[0] != (Bin{4, 4}) || b[1] != (Bin{1, 2}) {
		t.Errorf("files by pieces: %v", b[:4])
	}
}

// With clusters, blocks of a cluster in use that hold nothing are slack, and what
// is delayed is in st_blocks but has no place.
func TestTallyClusters(t *testing.T) {
	geo := &allocator.Geometry{BlockBits: 12, ClusterBits: 2}
	f := file("a", 12, 3*4*8, 0, 5, 400) // 2 clusters, and one delayed
	f.Extents = append(f.Extents, filesystem.Extent{Logical: 8, Len: 1, Flags: filesystem.ExtentDelalloc | filesystem.ExtentUnknown})
	got := Tally(slices.Values([]filesystem.FileInfo{f}), geo)
	if got.SlackBlocks != 6 || got.MappingBlocks != 0 || got.DelayedBlocks != 1 || got.DataBlocks != 5 {
		t.Errorf("%+v", got)
	}
}

func TestEmptyTree(t *testing.T) {
	got := Tally(slices.Values([]filesystem.FileInfo{directory(".", 2, 1)}), geo4K)
	for _, m := range treeTable {
		v := m.get(got)
		if wantNaN := m.Unit != "blocks" && m.Unit != "files" && m.Unit != "directories" && m.Unit != "bytes" || m.Name == "related_distance" || m.Name == "extent_blocks_mean"; math.IsNaN(v) != wantNaN {
			t.Errorf("%s of an empty tree is %v", m.Name, v)
		}
	}
}

// Quantiles are by nearest rank: of 1..10 pieces, 90% of the files have at most 9.
func TestExtentsQuantile(t *testing.T) {
	tr := &Tree{counts: []uint32{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}}
	for _, c := range []struct {
		percent int
		want    float64
	}{{0, 1}, {10, 1}, {11, 2}, {50, 5}, {90, 9}, {91, 10}, {99, 10}, {100, 10}} {
		if v := tr.ExtentsQuantile(c.percent); v != c.want {
			t.Errorf("p%d is %v, want %v", c.percent, v, c.want)
		}
	}
}
