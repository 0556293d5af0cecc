package compare

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/internal/fuzzing"
	"mbsim/reports"
	"mbsim/run"
	"mbsim/scenarios"
	"mbsim/study"
)

// fuzzFiles are the files of a run in the order of FuzzRun's arguments.
var fuzzFiles = []string{"manifest.json", "results.json", "series.csv", "blockmap.csv"}

// seedRun performs a small run and returns the folder of its files.
func seedRun(f *testing.F, also string) string {
	f.Helper()
	s, err := scenarios.Parse([]byte(fuzzScenario+also), "fuzz.yaml", scenarios.Options{})
	if err != nil {
		f.Fatal(err)
	}
	out, err := run.Run(f.Context(), s, run.Options{})
	if err != nil {
		f.Fatal(err)
	}
	m := reports.Build()
	m.Scenario, m.ScenarioDigest, m.Seed, m.Config = s.Name, s.Digest(), s.Seed, s.ResolvedJSON()
	m.Fingerprint = fmt.Sprintf("%016x", out.Fingerprint)
	dir := f.TempDir()
	r := &reports.Run{Result: out.Result, Manifest: m}
	if err := reports.WriteDir(dir, &r.Manifest, reports.DataFiles(r)); err != nil {
		f.Fatal(err)
	}
	return dir
}

const fuzzScenario = `device: {mkfs: {size: 16M}}
workload:
  classes:
    - {name: w, think: {exponential: 1ms}, mix: {create: 3, delete: 1}, file_size: {lognormal: {median: 20K, sigma: 1}}}
stop: {operations: 12}
`

// addFolder adds the files of a run to the seeds.
func addFolder(f *testing.F, dir string) {
	f.Helper()
	read := func(name string) []byte {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			f.Fatal(err)
		}
		return raw
	}
	if _, err := reports.Load(dir); err != nil {
		f.Fatal(err)
	}
	for i := range len(fuzzFiles) + 1 { // the last edits none
		for _, with := range []string{"0", "-1", "9223372036854775807", `"x"`, "1e19"} {
			f.Add(read(fuzzFiles[0]), read(fuzzFiles[1]), read(fuzzFiles[2]), read(fuzzFiles[3]), byte(i), uint16(7*i), with)
		}
	}
}

// Whatever is in the files of a run, it is refused in one line or can be reported,
// shown and compared.
func FuzzRun(f *testing.F) {
	addFolder(f, "../../reports/testdata")
	for _, also := range []string{"", "timing: {}\n", "profile: ext2\n"} {
		addFolder(f, seedRun(f, also))
	}
	f.Fuzz(func(t *testing.T, manifest, results, series, blockMap []byte, file byte, n uint16, with string) {
		dir := fuzzing.TempDir(t)
		for i, text := range [][]byte{manifest, results, series, blockMap} {
			if int(file) == i {
				text = fuzzing.ReplaceScalar(text, int(n), with)
			}
			if err := os.WriteFile(filepath.Join(dir, fuzzFiles[i]), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r, err := reports.Load(dir)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			if errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
			return
		}
		report(t, r, len(series)%32 == 0)
		compareWithItself(t, dir)
	})
}

// report writes all that a report and show do.
func report(t *testing.T, r *reports.Run, pictures bool) {
	page := &reports.Page{Runs: []*reports.Run{r}, Links: []string{""}}
	two := &reports.Page{Runs: []*reports.Run{r, r}, Names: []string{"a", "b"}, Links: []string{"a", "b"}}
	last := r.Result.Snapshots[len(r.Result.Snapshots)-1]
	for _, err := range []error{
		page.Write(io.Discard), two.Write(io.Discard),
		reports.Summary(io.Discard, r, true, reports.Text, 0), reports.Summary(io.Discard, r, true, reports.Markdown, 0),
		reports.WriteFreeFrag(io.Discard, "run", &last.Free, last.Free.Blocks),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if !pictures {
		return // they take most of the time
	}
	for _, p := range reports.Pictures(r, reports.Paper, reports.PNG, reports.SVG) {
		if err := p.Write(io.Discard); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

func compareWithItself(t *testing.T, dir string) {
	src, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compare(&src.Sides[0], &src.Sides[0], Options{All: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Write(io.Discard, true, 0), c.WriteJSON(io.Discard), WriteCSV(io.Discard, []*Pair{c}), WriteBench(io.Discard, []*Source{src}, Options{})); err != nil {
		t.Error(err)
	}
	for _, e := range c.Effects {
		if e.Verdict != study.Same {
			t.Errorf("%s of itself is %s", e.Metric, e.Verdict)
		}
	}
}
