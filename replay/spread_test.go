package replay

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSpread compares a replay with two recordings of its case that are not as the kernel's own:
// each has lines replaced.
func TestSpread(t *testing.T) {
	type change struct{ file, old, new string }
	for _, c := range []struct {
		name          string
		first, second []change
		identical     bool
		within        bool
		parting       int
		outside       string
	}{
		{"alike", nil, nil, true, false, 0, ""},
		{"like the second", []change{{"results.txt", "\n9 ", "\n9 1"}}, nil, true, false, 9, ""},
		{"between the two", []change{{"results.txt", "\n9 ", "\n9 1"}}, []change{{"results.txt", "\n9 ", "\n9 -1"}}, false, true, 9, ""},
		{"a counter outside", []change{{"results.txt", "\n9 ", "\n9 1"}, {"mb_stats.txt", "reqs: ", "reqs: 1"}},
			[]change{{"results.txt", "\n9 ", "\n9 -1"}, {"mb_stats.txt", "reqs: ", "reqs: 1"}}, false, false, 9, "mb_stats: reqs: mbsim 406"},
		{"a file of fewer extents than any", []change{{"results.txt", "\n9 ", "\n9 1"}, {"files.txt", "\n. ", "\n. 0+1@1:0 "}},
			[]change{{"results.txt", "\n9 ", "\n9 -1"}, {"files.txt", "\n. ", "\n. 0+1@1:0 "}}, false, false, 9, "extents of .: mbsim 1"},
		{"before they part", []change{{"results.txt", "\n9 ", "\n9 1"}, {"results.txt", "\n20 ", "\n20 1"}},
			[]change{{"results.txt", "\n9 ", "\n9 1"}, {"results.txt", "\n20 ", "\n20 2"}}, false, false, 20, "the replay differs at line 9"},
		{"requests part", []change{{"trace.txt", "block 2127 ", "block 9 "}}, []change{{"trace.txt", "block 2127 ", "block 8 "}}, false, true, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "case")
			if err := os.CopyFS(dir, os.DirFS("testdata/small-files-1")); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(filepath.Join(dir, "5.10.2"), os.DirFS("testdata/small-files-1/5.10")); err != nil {
				t.Fatal(err)
			}
			for folder, changes := range map[string][]change{"5.10": c.first, "5.10.2": c.second} {
				for _, x := range changes {
					replaceText(t, filepath.Join(dir, folder, x.file), x.old, x.new)
				}
			}
			v, err := Verify(dir, "5.10")
			if err != nil {
				t.Fatal(err)
			}
			if v.Identical != c.identical || v.Within != c.within || v.Parting != c.parting || !strings.HasPrefix(v.Outside, c.outside) || c.outside == "" && v.Outside != "" {
				t.Errorf("got %+v", v)
			}
		})
	}
}

// replaceText replaces the first old in a text of a recording, which becomes unpacked.
func replaceText(t *testing.T, name, old, new string) {
	text, err := readText(name)
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Replace(string(text), old, new, 1)
	if bad == string(text) {
		t.Fatalf("%q is not in %s", old, name)
	}
	if err := os.RemoveAll(name + ".gz"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(bad), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestSpan asks what lies in a spread: a quarter more on both sides, and nothing where all agree.
func TestSpan(t *testing.T) {
	for _, c := range []struct {
		s    span
		n    int64
		want bool
	}{{span{5, 5}, 5, true}, {span{5, 5}, 6, false}, {span{10, 18}, 8, true}, {span{10, 18}, 7, false}, {span{10, 18}, 20, true}, {span{10, 18}, 21, false}, {span{1, 2}, 3, true}, {span{1, 2}, 4, false}} {
		if got := c.s.has(c.n); got != c.want {
			t.Errorf("%d in %v: %v", c.n, c.s, got)
		}
	}
}

// TestCutTrace cuts a trace, and reads it as a recording does.
func TestCutTrace(t *testing.T) {
	const from = "testdata/small-files-1/5.10"
	dir := t.TempDir()
	whole, last, err := recording{from, from}.requests()
	if err != nil || last < 1<<40 {
		t.Fatal(last, err)
	}
	trace, file, err := openText(from + "/trace.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var cut strings.Builder
	const line = 1000
	if err := CutTrace(&cut, trace, from, line); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/requests.txt", []byte(cut.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	got, last, err := recording{dir, from}.requests()
	if err != nil || last != line {
		t.Fatal(last, err)
	}
	want := upTo(whole, line)
	if len(want) == 0 || len(want) == len(whole) {
		t.Fatalf("%d of %d requests", len(want), len(whole))
	}
	if d := matchExchanges(want, got, new(Tally)); d != nil {
		t.Error(d)
	}
	// A text without the mark is refused.
	if err := os.WriteFile(dir+"/requests.txt", []byte("# something\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := (recording{dir, from}).requests(); err == nil {
		t.Error("no error")
	}
}
