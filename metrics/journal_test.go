package metrics

import (
	"testing"

	"mbsim/allocator"
	"mbsim/filesystem"
)

// values checks metrics of a result.
func checkValues(t *testing.T, what string, row Row, want map[string]float64) {
	t.Helper()
	for name, v := range want {
		if got := row[must(name)]; !same(got, v) {
			t.Errorf("%s: %s is %v, want %v", what, name, got, v)
		}
	}
}

// create makes a file of n blocks, which are delayed.
func create(t *testing.T, fs filesystem.FileSystem, name string, n int64) filesystem.Handle {
	t.Helper()
	h, err := fs.Create(&filesystem.Task{}, name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Write(&filesystem.Task{}, 0, n*fs.Geometry().BlockSize()); err != nil {
		t.Fatal(err)
	}
	return h
}

// TestPromisedAndSearches: what is promised at most is that of each phase, and a small file that the
// locality group's preallocation serves needs no search.
func TestPromisedAndSearches(t *testing.T) {
	r := start(t, "testdata/small-files-1")
	c := r.watch(t, Config{})
	fs, task := c.FileSystem(), &filesystem.Task{}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// 7 and 2 blocks are promised before any is allocated.
	c.Begin("nine", true, 0)
	a := create(t, fs, "a", 7)
	b := create(t, fs, "b", 2)
	check(fs.Sync(task))
	// None is promised any more, and then 3 at a time, twice.
	c.Begin("three", true, 1e6)
	for _, name := range []string{"c", "d"} {
		h := create(t, fs, name, 3)
		check(h.Fsync(task))
		check(h.Close(task))
	}
	// Nothing is written.
	c.Begin("none", false, 2e6)
	check(a.Close(task))
	check(b.Close(task))
	res := c.Finish(3e6)
	// All four files are small: the first search preallocates for the CPU, and the others take it.
	checkValues(t, "run", res.Final, map[string]float64{"promised_blocks_max": 9, "mb_reqs": 4, "mb_searches": 1, "mb_searches_per_req": 0.25})
	checkValues(t, "measured", res.Measured, map[string]float64{"promised_blocks_max": 9, "mb_reqs": 4})
	for i, want := range []float64{9, 3, 0} {
		checkValues(t, res.Phases[i].Name, res.Phases[i].Values, map[string]float64{"promised_blocks_max": want})
	}
	if !res.Applies("promised_blocks_max") || res.Applies("latency_write_max_us") {
		t.Error("a run without time has promised blocks, and no latencies")
	}
}

// TestTransactions: each transaction counts the groups and bitmaps that it changes once.
func TestTransactions(t *testing.T) {
	r := start(t, "testdata/small-files-1")
	task := &filesystem.Task{}
	if err := r.fs.Sync(task); err != nil {
		t.Fatal(err)
	}
	c := r.watch(t, Config{})
	fs := c.FileSystem()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// The first transaction: three new inodes, and their blocks. The second converts the blocks, which
	// were unwritten until their IO was done, and changes no bitmap.
	c.Begin("make", true, 0)
	for _, name := range []string{"a", "b", "c"} {
		check(create(t, fs, name, 1).Close(task))
	}
	check(fs.Sync(task))
	inodes, blocks := map[allocator.GroupID]bool{}, map[allocator.GroupID]bool{}
	geo := r.fs.Geometry()
	for f := range r.fs.Files() {
		if f.Path != "a" && f.Path != "b" && f.Path != "c" && f.Path != "/a" && f.Path != "/b" && f.Path != "/c" {
			continue
		}
		inodes[allocator.GroupID((f.Inode-1)/geo.InodesPerGroup)] = true
		for _, e := range f.Extents {
			g, _ := geo.GroupOf(e.Physical)
			blocks[g] = true
		}
	}
	groups := map[allocator.GroupID]bool{}
	for g := range inodes {
		groups[g] = true
	}
	for g := range blocks {
		groups[g] = true
	}
	if len(inodes) == 0 || len(blocks) == 0 {
		t.Fatal("the files are not there")
	}
	// Three more: one that frees all of it, one that makes a directory, and one that changes no bitmap.
	c.Begin("remove", true, 1e6)
	for _, name := range []string{"a", "b", "c"} {
		check(fs.Unlink(task, name))
	}
	check(fs.Sync(task))
	c.Begin("rename", true, 2e6)
	check(fs.Mkdir(task, "d"))
	check(fs.Sync(task))
	check(fs.Rename(task, "d", "e"))
	check(fs.Sync(task))
	res := c.Finish(3e6)
	for i, commits := range []float64{2, 1} {
		g, b, n := float64(len(groups)), float64(len(blocks)), float64(len(inodes))
		checkValues(t, res.Phases[i].Name, res.Phases[i].Values, map[string]float64{
			"journal_commits": commits, "journal_groups": g, "journal_block_bitmaps": b, "journal_inode_bitmaps": n,
			"journal_groups_per_commit": g / commits, "journal_bitmaps_per_commit": (b + n) / commits,
		})
	}
	// The directory has an inode and a block, in one group or in two; renaming it has none.
	checkValues(t, "rename", res.Phases[2].Values, map[string]float64{"journal_commits": 2, "journal_block_bitmaps": 1, "journal_inode_bitmaps": 1, "journal_bitmaps_per_commit": 1})
}
