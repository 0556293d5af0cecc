package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mbsim/metrics"
	"mbsim/reports"
	"mbsim/scenarios"
)

func TestRunNames(t *testing.T) {
	for _, c := range []struct{ dirs, given, want []string }{
		{[]string{"out/a", "out/b/"}, nil, []string{"a", "b"}},
		{[]string{"x/a", "y/a"}, nil, []string{"x/a", "y/a"}},
		{[]string{"x/a", "y/a"}, []string{"first"}, []string{"first", "a"}},
		{[]string{"a", "a"}, nil, []string{"1 a", "2 a"}},
	} {
		if got := runNames(c.dirs, c.given); !slices.Equal(got, c.want) {
			t.Errorf("%q %q: %q, want %q", c.dirs, c.given, got, c.want)
		}
	}
}

// The pictures of several runs have names of their own, whatever the runs are
// called.
func TestPictureNames(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "s.yaml")
	if err := os.WriteFile(name, []byte(showScenario), 0o666); err != nil {
		t.Fatal(err)
	}
	mbsim(t, "run", name, "-q", "--no-plots", "-o", filepath.Join(dir, "out"), "--set", "stop.operations=50")
	r, err := reports.Load(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := new(reportFlags).pictures(&reports.Page{Runs: []*reports.Run{r, r}, Names: []string{"../b c", "d/e=1"}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	if len(names) != 24 || !slices.Contains(names, "_b_c-block-map.png") || !slices.Contains(names, "d_e=1-block-map-slide.png") {
		t.Errorf("%q", names)
	}
}

// The settings that are not the default are those that a scenario changes.
func TestChangedSettings(t *testing.T) {
	parse := func(text string) json.RawMessage {
		s, err := scenarios.Parse([]byte(text), "x.yaml", scenarios.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s.ResolvedJSON()
	}
	const plain = "device: {mkfs: {size: 1G}}\nworkload: {script: \"sync\\nsync\\n\"}\nseed: 7\n"
	if got := changedSettings(parse(plain)); got != nil {
		t.Errorf("nothing is changed: %v", got)
	}
	got := fmt.Sprint(changedSettings(parse("device: {mkfs: {size: 1G, block_size: 1K}}\nworkload: {script: \"sync\\nsync\\n\"}\n" +
		"cpus: 4\nmount: nodelalloc\ntunables: {s_mb_order2_reqs: 5, s_mb_min_to_scan: 10}\nmemory: {dirty_expire: 3s}\nstop: {time: 9s}\n")))
	want := "[{device.mkfs.block_size 1024 as mke2fs chooses} {mount nodelalloc the kernel's defaults} {tunables.s_mb_order2_reqs 5 2} {cpus 4 1} {memory.dirty_expire 3s 30s} {stop.time 9s never}]"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := changedSettings(nil); got != nil {
		t.Errorf("of no scenario: %v", got)
	}
}

// A page of the five scenarios stays below 2 MB whatever they have: the data of a
// run is bounded, here by one with as many rows, bands and samples as there can be.
func TestPageSizeIsBounded(t *testing.T) {
	row := func(x float64) metrics.Row {
		r := metrics.NewRow()
		for id, m := range metrics.List() {
			if r[id] = math.Floor(x * 1e6 * float64(id)); m.Kind != metrics.Counter {
				r[id] = math.Sin(x*float64(id)) * 1e3
			}
		}
		return r
	}
	res := &metrics.Result{End: 1e12, BlockSize: 4096, ClusterBlocks: 1, Blocks: 1 << 30, Groups: 1 << 15, Final: row(1), Series: &metrics.Series{},
		Map: &metrics.BlockMap{Groups: 1 << 15, PerBand: 64}}
	for i := range 400 {
		t := int64(i) * 2_500_000_000
		res.Series.Times, res.Series.Rows = append(res.Series.Times, t), append(res.Series.Rows, row(float64(i)/400))
		if i < 240 {
			used := make([]float32, 512)
			for b := range used {
				used[b] = float32(b*i%1000) / 1000
			}
			res.Map.Times, res.Map.Used = append(res.Map.Times, t), append(res.Map.Used, used)
		}
		if i < 60 {
			s := &metrics.Snapshot{Time: t}
			for k := range 30 {
				s.Free.Sizes[k], s.FilesByExtents[k], s.ExtentsBySize[k] = metrics.Bin{Count: 1e6, Sum: 1e9}, metrics.Bin{Count: 1e6, Sum: 1e9}, metrics.Bin{Count: 1e6, Sum: 1e9}
			}
			res.Snapshots = append(res.Snapshots, s)
		}
	}
	var size counter
	if err := (&reports.Page{Runs: []*reports.Run{{Result: res}}}).Write(&size); err != nil {
		t.Fatal(err)
	}
	if size > 2<<20 {
		t.Errorf("%d bytes", size)
	}
	t.Logf("%d bytes", size)
}

// counter counts bytes.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
