package study_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"mbsim/internal/fuzzing"
	"mbsim/reports"
	"mbsim/study"
	"mbsim/study/compare"
)

const fuzzScenario = `device: {mkfs: {size: 64M}}
workload:
  classes:
    - {name: w, think: {exponential: 1ms}, mix: {create: 1}, file_size: {lognormal: {median: 20K, sigma: 1}}}
stop: {operations: 20}
`

// seedStudy performs a small study and returns the texts of plan.json, study.json and
// runs.ndjson, the objects without their checksums.
func seedStudy(f *testing.F, opt study.Options) (plan, result, runs []byte) {
	f.Helper()
	dir := f.TempDir()
	name := filepath.Join(dir, "fuzz.yaml")
	if err := os.WriteFile(name, []byte(fuzzScenario), 0o644); err != nil {
		f.Fatal(err)
	}
	opt.Version = "test"
	p, err := study.NewPlan(name, opt)
	if err != nil {
		f.Fatal(err)
	}
	s, err := study.Open(dir, p)
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	if err := s.Run(f.Context(), &study.Pool{Jobs: 1}, nil); err != nil {
		f.Fatal(err)
	}
	if _, err := s.Write(); err != nil {
		f.Fatal(err)
	}
	read := func(name string) []byte {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			f.Fatal(err)
		}
		return raw
	}
	object := func(name string) []byte {
		text, err := study.OpenObject(read(name))
		if err != nil {
			f.Fatal(err)
		}
		return text
	}
	return object("plan.json"), object("study.json"), read("runs.ndjson")
}

// What FuzzStudy makes right again, so that edits get behind the checks of checksums.
const (
	mendPlan   = 1 << iota // its checksum
	mendResult             // its checksum, its ids, and what follows from its runs
	mendRuns               // checksums and numbers of lines
	mendIDs                // of records
)

// Whatever is in the files of a study, it is refused in one line or can be shown,
// compared, and gone on with.
func FuzzStudy(f *testing.F) {
	for _, opt := range []study.Options{
		{Sets: []string{"s_mb_stream_request=0,16"}, Replications: 2},
		{Sets: []string{"s_mb_stream_request=0,16", "s_mb_group_prealloc=0,64"}, Replications: 1, Baseline: "default", Metric: "free_extents"},
		{Replications: 3, Until: "ci=5%,max=4,metric=files"},
	} {
		plan, result, runs := seedStudy(f, opt)
		for _, mend := range []byte{mendPlan | mendResult | mendRuns | mendIDs, mendPlan | mendResult | mendRuns, 0} {
			for file, with := range []string{"0", "-1", "9223372036854775807", `"x"`, ""} {
				f.Add(plan, result, runs, []byte{}, mend, byte(file), uint16(9), with)
				f.Add(plan, []byte{}, runs, runs, mend, byte(file), uint16(20), with)
				f.Add(plan, []byte{}, []byte{}, runs[:len(runs)/2], mend, byte(file), uint16(2), with)
				f.Add([]byte{}, result, []byte{}, []byte{}, mend, byte(file), uint16(40), with)
			}
		}
	}
	f.Fuzz(func(t *testing.T, plan, result, runs, shard []byte, mend, file byte, n uint16, with string) {
		dir := fuzzing.TempDir(t)
		for i, text := range []*[]byte{&plan, &result, &runs, &shard} {
			if int(file) == i {
				*text = fuzzing.ReplaceScalar(*text, int(n), with)
			}
		}
		put := func(name string, text []byte) {
			if len(text) == 0 {
				return
			}
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if mend&mendPlan != 0 && len(plan) > 0 {
			plan = study.MendObject(plan)
		}
		if mend&mendResult != 0 && len(result) > 0 {
			result = study.MendResult(result)
		}
		if mend&mendRuns != 0 {
			runs, shard = study.MendRecords(runs, mend&mendIDs != 0), study.MendRecords(shard, mend&mendIDs != 0)
		}
		if err := os.Mkdir(filepath.Join(dir, "shards"), 0o777); err != nil {
			t.Fatal(err)
		}
		put("plan.json", plan)
		put("study.json", result)
		put("runs.ndjson", runs)
		put(filepath.Join("shards", "shard-0-of-2-1.ndjson"), shard)
		// One of all forms, as each takes a while.
		if n%2 == 0 {
			goOn(t, dir)
		}
		look(t, dir, int(n/2))
	})
}

// oneLine makes sure that an error is one line.
func oneLine(t *testing.T, err error) {
	t.Helper()
	if bytes.ContainsRune([]byte(err.Error()), '\n') {
		t.Errorf("more than one line: %q", err)
	}
}

// look shows a study in one of the forms that there are.
func look(t *testing.T, dir string, form int) {
	src, err := compare.Open(dir)
	if err != nil {
		oneLine(t, err)
		return
	}
	r := src.Study
	forms := []func() error{
		func() error { return compare.WriteSettings(io.Discard, r, compare.Options{All: true}, false) },
		func() error { return compare.WriteSettings(io.Discard, r, compare.Options{}, true) },
		func() error { return compare.WriteSettingsCSV(io.Discard, r, compare.Options{All: true}) },
		func() error { return compare.WriteSettingsJSON(io.Discard, r) },
		func() error {
			return compare.WriteBench(io.Discard, []*compare.Source{src}, compare.Options{All: true})
		},
		func() error { return (&reports.Page{Study: r.Page()}).Write(io.Discard) },
		func() error { comparePairs(t, src); return nil },
	}
	if err := forms[form%len(forms)](); err != nil {
		t.Error(err)
	}
}

// comparePairs compares the settings of a study with themselves.
func comparePairs(t *testing.T, src *compare.Source) {
	pairs, err := compare.Match(src, src)
	if err != nil {
		t.Error(err)
	}
	for _, p := range pairs {
		c, err := compare.Compare(p[0], p[1], compare.Options{All: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.WriteJSON(io.Discard); err != nil {
			t.Error(err)
		}
		if err := c.Write(io.Discard, false, 0); err != nil {
			t.Error(err)
		}
	}
}

// goOn opens a study as the next sweep does, as far as the first run that it would
// perform.
func goOn(t *testing.T, dir string) {
	p, err := study.ReadPlan(dir)
	if err != nil {
		oneLine(t, err)
		return
	}
	if _, left, err := p.Finished(dir); err == nil {
		if _, err := p.Estimate(dir, left); err != nil {
			oneLine(t, err)
		}
	}
	s, err := study.Open(dir, p)
	if err != nil {
		oneLine(t, err)
		return
	}
	defer s.Close()
	if done, total := s.Finished(); done < total {
		if len(s.Pending()) == 0 {
			t.Errorf("%d of %d runs are finished, and none is pending", done, total)
		}
		return
	}
	if _, err := s.Extend(); err != nil {
		oneLine(t, err)
		return
	}
	if done, total := s.Finished(); done < total {
		return
	}
	if _, err := s.Result(); err != nil {
		oneLine(t, err)
	}
}
