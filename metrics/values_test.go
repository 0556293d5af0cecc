package metrics

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mbsim/filesystem"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/values anew")

// valuesFile has a line for each case in testdata and each metric that it has a value for, at
// its end and as the mean, the least and the largest over time.
const valuesFile = "testdata/values"

// TestValues performs the cases in testdata and compares every metric with what is stored, so
// that no figure changes unnoticed. That the figures are right is for the tests that compute
// them by hand, or compare them with what the kernel and e2fsprogs say. Where a change is
// meant, go test -run TestValues -rewrite stores the new ones.
func TestValues(t *testing.T) {
	dirs, err := filepath.Glob("testdata/*/ops")
	if err != nil || len(dirs) < 5 {
		t.Fatalf("%d cases, %v", len(dirs), err)
	}
	var got bytes.Buffer
	for _, ops := range dirs {
		if name := filepath.Base(filepath.Dir(ops)); !strings.HasPrefix(name, "ext2-") {
			writeValues(t, &got, name)
		}
	}
	if *rewrite {
		if err := os.WriteFile(valuesFile, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(valuesFile)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(text, got.Bytes()) {
		return
	}
	stored := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		stored[line] = true
	}
	for line := range strings.Lines(got.String()) {
		if !stored[line] {
			t.Errorf("not as stored: %s", line)
		}
		delete(stored, line)
	}
	for _, line := range slices.Sorted(maps.Keys(stored)) {
		t.Errorf("stored: %s", line)
	}
}

// writeValues performs a case, from its second third on in a measured phase.
func writeValues(t *testing.T, b *bytes.Buffer, name string) {
	r := start(t, filepath.Join("testdata", name))
	c := r.watch(t, Config{Rows: 50, Snapshots: 20})
	third := len(r.c.Ops) / 3
	c.Begin("before", false, 0)
	now := r.perform(t, r.c.Ops[:third], 0, c.Sample)
	c.Begin("measured", true, now)
	res := c.Finish(r.perform(t, r.c.Ops[third:], now, c.Sample))
	fmt.Fprintf(b, "%s rows %d, snapshots %d, columns %d of %d bands\n", name, len(res.Series.Times), len(res.Snapshots), len(res.Map.Times), res.Map.Bands())
	for id, m := range registry {
		if !res.Final.Has(ID(id)) {
			continue
		}
		fmt.Fprintf(b, "%s %s: %.9g", name, m.Name, res.Final[id])
		for _, stat := range []string{"last", "mean", "min", "max"} {
			v, err := res.Stat(m.Name, stat)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(b, " %.9g", v)
		}
		b.WriteByte('\n')
	}
}

// TestOperations: every kind of operation is counted under its own name, once, and what it
// moved, not what it was asked to.
func TestOperations(t *testing.T) {
	r := start(t, "testdata/small-files-1")
	c := r.watch(t, Config{})
	fs, task := c.FileSystem(), &filesystem.Task{}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h, err := fs.Create(task, "a")
	check(err)
	_, err = h.Write(task, 0, 10000)
	check(err)
	for range 2 {
		n, err := h.Read(task, 4000, 100000) // of which 6000 bytes are there
		check(err)
		if n != 6000 {
			t.Fatalf("%d bytes read", n)
		}
	}
	for range 3 {
		check(h.Fsync(task))
	}
	for range 4 {
		check(h.Truncate(task, 5000))
	}
	for range 5 {
		check(h.Fallocate(task, 0, 0, 20000))
	}
	check(h.Close(task))
	for i := range 6 {
		check(fs.Mkdir(task, fmt.Sprint("d", i)))
	}
	for i := range 7 {
		check(fs.Rename(task, fmt.Sprint("d0", strings.Repeat("x", i)), fmt.Sprint("d0", strings.Repeat("x", i+1))))
	}
	for i := range 5 {
		check(fs.Rmdir(task, fmt.Sprint("d", i+1)))
	}
	for range 8 {
		h, err := fs.Open(task, "a", 0)
		check(err)
		check(h.Close(task))
	}
	check(fs.Unlink(task, "a"))
	for range 10 {
		check(fs.Sync(task))
	}
	for range 11 {
		check(fs.Remount(task))
	}
	if err := fs.Unlink(task, "a"); err == nil {
		t.Error("a file was removed twice")
	}
	res := c.Finish(1)
	for name, want := range map[string]float64{
		"ops_create": 1, "ops_write": 1, "ops_read": 2, "ops_fsync": 3, "ops_truncate": 4, "ops_fallocate": 5, "ops_mkdir": 6, "ops_rename": 7,
		"ops_rmdir": 5, "ops_open": 8, "ops_close": 9, "ops_unlink": 2, "ops_sync": 10, "ops_remount": 11, "ops": 74, "ops_failed": 1,
		"bytes_written": 10000, "bytes_read": 12000,
	} {
		if got, err := res.Value(name); err != nil || got != want {
			t.Errorf("%s is %v (%v), want %v", name, got, err, want)
		}
	}
}

// TestLostBlocks: data lost before the collector came does not count.
func TestLostBlocks(t *testing.T) {
	lost := int64(3)
	c, err := New(Config{FS: start(t, "testdata/small-files-1").fs, Lost: func() int64 { return lost }})
	if err != nil {
		t.Fatal(err)
	}
	lost = 8
	if got, err := c.Finish(1).Value("lost_blocks"); err != nil || got != 5 {
		t.Errorf("%v blocks were lost (%v), want 5", got, err)
	}
}

// TestQuantilesOfExtents: each metric is the quantile of its name.
func TestQuantilesOfExtents(t *testing.T) {
	tr := &Tree{}
	for i := range 200 {
		tr.counts = append(tr.counts, uint32(i+1))
	}
	for _, m := range treeTable {
		want, ok := map[string]float64{"extents_per_file_p50": 100, "extents_per_file_p90": 180, "extents_per_file_p99": 198, "extents_per_file_max": 200}[m.Name]
		if got := m.get(tr); ok && got != want {
			t.Errorf("%s is %v, want %v", m.Name, got, want)
		}
	}
}

// TestShareOfLongPieces: a piece of 8 MiB counts as long, one of less does not.
func TestShareOfLongPieces(t *testing.T) {
	for _, m := range freeTable {
		if m.Name != "free_in_8m_share" {
			continue
		}
		f := FreeSpace{BlockSize: 4096, Blocks: 2047 + 2048 + 5000}
		f.Sizes.add(2047)
		f.Sizes.add(2048)
		f.Sizes.add(5000)
		if got, want := m.get(&f), 7048./9095.; !same(got, want) {
			t.Errorf("the share is %v, want %v", got, want)
		}
	}
}
