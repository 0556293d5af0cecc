package metrics

import (
	"bytes"
	"fmt"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/ext2"
	"mbsim/filesystem/play"
	"mbsim/workload"
)

// ext2Run performs the case on ext2, under a collector where sampled.
func ext2Run(t *testing.T, sampled bool) (state string, res *Result, fs *ext2.FS) {
	const dir = "testdata/ext2-truncates-1"
	c, err := workload.ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := readLayout(t, dir+"/before.dumpe2fs.gz")
	opt := ext2.DefaultOptions(l.Super.BlockSize())
	if err := opt.Parse(c.MountExt2); err != nil {
		t.Fatal(err)
	}
	if fs, err = ext2.Mount(l, opt); err != nil {
		t.Fatal(err)
	}
	p := play.Player{FS: fs, CPUs: 1, Task: filesystem.Task{PID: c.PIDMod}}
	var col *Collector
	if sampled {
		if col, err = New(Config{FS: fs, Policy: Reservation(fs.Allocator()), Source: l}); err != nil {
			t.Fatal(err)
		}
		p.FS = col.FileSystem()
	}
	for i := range c.Ops {
		if _, err := p.Do(&c.Ops[i]); err != nil {
			t.Fatal(err)
		}
		if sampled {
			col.Sample(int64(i) * 1e6)
		}
	}
	if sampled {
		res = col.Finish(int64(len(c.Ops)) * 1e6)
	}
	var b bytes.Buffer
	if err := play.WriteFiles(&b, fs); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "%+v %+v", fs.Allocator().Stats(), fs.Statfs())
	return b.String(), res, fs
}

// On ext2 the windows are counted, and the counters of mballoc are absent.
func TestExt2(t *testing.T) {
	plain, _, _ := ext2Run(t, false)
	state, res, fs := ext2Run(t, true)
	if plain != state {
		t.Errorf("sampling changed the run: %s", firstDifference(plain, state))
	}
	checkShape(t, res)
	s := fs.Allocator().Stats()
	for name, want := range map[string]float64{
		"rsv_reqs": float64(s.Requests), "rsv_windows_made": float64(s.WindowsMade), "rsv_windows_hit_1": float64(s.HitsAtEnd[1]),
		"rsv_blocks_per_req": float64(s.Blocks) / float64(s.Requests), "free_blocks": float64(fs.Allocator().CountFreeClusters()),
	} {
		if got, err := res.Value(name); err != nil || !same(got, want) {
			t.Errorf("%s is %v (%v), want %v", name, got, err, want)
		}
	}
	if res.Final.Has(must("mb_reqs")) || res.Final.Has(must("mb_success_share")) {
		t.Error("a counter of mballoc has a value")
	}
	if f := res.Snapshots[len(res.Snapshots)-1].Free; float64(f.Blocks) != res.Final[must("free_blocks")] {
		t.Errorf("%d free blocks in the bitmaps, %v in the descriptors", f.Blocks, res.Final[must("free_blocks")])
	}
}
