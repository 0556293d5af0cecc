package compare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"

	"mbsim/metrics"
	"mbsim/reports"
	"mbsim/study"
)

// made is a study of three settings, whose numbers are drawn: the second has fewer
// extents, and the third cannot be told from the first.
func made(replications int) *study.Result {
	r := &study.Result{Schema: 1, Scenario: "made-up", Question: "Are these numbers drawn?", Seed: 1, Version: "v1", Metric: "extents_per_file_mean",
		Baseline: "s_mb_order2_reqs=2", Replications: replications, Precise: true}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, reqs := range []string{"2", "4", "6"} {
		r.Settings = append(r.Settings, study.SettingResult{Name: "s_mb_order2_reqs=" + reqs, Values: []study.Value{{Key: "s_mb_order2_reqs", Value: reqs}},
			Config: config("made-up", reqs, "")})
	}
	for rep := range replications {
		luck := 1 + 0.2*rng.NormFloat64()
		for i := range r.Settings {
			effect := []float64{1, 0.95, 1}[i]
			noise := func() float64 { return 1 + 0.01*rng.NormFloat64() }
			score := min(1, 0.9+0.02*luck*noise()+[]float64{0, 0.02, 0}[i])
			r.Settings[i].Runs = append(r.Settings[i].Runs, study.RunResult{Replication: rep, Fingerprint: "f", Metrics: map[string]float64{
				"extents_per_file_mean": 1.5 * luck * effect * noise(), "layout_score": score, "files": float64(1000 + rep),
				"file_bytes": 5e9 * luck, "free_extents": float64(int(500 * luck * noise())), "mb_reqs": 1e6 * luck * []float64{1, 1, 30}[i],
				"lost_blocks": 0,
			}})
		}
	}
	return r
}

func config(name, reqs, mount string) json.RawMessage {
	if mount != "" {
		mount = `"mount": "` + mount + `", `
	}
	return json.RawMessage(fmt.Sprintf(`{"name": %q, %s"device": {"mkfs": {"size": 1024, "features": ["a", "b"]}}, "tunables": {"s_mb_order2_reqs": %s},
		"workload": {"phases": [{"name": "run", "classes": [{"name": "w", "count": 2, "file_size": {"lognormal": {"median": 5}}}]}]}}`, name, mount, reqs))
}

func source(r *study.Result, dir string) *Source {
	src := &Source{Name: dir, Study: r}
	for i := range r.Settings {
		s := &r.Settings[i]
		src.Sides = append(src.Sides, Side{Name: dir + ":" + s.Name, Scenario: r.Scenario, Setting: s.Name, Samples: r.Samples(s),
			Configs: []json.RawMessage{s.Config}, Asked: []string{"s_mb_order2_reqs"}, Version: r.Version})
	}
	return src
}

// golden compares with a file of testdata. Rewrite with UPDATE=1, and look at it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s changed:\n%s", name, got)
	}
}

// What people and programs see of a comparison and of a study.
func TestForms(t *testing.T) {
	src := source(made(8), "out/made")
	pair, err := Compare(&src.Sides[0], &src.Sides[1], Options{})
	if err != nil {
		t.Fatal(err)
	}
	few := source(made(2), "out/few")
	two, err := Compare(&few.Sides[0], &few.Sides[2], Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(b *bytes.Buffer) error{
		"pair.txt":     func(b *bytes.Buffer) error { return pair.Write(b, false, 0) },
		"pair.md":      func(b *bytes.Buffer) error { return pair.Write(b, true, 0) },
		"pair.json":    func(b *bytes.Buffer) error { return pair.WriteJSON(b) },
		"pair.csv":     func(b *bytes.Buffer) error { return WriteCSV(b, []*Pair{pair}) },
		"few.txt":      func(b *bytes.Buffer) error { return two.Write(b, false, 0) },
		"settings.txt": func(b *bytes.Buffer) error { return WriteSettings(b, src.Study, Options{}, false) },
		"settings.md":  func(b *bytes.Buffer) error { return WriteSettings(b, src.Study, Options{}, true) },
		"settings.csv": func(b *bytes.Buffer) error { return WriteSettingsCSV(b, src.Study, Options{}) },
		"all.txt":      func(b *bytes.Buffer) error { return WriteSettings(b, src.Study, Options{All: true}, false) },
		"metric.txt": func(b *bytes.Buffer) error {
			return WriteSettings(b, src.Study, Options{Metrics: []string{"files", "mb_reqs"}}, false)
		},
		"bench.txt": func(b *bytes.Buffer) error { return WriteBench(b, []*Source{src}, Options{}) },
		"benchpair.txt": func(b *bytes.Buffer) error {
			return WriteBench(b, []*Source{{Sides: src.Sides[:1]}, {Sides: src.Sides[1:2]}}, Options{})
		},
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
}

// Go's own reader of benchmark results takes ours, value for value.
func TestBenchFormat(t *testing.T) {
	src := source(made(8), "out/made")
	var b bytes.Buffer
	if err := WriteBench(&b, []*Source{src}, Options{All: true}); err != nil {
		t.Fatal(err)
	}
	r := benchfmt.NewReader(&b, "made")
	n := 0
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Fatal(rec)
		case *benchfmt.UnitMetadata:
			if rec.Key != "better" {
				t.Errorf("unit metadata %+v", rec)
			}
		case *benchfmt.Result:
			side := &src.Sides[n/8]
			if string(rec.Name) != "MadeUp" || rec.GetConfig("setting") != side.Setting || rec.GetConfig("side") != "A" {
				t.Errorf("line %d: %s of %s", n, rec.Name, rec.GetConfig("setting"))
			}
			if len(rec.Values) != len(side.Samples[n%8].Values) {
				t.Errorf("line %d has %d values", n, len(rec.Values))
			}
			for _, v := range rec.Values {
				if v.Value != side.Samples[n%8].Values[v.Unit] {
					t.Errorf("line %d: %s is %v, want %v", n, v.Unit, v.Value, side.Samples[n%8].Values[v.Unit])
				}
			}
			n++
		}
	}
	if err := r.Err(); err != nil || n != 24 {
		t.Errorf("%d lines, %v", n, err)
	}
}

// benchstat itself compares our sides.
func TestBenchstat(t *testing.T) {
	if testing.Short() {
		t.Skip("builds benchstat")
	}
	const pkg = "golang.org/x/perf/cmd/benchstat"
	if out, err := exec.Command("go", "list", "-deps", pkg).CombinedOutput(); err != nil {
		t.Skipf("benchstat cannot be had: %s", out)
	}
	out, err := exec.Command("go", "run", pkg, "-col", "side", "testdata/benchpair.txt").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"scenario: made-up", "extents_per_file_mean", "vs base", "(p=", "n=8)"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// A difference that nobody asked for is warned of, wherever it stands, and by
// whatever name --set knows it.
func TestKeys(t *testing.T) {
	a := config("a", "2", "")
	b := config("b", "4", "nodelalloc")
	b = bytes.Replace(b, []byte(`"median": 5`), []byte(`"median": 6`), 1)
	for _, c := range []struct {
		asked []string
		want  string
	}{
		{nil, "mount (none, nodelalloc), tunables.s_mb_order2_reqs (2, 4), workload.phases.run.classes.w.file_size.lognormal.median (5, 6)"},
		{[]string{"s_mb_order2_reqs", "mount"}, "workload.phases.run.classes.w.file_size.lognormal.median (5, 6)"},
		{[]string{"tunables", "mount", "workload.classes.w.file_size"}, ""},
		{[]string{"tunables.s_mb_order2_reqs", "mount", "workload.phases.0.classes.0.file_size.lognormal.median"}, ""},
		{[]string{"s_mb_order2_reqs", "mount", "workload.classes.w.file_siz"}, "workload.phases.run.classes.w.file_size.lognormal.median (5, 6)"},
		{[]string{"s_mb_order2_reqs", "mount", "workload"}, ""},
	} {
		got := unasked(differences([]json.RawMessage{a}, []json.RawMessage{b}, c.asked))
		if got != c.want {
			t.Errorf("asked for %v:\n%s\nwant\n%s", c.asked, got, c.want)
		}
	}
	if d := differences([]json.RawMessage{a}, []json.RawMessage{a}, nil); d != nil {
		t.Errorf("of itself it differs in %v", d)
	}
	long := strings.Repeat("x", 100)
	if got := unasked([]KeyDifference{{Key: "k", A: long, B: "two\nlines"}}); len(got) > 70 || strings.Contains(got, "\n") {
		t.Error(got)
	}
}

// Runs that mbsim run has written, alone and as a folder of seeds.
func TestRuns(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, seed uint64, extents float64, mount string, command ...string) {
		t.Helper()
		row := metrics.NewRow()
		id, err := metrics.Find("extents_per_file_mean")
		if err != nil {
			t.Fatal(err)
		}
		row[id] = extents
		m := reports.Build()
		m.Scenario, m.Seed, m.Config, m.Command = "made-up", seed, config("made-up", "2", mount), command
		m.ScenarioDigest, m.Fingerprint = "ab12", "cd34"
		res := &metrics.Result{End: 1e9, BlockSize: 4096, ClusterBlocks: 1, Blocks: 1000, Groups: 1, Final: row,
			Series: &metrics.Series{Times: []int64{0}, Rows: []metrics.Row{row}}, Snapshots: []*metrics.Snapshot{{}}}
		file := func(f func(*bytes.Buffer) error, name string) reports.File {
			return reports.File{Name: name, Write: func(w io.Writer) error {
				var b bytes.Buffer
				err := f(&b)
				if err == nil {
					_, err = w.Write(b.Bytes())
				}
				return err
			}}
		}
		r := &reports.Run{Result: res, Manifest: m}
		err = reports.WriteDir(filepath.Join(dir, name), &r.Manifest, []reports.File{
			file(func(b *bytes.Buffer) error { return reports.WriteResults(b, r) }, "results.json"),
			file(func(b *bytes.Buffer) error { return reports.WriteSeries(b, res) }, "series.csv"),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, extents := range []float64{2, 3, 2.5, 2.2} {
		write(fmt.Sprintf("a/%d", i), uint64(i+1), extents, "")
		write(fmt.Sprintf("b/%d", i), uint64(i+1), extents*1.5, "nodelalloc", "mbsim", "run", "--set", "mount=nodelalloc")
		write(fmt.Sprintf("c/%d", i), uint64(i+11), extents*1.5, "nodelalloc")
	}
	open := func(name string) *Side {
		t.Helper()
		src, err := Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		src.Sides[0].Name = name
		return &src.Sides[0]
	}
	for _, c := range []struct{ a, b, sentence, warnings string }{
		{"a/0", "b/0", "extents_per_file_mean of b/0 is 50.0% higher than of a/0, but 1 pair cannot tell that from chance.", ""},
		{"a", "b", "extents_per_file_mean of b is 50.0 ± 0% higher than of a, which is worse (4 pairs, p = 0.0015).", ""},
		{"a", "a", "extents_per_file_mean is the same in both, in 4 pairs of runs.", ""},
		{"a", "c", "extents_per_file_mean of c is 50 ± 41% higher than of a, which is worse (at least 4 runs of each, p = 0.0255).",
			"the two differ in more than was asked: mount (none, nodelalloc)\nno run has a partner with its seed: compared as independent samples, which takes many more runs to see the same"},
		{"a", "b/2", "extents_per_file_mean of b/2 is 50.0% higher than of a, but 1 pair cannot tell that from chance.",
			"3 runs have no partner with their seed and replication, and are left out"},
	} {
		p, err := Compare(open(c.a), open(c.b), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Sentence(); got != c.sentence {
			t.Errorf("%s and %s: %s", c.a, c.b, got)
		}
		if got := strings.Join(p.Warnings, "\n"); got != c.warnings {
			t.Errorf("%s and %s warn: %s", c.a, c.b, got)
		}
	}
	write("twice/1", 7, 1, "")
	write("twice/2", 7, 1, "")
	for name, want := range map[string]string{
		"twice": "two runs have the seed 7", "none": "no such file", "none:x": "is no study", "a:x": "is no study", ".": "neither a run nor a study",
	} {
		if _, err := Open(filepath.Join(dir, name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMatch(t *testing.T) {
	a, b := source(made(3), "a"), source(made(3), "b")
	pairs, err := Match(a, b)
	if err != nil || len(pairs) != 3 || pairs[1][0].Name != "a:s_mb_order2_reqs=4" || pairs[1][1].Name != "b:s_mb_order2_reqs=4" {
		t.Errorf("%v, %v", pairs, err)
	}
	one := &Source{Name: "one", Sides: b.Sides[2:]}
	if _, err := Match(a, one); err == nil || err.Error() != "a has 3 settings: want one, as a:SETTING (s_mb_order2_reqs=2; s_mb_order2_reqs=4; s_mb_order2_reqs=6)" {
		t.Error(err)
	}
	other := source(made(3), "other")
	for i := range other.Sides {
		other.Sides[i].Setting += "0"
	}
	if _, err := Match(a, other); err == nil || err.Error() != "a and other have no setting in common: want one of each, as a:SETTING" {
		t.Error(err)
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		v    float64
		n    int
		want string
	}{
		{0, 3, "0"}, {1234567, 3, "1,230,000"}, {0.00012345, 2, "0.00012"}, {-1234.5, 5, "-1,234.5"}, {9.996, 3, "10.0"}, {99.96, 3, "100"}, {1, 3, "1.00"},
	} {
		if got := significant(c.v, c.n); got != c.want {
			t.Errorf("%v to %d digits: %s, want %s", c.v, c.n, got, c.want)
		}
	}
}
