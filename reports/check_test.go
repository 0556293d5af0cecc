package reports

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// copied is a copy of a run's files, each with a change where changes has one: the
// text to replace, and the text for it.
func copied(t testing.TB, changes map[string][2]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{manifestName, resultsName, seriesName, blockMapName} {
		raw, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		if name == manifestName {
			text = strings.Replace(text, `"files": null`, `"files": ["blockmap.csv"]`, 1)
		}
		if c, ok := changes[name]; ok {
			if !strings.Contains(text, c[0]) {
				t.Fatalf("%s does not have %q", name, c[0])
			}
			text = strings.Replace(text, c[0], c[1], 1)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Each field that is used later without a test is tested where it is read.
func TestLoadRefuses(t *testing.T) {
	if _, err := Load(copied(t, nil)); err != nil {
		t.Fatal(err)
	}
	const fs = "results.json: file_system: "
	for _, c := range []struct{ name, old, with, want string }{
		{manifestName, `"seed":`, `"sed":`, "manifest.json: seed is missing"},
		{manifestName, `"scenario": "`, `"scenario": "", "x": "`, "manifest.json: scenario is empty"},
		{manifestName, `"fingerprint": "`, `"fingerprint": "x`, "want hexadecimal digits"},
		{manifestName, `"scenario_digest": "`, `"scenario_digest": "-`, "want hexadecimal digits"},
		{manifestName, `"config": {`, `"config": [], "x": {`, "manifest.json: config: want a resolved scenario"},
		{manifestName, `"config": {`, `"config": {"a": ` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `, `, "config: more than any scenario has"},
		{manifestName, `"config": {`, `"config": {"` + strings.Repeat("a", 30000) + `": [` + strings.Repeat("1,", 200) + `1], `, "config: more than any scenario has"},
		{manifestName, `"blockmap.csv"`, `"../x"`, `files has "../x": want a name without a directory`},
		{resultsName, `"block_size":`, `"blocksize":`, "results.json: file_system.block_size is missing"},
		{resultsName, `"block_size":`, `"block_size":0,"x":`, fs + "block_size is 0: want a power of two of 1024 to 65536"},
		{resultsName, `"block_size":`, `"block_size":-4096,"x":`, fs + "block_size is -4096"},
		{resultsName, `"cluster_blocks":`, `"cluster_blocks":3,"x":`, fs + "cluster_blocks is 3: want a power of two"},
		{resultsName, `"blocks":`, `"blocks":0,"x":`, fs + "blocks is 0: want 1 or more"},
		{resultsName, `"blocks":`, `"blocks":9223372036854775807,"x":`, fs + "blocks is 9223372036854775807"},
		{resultsName, `"groups":`, `"groups":0,"x":`, fs + "groups is 0: want 1 or more"},
		{resultsName, `"groups":`, `"groups":1,"x":`, "blockmap.csv: "},
		{resultsName, `"end_ns":`, `"end_ns":-1,"x":`, "results.json: start_ns is 0 and end_ns -1"},
		{resultsName, `"end_ns":`, `"end_ns":1,"x":`, "results.json: "},
		{resultsName, `"metrics": {`, `"metrics": {}, "x": {`, "results.json: metrics: there are none"},
		{resultsName, `"metrics": {`, `"metrics": {"mb_req": {"value":1,"unit":"","better":"","kind":""}, `, `results.json: metrics: unknown metric "mb_req" (did you mean "mb_reqs"?)`},
		{resultsName, `"metrics": {`, `"metrics": {"mb_reqs": {"unit":"","better":"","kind":""}}, "x": {`, "results.json: metrics.mb_reqs.value is missing"},
		{resultsName, `{"value":`, `{"value":-1,"x":`, "is -1: want a number of 0 to 2^64"},
		{resultsName, `"phases": [`, `"phases": [{"name":"x","measured":true,"start_ns":5,"end_ns":4,"values":{}}], "x": [`, "results.json: phases.0: from 5 to 4 ns in a run from 0 to"},
		{resultsName, `"phases": [`, `"phases": [{"name":"x","measured":true,"start_ns":0,"end_ns":4,"values":{"x":1}}], "x": [`, "results.json: phases.0: unknown metric"},
		{resultsName, `"snapshots": [`, `"snapshots": [], "x": [`, "results.json: snapshots: 0 of them: want 1 to 100000"},
		{resultsName, `"time_ns":`, `"time_ns":-1,"x":`, "results.json: snapshots.0: time_ns is -1"},
		{resultsName, `"free":{"blocks":`, `"free":{"blocks":-1,"x":`, "results.json: json: cannot unmarshal number -1"},
		{resultsName, `"free":{"blocks":`, `"free":{"blocks":1000000000,"x":`, "results.json: snapshots.0: free: 1000000000 blocks of"},
		{resultsName, `"min_blocks":`, `"min_blocks":9,"x":`, "results.json: snapshots.0: free: "},
		{resultsName, `"max_blocks":`, `"max_blocks":1000000000,"x":`, "results.json: snapshots.0: free: "},
		{resultsName, `"extents":`, `"extents":1000000000,"x":`, "results.json: snapshots.0: free: "},
		{resultsName, `"by_blocks":[`, `"by_blocks":[[-1,0]],"x":[`, "results.json: snapshots.0: free: by_blocks: class 0: -1 things of 0 together"},
		{resultsName, `"files_by_extents":[`, `"files_by_extents":[[0,0],[1,1]],"x":[`, "results.json: snapshots.0: files_by_extents: class 1: 1 things of 1 together"},
		{resultsName, `"extents_by_blocks":[`, `"extents_by_blocks":[` + strings.Repeat("[0,0],", 48) + `[0,0]],"x":[`, "results.json: snapshots.0: extents_by_blocks: a histogram of 49 classes: at most 48"},
		{seriesName, "\n", "\n9999999,", "series.csv: 2:1: wrong number of fields"},
		{blockMapName, "groups,", "groups,999999,", "blockmap.csv: 2:1: wrong number of fields"},
	} {
		_, err := Load(copied(t, map[string][2]string{c.name: {c.old, c.with}}))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s, %.40q: error is %v, want %s", c.name, c.with, err, c.want)
		}
	}
}

// Times of the tables that are not in the run, and a map of another file system.
func TestLoadRefusesTimes(t *testing.T) {
	dir := copied(t, nil)
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := func(want string) {
		t.Helper()
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
	put(blockMapName, "first_group,groups,0,0\n0,3,0,0\n")
	want("blockmap.csv: 3 groups, but results.json says ")
	put(seriesName, "time_s,mb_reqs\n")
	want("series.csv: there is no line")
	put(seriesName, "time_s,mb_reqs\n99999999,1\n")
	want("series.csv: the time 99999999 is not after the one before it and in the run, which goes from 0 to ")
	if err := os.Remove(filepath.Join(dir, blockMapName)); err != nil {
		t.Fatal(err)
	}
	want("blockmap.csv: no such file")
}

// A block map that the manifest does not name is another run's.
func TestLoadLeavesOthersFiles(t *testing.T) {
	dir := copied(t, map[string][2]string{manifestName: {`"blockmap.csv"`, ""}, blockMapName: {"first", "broken"}})
	r, err := Load(dir)
	if err != nil || r.Result.Map != nil {
		t.Errorf("%v, %v", r, err)
	}
}
