package replay

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mbsim/workload"
)

// spread is what one run of concurrent writers came to.
type spread map[string]float64

// spreadOf reads the counters of mb_stats, and the extents a file of files.txt.
func spreadOf(stats, files string) spread {
	s := spread{}
	cr := ""
	for line := range strings.Lines(stats) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if c, ok := strings.CutSuffix(name, "_stats"); ok {
			cr = c + " "
		}
		switch name {
		case "hits", "reqs", "groups_scanned", "extents_scanned", "goal_hits", "breaks":
			if name != "hits" {
				cr = ""
			}
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				panic(fmt.Sprintf("mb_stats: %q: %v", line, err))
			}
			s[cr+name] = n
		}
	}
	n, extents := 0, 0
	for line := range strings.Lines(files) {
		if k := strings.Count(line, "@"); k > 0 && strings.Contains(line, " mode=100") {
			n++
			extents += k
		}
	}
	s["extents a file"] = float64(extents) / float64(n)
	return s
}

// concurrentSeeds replays are compared with eight recordings of each case.
const concurrentSeeds = 20

// TestConcurrent compares with recordings of writers that ran at once: over the
// seeds, the median of each figure lies within the range of the recordings,
// widened by 5%.
func TestConcurrent(t *testing.T) {
	dirs, err := filepath.Glob("testdata/concurrent/*")
	if err != nil || len(dirs) < 3 {
		t.Fatalf("%d cases, %v", len(dirs), err)
	}
	if more := os.Getenv("CONCURRENT"); more != "" {
		if dirs, err = filepath.Glob(more); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) { compareSpread(t, dir) })
	}
}

func compareSpread(t *testing.T, dir string) {
	runs, err := filepath.Glob(dir + "/5.10/*")
	if err != nil || len(runs) < 4 {
		t.Fatalf("%d recordings, %v", len(runs), err)
	}
	var recorded, simulated []spread
	for _, r := range runs {
		stats, err := readText(r + "/mb_stats.txt")
		if err != nil {
			t.Fatal(err)
		}
		files, err := readText(r + "/files.txt")
		if err != nil {
			t.Fatal(err)
		}
		recorded = append(recorded, spreadOf(string(stats), string(files)))
	}
	for seed := range uint64(concurrentSeeds) {
		out := runSeed(t, dir, seed+1)
		simulated = append(simulated, spreadOf(string(out.Stats), string(out.Files)))
	}
	for name := range recorded[0] {
		var r, s []float64
		for _, x := range recorded {
			r = append(r, x[name])
		}
		for _, x := range simulated {
			s = append(s, x[name])
		}
		slices.Sort(s)
		low, high := slices.Min(r), slices.Max(r)
		median := (s[len(s)/2-1] + s[len(s)/2]) / 2
		t.Logf("%-16s recorded %g to %g, simulated %g (%g to %g)", name, low, high, median, s[0], s[len(s)-1])
		if median < low*0.95 || median > high*1.05 {
			t.Errorf("%s: the median is %g, recorded were %g to %g", name, median, low, high)
		}
	}
}

func runSeed(t *testing.T, dir string, seed uint64) *Outcome {
	t.Helper()
	c, err := workload.ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := MakeLayout(c, "5.10")
	if err != nil {
		t.Fatal(err)
	}
	out, err := Run(Config{Kernel: "5.10", Case: c, Layout: l, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestConcurrentIsDeterministic runs one seed for several GOMAXPROCS.
func TestConcurrentIsDeterministic(t *testing.T) {
	const dir = "testdata/concurrent/streams-1"
	want := runSeed(t, dir, 7)
	for _, procs := range []int{1, 3} {
		old := runtime.GOMAXPROCS(procs)
		got := runSeed(t, dir, 7)
		runtime.GOMAXPROCS(old)
		if !bytes.Equal(got.Files, want.Files) || !bytes.Equal(got.Stats, want.Stats) || !bytes.Equal(got.Groups, want.Groups) {
			t.Errorf("GOMAXPROCS=%d: another outcome", procs)
		}
	}
	if other := runSeed(t, dir, 8); bytes.Equal(other.Files, want.Files) {
		t.Error("another seed gives the same files")
	}
}
