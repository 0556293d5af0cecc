package scenarios

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"mbsim/metrics"
)

// samples are texts that load, for tests that need some.
func samples(t testing.TB) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, i := range List() {
		raw, ok := Source(i.Name)
		if !ok {
			t.Fatalf("%s is listed but not there", i.Name)
		}
		all[i.Name] = string(raw)
	}
	for _, name := range []string{"base", "everything"} {
		all[name] = string(mustRead(t, "testdata/"+name+".yaml"))
	}
	return all
}

func mustRead(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The resolved form is a scenario that resolves to itself.
func TestResolvedIsStable(t *testing.T) {
	for name, text := range samples(t) {
		s, err := parseTest0(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := parseTest0(string(s.Resolved()))
		if err != nil {
			t.Errorf("%s, resolved: %v\n%s", name, err, s.Resolved())
			continue
		}
		if !bytes.Equal(s.Resolved(), again.Resolved()) || s.Digest() != again.Digest() {
			t.Errorf("%s: resolved twice:\n%s", name, diff(string(s.Resolved()), string(again.Resolved())))
		}
		again.Workload.classes, again.Sweep, s.made, again.made = s.Workload.classes, s.Sweep, nil, nil
		if !reflect.DeepEqual(s, again) {
			t.Errorf("%s: read again it is\n%+v\nnot\n%+v", name, again, s)
		}
	}
}

// parseTest0 accepts any metric.
func parseTest0(text string) (*Scenario, error) { return Parse([]byte(text), "in.yaml", Options{}) }

// The JSON form says the same as the YAML form.
func TestResolvedJSON(t *testing.T) {
	for name, text := range samples(t) {
		s, err := parseTest0(text)
		if err != nil {
			t.Fatal(err)
		}
		var fromJSON, fromYAML any
		if err := json.Unmarshal(s.ResolvedJSON(), &fromJSON); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, s.ResolvedJSON())
		}
		if err := yaml.Unmarshal(s.Resolved(), &fromYAML); err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(fromYAML)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &fromYAML); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(fromJSON, fromYAML) {
			t.Errorf("%s: JSON\n%v\nYAML\n%v", name, fromJSON, fromYAML)
		}
	}
}

// The resolved form of a scenario that uses every key, as people see it in a
// manifest. Rewrite with UPDATE=1.
func TestResolvedGolden(t *testing.T) {
	s, err := Load("testdata/everything.yaml", Options{})
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/everything.resolved"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, s.Resolved(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, got := string(mustRead(t, golden)), string(s.Resolved()); got != want {
		t.Errorf("changed:\n%s", diff(want, got))
	}
}

// Every key of the language is used in everything.yaml, so the goldens above
// cover it.
func TestEverythingIsUsed(t *testing.T) {
	raw := mustRead(t, "testdata/everything.yaml")
	for _, s := range Describe() {
		for _, k := range s.Keys {
			if s.Name == "device" && k.Name != "mkfs" || s.Name == "workload" && k.Name != "phases" || s.Name == "trace" || s.Name == "mkfs" && k.Name == "options" {
				continue // one of them at a time
			}
			if !strings.Contains(string(raw), k.Name+":") {
				t.Errorf("%s: no %s", s.Name, k.Name)
			}
		}
	}
}

// What changes a run changes the digest; comments and layout do not.
func TestDigest(t *testing.T) {
	const text = "# Q\ndevice: {mkfs: {size: 64M}}\nworkload: {script: script}\n"
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	digest := func(text string, sets ...string) string {
		t.Helper()
		s, err := Parse([]byte(text), filepath.Join(dir, "s.yaml"), Options{Sets: sets})
		if err != nil {
			t.Fatal(err)
		}
		return s.Digest()
	}
	write("script", "sync\n")
	d := digest(text)
	if len(d) != 64 || digest(text) != d {
		t.Errorf("digest %q", d)
	}
	if digest("# Q\ndevice:\n  # why\n  mkfs: {size: 65536K}\nworkload: {script: script}\n") != d {
		t.Error("layout and comments changed the digest")
	}
	if digest(text, "seed=2") == d || digest(text, "s_mb_order2_reqs=3") == d {
		t.Error("another seed or tunable did not change the digest")
	}
	write("script", "sync\nsync\n")
	if digest(text) == d {
		t.Error("another script did not change the digest")
	}
	write("dump", "a")
	other := strings.Replace(text, "mkfs: {size: 64M}", "dumpe2fs: dump", 1)
	d = digest(other)
	write("dump", "b")
	if digest(other) == d {
		t.Error("another device did not change the digest")
	}
	other = strings.Replace(text, "mkfs: {size: 64M}", "image: dump", 1)
	write("dump", strings.Repeat("x", 5000))
	d = digest(other)
	write("dump", strings.Repeat("x", 1500)+"y"+strings.Repeat("x", 3499))
	if digest(other) == d {
		t.Error("another superblock did not change the digest")
	}
}

// Each scenario opens with a comment that asks a question, gives its file's name
// and names metrics that exist.
func TestBuiltIn(t *testing.T) {
	var names, known []string
	for _, m := range metrics.List() {
		known = append(known, m.Name)
	}
	for _, i := range List() {
		names = append(names, i.Name)
		s, err := Load("scenarios/"+i.Name+".yaml", Options{Metrics: known})
		if err != nil {
			t.Error(err)
			continue
		}
		if s.Name != i.Name || s.Question != i.Question || !strings.HasSuffix(i.Question, "?") || len(i.Question) > 90 {
			t.Errorf("%s: it asks %q", i.Name, s.Question)
		}
	}
	for _, want := range []string{"churn-near-full", "policies", "small-files", "sparse-writes", "streams", "untar"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not among %v", want, names)
		}
	}
}

func TestLoad(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"smal-files", `smal-files: no such file, and unknown scenario "smal-files" (did you mean "small-files"?)`},
		{"elsewhere/small-files.yaml", `elsewhere/small-files.yaml: no such file, and unknown scenario "small-files" (did you mean "small-files"?)`},
		{"testdata", "testdata: a folder, not a scenario"},
	} {
		_, err := Load(c.name, Options{})
		if got := strings.TrimSpace(oneError(t, err)); got != c.want {
			t.Errorf("%s: got %s\nwant %s", c.name, got, c.want)
		}
	}
	s, err := Load("testdata/base.yaml", Options{})
	if err != nil || s.Name != "base" || s.Path("x") != filepath.Join("testdata", "x") || s.Path("/x") != "/x" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestExpect(t *testing.T) {
	s, err := parseTest0("device: {mkfs: {size: 64M}}\nworkload: {script: \"sync\\n\"}\nexpect: [a < 1, mean b <= 2.5, \"max c == 0\", {metric: d, op: '>=', value: -1e3}, {metric: e, op: \">\", stat: min, value: 4}]\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		text      string
		yes, no   float64
		yes2, no2 float64
	}{
		{"last a < 1", 0.9, 1, -5, 2}, {"mean b <= 2.5", 2.5, 2.6, 0, 3}, {"max c == 0", 0, 1, 0, -1},
		{"last d >= -1000", -1000, -1001, 0, -2000}, {"min e > 4", 5, 4, 4.1, 3},
	}
	for i, w := range want {
		e := s.Expect[i]
		if e.String() != w.text || !e.Holds(w.yes) || !e.Holds(w.yes2) || e.Holds(w.no) || e.Holds(w.no2) {
			t.Errorf("%v, want %s", e, w.text)
		}
	}
}
