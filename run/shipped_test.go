package run

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mbsim/filesystem"
	"mbsim/metrics"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/fingerprints anew")

// fingerprintsFile holds a line for each run of TestShippedScenarios: its name, and a hash of
// the files, one of the groups and one of the counters it ends with.
const fingerprintsFile = "testdata/fingerprints"

// fewer are settings that shorten the scenarios which take more than two seconds.
var fewer = map[string][]string{
	"near-full-search": {"workload.phases.large.until={operations: 60}"},
}

// TestShippedScenarios runs every scenario that comes with mbsim, and every variant that its
// sweep compares, and compares where each block of each file lies, the free space of every
// group and every counter with what is stored. A change of any rule that decides where a
// block lands, or that is counted, shows here, and the three hashes say where it shows. Where
// the change is meant, go test -run TestShippedScenarios -rewrite stores the new hashes.
func TestShippedScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("runs for seconds")
	}
	stored := readFingerprints(t)
	var mu sync.Mutex
	got := make(map[string]string)
	// The group ends when all of the runs in it, which are parallel, have ended.
	t.Run("runs", func(t *testing.T) {
		for name, sets := range shipped(t) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				scenario, _, _ := strings.Cut(name, ":")
				line := fingerprint(t, scenario+".yaml", sets)
				mu.Lock()
				got[name] = line
				mu.Unlock()
				if !*rewrite && line != stored[name] {
					t.Errorf("the run ends otherwise:\n     %s\nwant %s", line, stored[name])
				}
			})
		}
	})
	if *rewrite {
		writeFingerprints(t, got)
		return
	}
	for name := range stored {
		if _, ok := got[name]; !ok && !t.Failed() {
			t.Errorf("%s has a line for %s, which is no run of a scenario", fingerprintsFile, name)
		}
	}
}

// shipped lists the runs by name, with the settings that make each: SCENARIO as it is, and
// SCENARIO:VARIANT for each variant of its sweep that is another run.
func shipped(t *testing.T) iter.Seq2[string, []string] {
	paths, err := filepath.Glob("../scenarios/*.yaml")
	if err != nil || len(paths) < 17 {
		t.Fatalf("%d scenarios, %v", len(paths), err)
	}
	return func(yield func(string, []string) bool) {
		for _, path := range paths {
			name := strings.TrimSuffix(filepath.Base(path), ".yaml")
			if !yield(name, fewer[name]) {
				return
			}
			base := file(t, name+".yaml", fewer[name]...)
			if base.Sweep == nil {
				continue
			}
			for _, v := range base.Sweep.Variants {
				sets := slices.Concat(fewer[name], v.Sets)
				if file(t, name+".yaml", sets...).Digest() == base.Digest() {
					continue
				}
				if !yield(name+":"+strings.ReplaceAll(v.Name, " ", "-"), sets) {
					return
				}
			}
		}
	}
}

// fingerprint runs a scenario and hashes what it ends with.
func fingerprint(t *testing.T, scenario string, sets []string) string {
	r := newRunner(context.Background(), file(t, scenario, sets...), Options{})
	defer r.engine.Close()
	if err := r.mount(); err != nil {
		t.Fatal(err)
	}
	out, err := r.play(r.launch)
	if err != nil {
		t.Fatal(err)
	}
	hash := func(write func(io.Writer)) string {
		h := sha256.New()
		write(h)
		return fmt.Sprintf("%x", h.Sum(nil)[:8])
	}
	files := hash(func(w io.Writer) { writeExtents(w, r.m.fs.Files()) })
	groups := hash(func(w io.Writer) { w.Write(out.Groups) })
	counters := hash(func(w io.Writer) { writeCounters(w, out) })
	return fmt.Sprintf("files %s groups %s counters %s", files, groups, counters)
}

// writeExtents writes a line for every file and one for each of its extents.
func writeExtents(w io.Writer, files iter.Seq[filesystem.FileInfo]) {
	for f := range files {
		fmt.Fprintf(w, "%s inode %d, %d bytes, %d sectors\n", f.Path, f.Inode, f.Size, f.Sectors)
		for _, x := range f.Extents {
			fmt.Fprintf(w, "%d %d %d %x\n", x.Logical, x.Physical, x.Len, uint32(x.Flags))
		}
	}
}

// writeCounters writes the kernel's statistics and every metric, of the whole run, of the
// measured phases and of each phase. Nine digits leave out what another processor rounds
// otherwise.
func writeCounters(w io.Writer, out *Outcome) {
	w.Write(out.Stats)
	fmt.Fprintf(w, "out of space %t, end %d\n", out.OutOfSpace, out.Result.End)
	rows := []metrics.Row{out.Result.Final, out.Result.Measured}
	for i := range out.Result.Phases {
		rows = append(rows, out.Result.Phases[i].Values)
	}
	for _, row := range rows {
		for id := range row {
			if row.Has(metrics.ID(id)) {
				fmt.Fprintf(w, "%s %.9g\n", metrics.At(metrics.ID(id)).Name, row[id])
			}
		}
	}
}

// readFingerprints reads what is stored, by the names of the runs.
func readFingerprints(t *testing.T) map[string]string {
	text, err := os.ReadFile(fingerprintsFile)
	if err != nil && !*rewrite {
		t.Fatal(err)
	}
	stored := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		name, hashes, _ := strings.Cut(strings.TrimSpace(line), " ")
		stored[name] = hashes
	}
	return stored
}

// writeFingerprints stores the hashes of all runs, unless one failed.
func writeFingerprints(t *testing.T, got map[string]string) {
	if t.Failed() {
		t.Fatalf("%s stays as it is", fingerprintsFile)
	}
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(got)) {
		fmt.Fprintf(&b, "%s %s\n", name, got[name])
	}
	if err := os.WriteFile(fingerprintsFile, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
