package reports

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/ext2"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/image"
	"mbsim/filesystem/play"
	"mbsim/metrics"
	"mbsim/workload"
)

// simulate performs a case of the oracle on ext4, or on ext2 where the case is
// one of ext2: the first half as a phase that ages and the second as one that is
// measured, one operation a millisecond.
func simulate(t testing.TB, dir string) *Run {
	t.Helper()
	c, err := workload.ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "before.dumpe2fs.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, err := image.ReadDumpe2fs(f, dir)
	if err != nil {
		t.Fatal(err)
	}
	mount := mountExt4
	if l.Super.Incompat&image.ExtentTree == 0 && l.Super.Compat&image.HasJournal == 0 {
		mount = mountExt2
	}
	fs, policy, err := mount(l, c)
	if err != nil {
		t.Fatal(err)
	}
	cfg := metrics.Config{FS: fs, Policy: policy, Source: l}
	if e, ok := fs.(*ext4.FS); ok {
		cfg.Look, cfg.Lost, cfg.StatusTree = e.Look, e.LostBlocks, e.StatusTree
	}
	col, err := metrics.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := play.Player{FS: col.FileSystem(), CPUs: c.SMP, Task: filesystem.Task{CPU: c.SMP - 1}}
	now := int64(0)
	col.Begin("age", false, now)
	for i := range c.Ops {
		if i == len(c.Ops)/2 {
			col.Begin("measure", true, now)
		}
		if _, err := p.Do(&c.Ops[i]); err != nil {
			t.Fatal(err)
		}
		now += 1e6
		col.Sample(now)
	}
	return &Run{
		Result: col.Finish(now),
		Manifest: Manifest{
			Version: "v0.0.0-test", Revision: "0123abcd", Go: "go1.26", Scenario: filepath.Base(dir), ScenarioDigest: "ab12", Seed: 7,
			Command: []string{"mbsim", "run", "a scenario.yaml"}, Config: []byte(`{"name": "test"}`), Fingerprint: "f00d",
		},
	}
}

func mountExt4(l *image.Layout, c *workload.Case) (filesystem.FileSystem, metrics.Policy, error) {
	opt := ext4.DefaultOptions(l.Super.BlockSize())
	opt.CPUs = c.SMP
	if err := opt.Parse(c.Mount); err != nil {
		return nil, nil, err
	}
	opt.Tunables = map[string]uint32{}
	for _, x := range c.Tunables {
		v, err := strconv.ParseUint(x.Value, 10, 32)
		if err != nil {
			return nil, nil, err
		}
		opt.Tunables[x.Name] = uint32(v)
	}
	fs, err := ext4.Mount(l, opt)
	if err != nil {
		return nil, nil, err
	}
	return fs, metrics.Mballoc(fs.Allocator()), nil
}

func mountExt2(l *image.Layout, c *workload.Case) (filesystem.FileSystem, metrics.Policy, error) {
	opt := ext2.DefaultOptions(l.Super.BlockSize())
	if err := opt.Parse(c.MountExt2); err != nil {
		return nil, nil, err
	}
	fs, err := ext2.Mount(l, opt)
	if err != nil {
		return nil, nil, err
	}
	return fs, metrics.Reservation(fs.Allocator()), nil
}

// show writes the pictures of a run to the directory that PICTURES names, to be
// looked at.
func show(t *testing.T, r *Run, s Size) {
	t.Helper()
	dir := os.Getenv("PICTURES")
	if dir == "" {
		return
	}
	for _, p := range Plots(r) {
		name := strings.Join(strings.Fields(r.Manifest.Scenario)[:1], "")
		f, err := os.Create(filepath.Join(dir, name+"-"+p.Name))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Write(f, s, PNG); err != nil {
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Each policy has pictures of its own, and the summary shows its counters only.
func TestPicturesOfPolicies(t *testing.T) {
	for dir, want := range map[string][]string{
		"small-files-1":    {"fragmentation", "free-extents", "block-map", "criteria", "preallocation", "bitmaps"},
		"ext2-truncates-1": {"fragmentation", "free-extents", "block-map", "windows"},
	} {
		r := simulate(t, "../metrics/testdata/"+dir)
		var got []string
		for _, p := range Plots(r) {
			got = append(got, p.Name)
		}
		if !equal(got, want) {
			t.Errorf("%s has %v, want %v", dir, got, want)
		}
		show(t, r, Paper)
		var b strings.Builder
		if err := Summary(&b, r, true, Text, 0); err != nil {
			t.Fatal(err)
		}
		if ext2 := want[3] == "windows"; strings.Contains(b.String(), "rsv_reqs") != ext2 || strings.Contains(b.String(), "mb_reqs") == ext2 {
			t.Errorf("%s:\n%s", dir, b.String())
		}
	}
}
