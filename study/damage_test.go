package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// finished is the folder of a small study that has come to its end.
func finished(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	perform(t, dir, plan(t, writeScenario(t, tiny), Options{Sets: []string{"s_mb_stream_request=0,16"}, Replications: 2}), &Pool{Jobs: 1})
	return dir
}

// put writes a file of a folder.
func put(t testing.TB, dir, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// refused makes sure that reading the study ends with one line that says want, as a
// mistake of the user.
func refused(t *testing.T, dir, want string) {
	t.Helper()
	_, err := Load(dir)
	if !errors.As(err, new(*UserError)) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// No byte of a record can change: the error names its line. Only a last line without
// an end is what a killed process leaves.
func TestAnyByteOfRecords(t *testing.T) {
	dir := finished(t)
	path := filepath.Join(dir, runsName)
	good := read(t, dir, runsName)
	for i := 0; i < len(good)-1; i += 1 + len(good)/1500 {
		line := 1 + strings.Count(good[:i], "\n")
		bad := []byte(good)
		bad[i] ^= 1
		put(t, dir, runsName, bad)
		_, _, err := readRecords(path)
		if want := fmt.Sprintf("%s:%d: ", path, line); !errors.As(err, new(*UserError)) || !strings.HasPrefix(err.Error(), want) {
			t.Fatalf("byte %d: error is %v, want %s", i, err, want)
		}
	}
	for cut := 0; cut < len(good); cut += 1 + len(good)/300 {
		put(t, dir, runsName, []byte(good[:cut]))
		records, whole, err := readRecords(path)
		if n := strings.Count(good[:cut], "\n"); err != nil || len(records) != n || whole != int64(strings.LastIndexByte(good[:cut], '\n')+1) {
			t.Fatalf("cut after %d bytes: %d records in %d bytes, %v", cut, len(records), whole, err)
		}
	}
}

// Lines that are whole and unchanged, but not where they were.
func TestMovedRecords(t *testing.T) {
	dir := finished(t)
	l := strings.SplitAfter(read(t, dir, runsName), "\n")
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{[]string{l[1], l[0], l[2], l[3]}, "runs.ndjson:1: this was line 2: "},
		{[]string{l[0], l[1], l[3]}, "runs.ndjson:3: this was line 4: "},
		{[]string{l[0], l[1], l[1], l[2], l[3]}, "runs.ndjson:3: this was line 2: "},
		{[]string{l[0], "\n", l[1], l[2], l[3]}, "runs.ndjson:2: not the record of a run"},
		{[]string{l[0], l[1][:50] + "\n", l[2], l[3]}, "runs.ndjson:2: not the record of a run"},
		{[]string{l[0], strings.Repeat("x", maxLine+1)}, "runs.ndjson:2: longer than 1048576 bytes"},
		// The end is missing, so that what study.json says has no record.
		{[]string{l[0], l[1], l[2]}, "study.json:"},
	} {
		put(t, dir, runsName, []byte(strings.Join(c.lines, "")))
		refused(t, dir, c.want)
	}
}

// resealed is a record or an object with a change, under a checksum that is right.
func resealed(t *testing.T, s seal, text, old, with string) []byte {
	t.Helper()
	object, err := s.open([]byte(text))
	if err != nil || !bytes.Contains(object, []byte(old)) {
		t.Fatalf("%q is not in it: %v", old, err)
	}
	return s.add(bytes.Replace(object, []byte(old), []byte(with), 1))
}

// Records whose checksum is right, but whose fields cannot be.
func TestContradictions(t *testing.T) {
	dir := finished(t)
	all := read(t, dir, runsName)
	first := all[:strings.IndexByte(all, '\n')+1]
	second := all[len(first):][:strings.IndexByte(all[len(first):], '\n')+1]
	var r Record
	if err := json.Unmarshal([]byte(first), &r); err != nil {
		t.Fatal(err)
	}
	const id = "its id contradicts its scenario_digest, seed, replication or version"
	for _, c := range []struct{ old, with, want string }{
		{`"schema":2`, `"schema":1`, "schema 1, of an mbsim that wrote no checksums: this one reads 2; run the study again, into another folder"},
		{`"schema":2`, `"schema":3`, "schema 3: this mbsim reads 2"},
		{`"id":"` + r.ID, `"id":"` + strings.Repeat("0", 32), id},
		{r.Digest, strings.Repeat("0", 64), id},
		{`"seed":1`, `"seed":2`, id},
		{`"replication":0`, `"replication":1`, id},
		{`"replication":0`, `"replication":-1`, "replication -1: want 0 to 199999"},
		{`"version":"test"`, `"version":"other"`, id},
		{`"setting":"` + r.Setting, `"setting":"`, "it names no setting"},
		{`"fingerprint":"`, `"fingerprint":"0`, "want 16 hexadecimal digits"},
		{`"simulated_ns":`, `"simulated_ns":-`, "neither can be negative"},
		{`"metrics":{`, `"metrics":{},"more":{`, "it has no metrics"},
		{`"mb_reqs":`, `"mb_reqs":-`, "mb_reqs is -"},
		{`"mb_reqs":`, `"mb_requests":`, `unknown metric "mb_requests" (did you mean "mb_reqs"?)`},
		{`"mb_reqs":`, `"mb_reqs":1e99`, "not the record of a run"}, // no number a float64 holds
		{`"metrics":{`, `"metrics":[`, "not the record of a run"},
		{`{"schema"`, `[{"schema"`, "not the record of a run"},
	} {
		bad := resealed(t, lineSeal, first, c.old, c.with)
		put(t, dir, runsName, []byte(string(bad)+second))
		refused(t, dir, "runs.ndjson:1: ")
		refused(t, dir, c.want)
	}
	put(t, dir, runsName, []byte(first+string(resealed(t, lineSeal, first, `"line":1`, `"line":2`))))
	refused(t, dir, "runs.ndjson:2: its run is that of line 1")
}

// A changed record of a shard is refused by whoever reads it.
func TestDamagedShard(t *testing.T) {
	dir := finished(t)
	p, err := ReadPlan(dir)
	if err != nil {
		t.Fatal(err)
	}
	good := read(t, dir, runsName)
	if err := os.Mkdir(filepath.Join(dir, shardsName), 0o777); err != nil {
		t.Fatal(err)
	}
	first := good[:strings.IndexByte(good, '\n')+1]
	const of, with = `"replication":0`, `"replication":1`
	for name, c := range map[string]struct{ text, want string }{
		"shard-0-of-1-7.ndjson": {strings.Replace(good, of, with, 1), "it is not what mbsim wrote"},
		".shard-0-of-1-7.part":  {strings.Replace(good, of, with, 1), "it is not what mbsim wrote"},
		"shard-0-of-1-8.ndjson": {string(resealed(t, lineSeal, first, of, with)), "its id contradicts its scenario_digest, seed, replication or version"},
	} {
		put(t, filepath.Join(dir, shardsName), name, []byte(c.text))
		for what, err := range map[string]error{
			"Open": func() error { _, err := Open(dir, p); return err }(),
			"shard": func() error {
				_, err := Shard(t.Context(), dir, 0, 1, 1, "test")
				return err
			}(),
		} {
			if want := name + ":1: " + c.want; !errors.As(err, new(*UserError)) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error is %v, want %s", what, err, want)
			}
		}
		if err := os.Remove(filepath.Join(dir, shardsName, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// No byte of plan.json or study.json can change.
func TestAnyByteOfObjects(t *testing.T) {
	dir := finished(t)
	for _, name := range []string{planName, resultName} {
		good := read(t, dir, name)
		for i := 0; i < len(good); i += 1 + len(good)/300 {
			bad := []byte(good)
			bad[i] ^= 1
			put(t, dir, name, bad)
			refused(t, dir, name+": ")
		}
		put(t, dir, name, []byte(good[:len(good)-1]))
		refused(t, dir, name+": it does not end with a checksum")
		put(t, dir, name, []byte(good))
	}
	if _, err := Load(dir); err != nil {
		t.Error(err)
	}
}

// Plans and results whose checksum is right, but that cannot be.
func TestContradictoryObjects(t *testing.T) {
	for _, c := range []struct{ name, old, with, want string }{
		{planName, `"schema": 2`, `"schema": 1`, "plan.json: schema 1, of an mbsim that wrote no checksums"},
		{planName, `"scenario": "tiny"`, `"scenario": ""`, "plan.json: scenario: it has no name"},
		{planName, `"replications": 2`, `"replications": 1000000000000`, "plan.json: 1000000000000 replications of 2 settings are more than 200000 runs: no study may have more"},
		{planName, `"replications": 2`, `"replications": 0`, "plan.json: 0 replications: want 1 or more"},
		{planName, `"settings": [`, `"settings": [], "more": [`, "plan.json: 0 settings: want 1 to 10000"},
		{planName, `"baseline": "s_mb_stream_request=0"`, `"baseline": "nope"`, `plan.json: baseline "nope" is no setting: there are s_mb_stream_request=0; s_mb_stream_request=16`},
		{planName, `"name": "s_mb_stream_request=16"`, `"name": "s_mb_stream_request=0"`, "plan.json: settings[1]: there are two settings s_mb_stream_request=0"},
		{planName, `"name": "s_mb_stream_request=16"`, `"name": ""`, "plan.json: settings[1]: it has no name"},
		{planName, `"own": 0`, `"own": 7`, "plan.json: settings[0]: own is 7 of 1 values"},
		{planName, `"config": {`, `"config": 5, "more": {`, "plan.json: settings[0]: config: want a resolved scenario"},
		{planName, `"config": {`, `"config": {"deep": ` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `,`, "config: more than any scenario has"},
		{planName, `"scenario_digest": "`, `"scenario_digest": "x`, "want 64 hexadecimal digits"},
		{planName, `"replications": 2`, `"metric": "none", "replications": 2`, `plan.json: metric: unknown metric "none"`},
		{planName, `"replications": 2`, `"until": {"ci": -1, "max": 9}, "replications": 2`, "plan.json: until: ci -1"},
		{planName, `"replications": 2`, `"until": {"ci": 1, "max": 1}, "replications": 2`, "plan.json: until: ci 1, at most 1 replications"},
		{planName, `"seed": 1`, `"seed": 2`, "study.json:5: not what plan.json and runs.ndjson come to: mbsim merge "},
		{resultName, `"baseline": "s_mb_stream_request=0"`, `"baseline": "nope"`, `study.json: baseline "nope" is no setting`},
		{resultName, `"precise": true`, `"precise": false`, "not what plan.json and runs.ndjson come to"},
		{resultName, `"metrics": {`, `"metrics": {}, "more": {`, "study.json: settings[0].runs[0]: it has no metrics"},
		{resultName, `"mb_reqs": `, `"mb_reqs": 1`, "not what plan.json and runs.ndjson come to"},
		{resultName, `"sd": `, `"sd": 1`, "not what plan.json and runs.ndjson come to"},
		{resultName, `"replication": 1`, `"replication": 0`, "study.json: settings[0].runs[1]: its id contradicts"},
		{resultName, `"settings": [`, `"settings": null, "more": [`, "study.json: 0 settings: want 1 to 10000"},
	} {
		dir := finishedOnce(t)
		put(t, dir, c.name, resealed(t, fileSeal, read(t, dir, c.name), c.old, c.with))
		refused(t, dir, c.want)
	}
}

var onceFinished map[string]string

// finishedOnce is a copy of a study that is performed once.
func finishedOnce(t testing.TB) string {
	t.Helper()
	if onceFinished == nil {
		dir := finished(t)
		onceFinished = make(map[string]string)
		for _, name := range []string{planName, runsName, resultName} {
			onceFinished[name] = read(t, dir, name)
		}
	}
	dir := t.TempDir()
	for name, text := range onceFinished {
		put(t, dir, name, []byte(text))
	}
	return dir
}

// study.json can be taken out of its folder, and holds only what its own runs come to.
func TestResultAlone(t *testing.T) {
	dir := finishedOnce(t)
	for _, name := range []string{planName, runsName} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Load(dir); err != nil {
		t.Error(err)
	}
	put(t, dir, resultName, resealed(t, fileSeal, read(t, dir, resultName), `"sd": `, `"sd": 1`))
	refused(t, dir, "not what plan.json and runs.ndjson come to")
}
