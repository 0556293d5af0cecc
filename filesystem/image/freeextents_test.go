package image

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pieces are the lengths of all free ranges of a layout, in clusters, those that go on in the
// next group joined.
func pieces(l *Layout) (all []uint64) {
	geo := l.Geometry()
	last := ^uint64(0)
	for id := range geo.Groups {
		bits := make([]uint64, (geo.ClustersPerGroup+63)/64)
		l.BlockBitmap(id, bits)
		for i := range geo.ClustersIn(id) {
			if bits[i/64]>>(i%64)&1 != 0 {
				continue
			}
			at := uint64(id)*uint64(geo.ClustersPerGroup) + uint64(i)
			if at != last {
				all = append(all, 0)
			}
			all[len(all)-1]++
			last = at + 1
		}
	}
	return all
}

// classes are pieces and blocks by the lengths' powers of two, as e2freefrag counts them.
func classes(lengths []uint64) (c [40][2]uint64) {
	for _, n := range lengths {
		c[log2(n)][0]++
		c[log2(n)][1] += n
	}
	return c
}

// TestFreeExtents gives the histogram of e2freefrag of a file system that was worked on,
// together with the text of dumpe2fs -h: the pieces must be those of the file system.
func TestFreeExtents(t *testing.T) {
	for _, args := range []string{"-t ext4", "-t ext4 -b 4096 -g 4096", "-t ext2 -b 1024"} {
		path, err := makeImage(t, 64<<20, strings.Fields(args)...)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, path)
		var texts [3]string
		for i, tool := range [...][]string{{"dumpe2fs", path}, {"dumpe2fs", "-h", path}, {"e2freefrag", path}} {
			if texts[i], err = e2fsprogs(t, tool[0], tool[1:]...); err != nil {
				t.Fatal(err)
			}
		}
		whole, err := ReadDumpe2fs(strings.NewReader(texts[0]), "whole")
		if err != nil {
			t.Fatal(err)
		}
		free, err := ReadFreeExtents(strings.NewReader(texts[2]), "free")
		if err != nil {
			t.Fatalf("%s: %v\n%s", args, err, texts[2])
		}
		got, err := (&Dump{Headers: true, Free: free, Seed: 1}).Read(strings.NewReader(texts[1]), "head")
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		if got.FreeClusters() != whole.FreeClusters() || classes(pieces(got)) != classes(pieces(whole)) {
			t.Errorf("%s: %d free clusters in pieces %v\nwant %d in %v\nnotes %q", args, got.FreeClusters(), classes(pieces(got)), whole.FreeClusters(), classes(pieces(whole)), got.Notes)
		}
		// The seed decides, and nothing else.
		again, err := (&Dump{Headers: true, Free: free, Seed: 1}).Read(strings.NewReader(texts[1]), "head")
		if err != nil || diff(got, again) != "" {
			t.Errorf("%s: %v, %s", args, err, diff(got, again))
		}
		other, err := (&Dump{Headers: true, Free: free, Seed: 2}).Read(strings.NewReader(texts[1]), "head")
		if err != nil || diff(got, other) == "" {
			t.Errorf("%s: %v: another seed gives the same", args, err)
		}
	}
}

// mbGroups writes mb_groups of a layout whose free ranges are taken as they are.
func mbGroups(l *Layout) (text string, byGroup [][]uint64) {
	geo := l.Geometry()
	text = "#group: free  frags first [ 2^0   2^1   2^2 ]\n"
	for id := range geo.Groups {
		bits := make([]uint64, (geo.ClustersPerGroup+63)/64)
		l.BlockBitmap(id, bits)
		var lengths []uint64
		var orders [14]int
		free := uint64(0)
		for i, n := uint32(0), geo.ClustersIn(id); i < n; {
			if bits[i/64]>>(i%64)&1 != 0 {
				i++
				continue
			}
			from := i
			for i < n && bits[i/64]>>(i%64)&1 == 0 {
				i++
			}
			// The range as chunks that are aligned, as a buddy has them.
			for at := from; at < i; {
				o := 0
				for o < 13 && at&(1<<o) == 0 && at+2<<o <= i {
					o++
				}
				orders[o]++
				at += 1 << o
			}
			lengths = append(lengths, uint64(i-from))
			free += uint64(i - from)
		}
		text += fmt.Sprintf("#%-5d: %-5d %-5d %-5d [ %s ]\n", id, free, len(lengths), 0, strings.Trim(fmt.Sprint(orders), "[]"))
		byGroup = append(byGroup, lengths)
	}
	return text, byGroup
}

// TestMbGroups gives mb_groups instead: each group must have as many free clusters and as many
// pieces as it tells.
func TestMbGroups(t *testing.T) {
	for _, name := range []string{"full-1", "bigalloc-1", "ext2-holes-1", "block-1k-full-1", "groups-small-1"} {
		text := string(gunzip(t, "testdata/"+name+".dumpe2fs.gz"))
		whole, err := ReadDumpe2fs(strings.NewReader(text), name)
		if err != nil {
			t.Fatal(err)
		}
		// A fourth of the free blocks of each group are made into holes.
		groups, want := mbGroups(whole)
		free, err := ReadFreeExtents(strings.NewReader(groups), "mb_groups")
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, groups)
		}
		head := text[:regexp.MustCompile(`(?m)^Group 0`).FindStringIndex(text)[0]]
		got, err := (&Dump{Headers: true, Free: free, Seed: 1}).Read(strings.NewReader(head), "head")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, have := mbGroups(got)
		for id := range want {
			var a, b uint64
			for _, n := range want[id] {
				a += n
			}
			for _, n := range have[id] {
				b += n
			}
			if a != b || len(want[id]) != len(have[id]) {
				t.Errorf("%s: group %d: %d free in %d pieces, want %d in %d; notes %q", name, id, b, len(have[id]), a, len(want[id]), got.Notes)
			}
		}
	}
}

func TestFreeExtentsRefused(t *testing.T) {
	const bin = "    8K...   16K-  :            12            40    3.00%\n"
	for text, want := range map[string]string{
		"":                              "f: neither the histogram of e2freefrag nor mb_groups",
		"x\n":                           "f: neither the histogram of e2freefrag nor mb_groups",
		bin:                             `f:1: the line "Blocksize:" of e2freefrag must come before its histogram`,
		"Blocksize: 1000 bytes\n":       "f:1: blocks of 1000 bytes",
		"Blocksize: 4096 bytes\n" + bin: "f:2: 12 pieces of 8K to 16K cannot have 40 blocks of 4096 bytes",
		"#0 : 10 1 0 [ 0 1 1 ]\n":       "f:1: group 0 has 10 free clusters in 1 pieces, and 2 chunks of 6 clusters",
		"#1 : 6 1 0 [ 0 1 1 ]\n":        "f:1: group 1, where group 0 should be",
		"#0 : 6 1 0 [ 0 1 1 ]\nBlocksize: 1024 bytes\n" + strings.Replace(bin, "40 ", "120", 1):                     "f: both the histogram of e2freefrag and mb_groups: want one of them",
		"Blocksize: 1024 bytes\n" + strings.Repeat("    8K...   16K-  :      99999999     899999991    3.00%\n", 2): "f:2: more than 67108864 pieces of free space",
	} {
		if _, err := ReadFreeExtents(strings.NewReader(text), "f"); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	// What does not belong to the file system.
	head := string(gunzip(t, "testdata/states/h-only.dump.gz"))
	for text, want := range map[string]string{
		"Blocksize: 4096 bytes\n    8K...   16K-  :      12    30    3.00%\n": "f is of a file system with blocks of 4096 bytes, and these have 1024",
		"#0 : 6 1 0 [ 0 1 1 ]\n#1 : 6 1 0 [ 0 1 1 ]\n":                        "f has 2 groups, and the file system 1",
	} {
		free, err := ReadFreeExtents(strings.NewReader(text), "f")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (&Dump{Headers: true, Free: free}).Read(strings.NewReader(head), "h"); err == nil || err.Error() != "h: "+want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	whole := string(gunzip(t, "testdata/full-1.dumpe2fs.gz"))
	if _, err := (&Dump{Headers: true, Free: &FreeExtents{}}).Read(strings.NewReader(whole), "h"); err == nil || !strings.Contains(err.Error(), "h: the text has groups") {
		t.Errorf("%v", err)
	}
}

// TestFreeTooMuch tells more free space than there is room: what finds none is noted.
func TestFreeTooMuch(t *testing.T) {
	head := string(gunzip(t, "testdata/states/h-only.dump.gz"))
	for text, want := range map[string]string{
		"Blocksize: 1024 bytes\n    4M...    8M-  :      1    5000  3.00%\n": "clusters that f calls free found no room",
		"Blocksize: 1024 bytes\n    2M...    4M-  :      1    3780  3.00%\n": "1 pieces found no room that is long enough, and are in several",
	} {
		free, err := ReadFreeExtents(strings.NewReader(text), "f")
		if err != nil {
			t.Fatal(err)
		}
		l, err := (&Dump{Headers: true, Free: free}).Read(strings.NewReader(head), "h")
		if err != nil || !noted(l, want) || slices.Max(pieces(l)) > 3790 {
			t.Errorf("%q: %v, notes %q", text, err, l.Notes)
		}
	}
}
