package replay

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/filesystem"
	"mbsim/workload"
)

// TestShrinkerInfo compares es_shrinker_info.txt of recordings with a replay's: the ranges of the
// extent status trees, how many lookups missed them, how many inodes have any, and the most that one
// has. Hits lack the journal's lookups and those of names; of several inodes with the most ranges
// another may be named.
func TestShrinkerInfo(t *testing.T) {
	// What the journal's own inode adds where it has no extents, or lies in several pieces, is not
	// modelled; and what remains in turns needs them.
	journal := map[string]bool{"indirect-1": true, "bigalloc-1": true}
	races := map[string]bool{"block-1k-full-1/7.3": true}
	infos, err := filepath.Glob("testdata/*/*/es_shrinker_info.txt*")
	if err != nil || len(infos) != 105 {
		t.Fatalf("%d recordings, %v", len(infos), err)
	}
	differ := 0
	for _, name := range infos {
		dir := filepath.Dir(name)
		kernel, c := filepath.Base(dir), filepath.Dir(dir)
		text, err := readText(strings.TrimSuffix(name, ".gz"))
		if err != nil {
			t.Fatal(err)
		}
		want := readShrinkerInfo(t, name, string(text))
		got := readShrinkerInfo(t, "the replay of "+dir, replayedShrinkerInfo(t, c, kernel))
		got.Hits, got.Largest.Inode = want.Hits, want.Largest.Inode
		if got == want {
			continue
		}
		differ++
		if !journal[filepath.Base(c)] && !races[filepath.Base(c)+"/"+kernel] {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	t.Logf("%d of %d differ", differ, len(infos))
}

// readShrinkerInfo reads the text of es_shrinker_info, name in errors.
func readShrinkerInfo(t *testing.T, name, text string) (s filesystem.ShrinkerInfo) {
	t.Helper()
	const form = "stats:\n  %d objects\n  %d reclaimable objects\n  %d/%d cache hits/misses\n  %d inodes on list\n" +
		"average:\n  0 us scan time\n  0 shrunk objects\nmaximum:\n  %d inode (%d objects, %d reclaimable)\n  0 us max scan time\n"
	if _, err := fmt.Sscanf(text, form, &s.Extents, &s.Reclaimable, &s.Hits, &s.Misses, &s.Inodes, &s.Largest.Inode, &s.Largest.Extents, &s.Largest.Reclaimable); err != nil {
		t.Fatalf("%s: %v in\n%s", name, err, text)
	}
	return s
}

// replayedShrinkerInfo is es_shrinker_info after a replay of a case.
func replayedShrinkerInfo(t *testing.T, dir, kernel string) string {
	t.Helper()
	c, err := workload.ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ReadLayout(filepath.Join(dir, kernel))
	if err != nil {
		t.Fatal(err)
	}
	out, err := Run(Config{Kernel: kernel, Case: c, Layout: l})
	if err != nil {
		t.Fatal(err)
	}
	return string(out.Shrinker)
}
