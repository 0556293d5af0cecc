package replay

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/play"
	"mbsim/workload"
)

// TestStatusTree compares what the status trees hold, and how many lookups missed
// them, with /proc/fs/ext4/DEV/es_shrinker_info at the end of recordings. The
// journal's inode is one more there: an extent, found in the tree once. Hits are
// the kernel's to within the journal's lookups and those of names.
func TestStatusTree(t *testing.T) {
	infos, err := filepath.Glob("testdata/*/5.10/es_shrinker_info.txt")
	if err != nil || len(infos) != 5 {
		t.Fatalf("%d recordings, %v", len(infos), err)
	}
	for _, name := range infos {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var want filesystem.StatusTree
		const form = "stats:\n  %d objects\n  %d reclaimable objects\n  %d/%d cache hits/misses\n  %d inodes on list\n"
		if _, err := fmt.Sscanf(string(text), form, &want.Extents, &want.Reclaimable, &want.Hits, &want.Misses, &want.Inodes); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want.Extents, want.Reclaimable, want.Misses, want.Inodes = want.Extents-1, want.Reclaimable-1, want.Misses-1, want.Inodes-1
		got := replayedTree(t, filepath.Dir(name))
		t.Logf("%s: %d hits, the kernel has %d", name, got.Hits, want.Hits)
		if got.Hits = want.Hits; got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// replayedTree are the figures after a replay.
func replayedTree(t *testing.T, recording string) filesystem.StatusTree {
	t.Helper()
	c, err := workload.ReadCase(filepath.Dir(recording))
	if err != nil {
		t.Fatal(err)
	}
	l, err := ReadLayout(recording)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mount(&Config{Kernel: "5.10", Case: c, Layout: l}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := play.Player{FS: m.fs, CPUs: c.SMP, Stat: m.appendGroups, Task: filesystem.Task{CPU: c.SMP - 1, PID: max(c.PIDMod, 0)}}
	for i := range c.Ops {
		if _, err := p.Do(&c.Ops[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.finish(&p, &Outcome{}); err != nil {
		t.Fatal(err)
	}
	return m.ext4.StatusTree()
}
