package replay

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mbsim/kernels"
	"mbsim/workload"
)

// recorded are the kernels that cases are recorded on, and how many cases the project keeps of
// each.
var recorded = map[string]int{"5.10": 26, "6.1": 24, "6.12": 25, "6.18": 21, "7.2": 21, "7.3": 21}

// TestRecordings compares with the project's copy of the recordings.
func TestRecordings(t *testing.T) {
	for kernel, n := range recorded {
		dirs, err := filepath.Glob("testdata/*/" + kernel)
		if err != nil || len(dirs) != n {
			t.Fatalf("%s: %d cases, %v", kernel, len(dirs), err)
		}
		check(t, dirs)
	}
}

// TestOracle compares with recordings elsewhere: those of the workplace, or of
// the folders that CASES matches.
func TestOracle(t *testing.T) {
	pattern := os.Getenv("CASES")
	if pattern == "" {
		pattern = "../../shared/oracle/cases/*"
	}
	var dirs []string
	for _, s := range kernels.All() {
		more, _ := filepath.Glob(pattern + "/" + s.Recording)
		if s.Name == s.Recording {
			dirs = append(dirs, more...)
		}
	}
	if len(dirs) == 0 {
		t.Skip("no recordings in " + pattern)
	}
	check(t, dirs)
}

func check(t *testing.T, dirs []string) {
	for _, d := range dirs {
		dir, kernel := filepath.Dir(d), filepath.Base(d)
		name := filepath.Base(dir)
		t.Run(name+"/"+kernel, func(t *testing.T) {
			v, err := Verify(dir, kernel)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("files %v groups %v counters %v operations %v requests %v", v.Files, v.Groups, v.Counters, v.Results, v.Requests)
			if v.Identical {
				return
			}
			// What differs by rules may be chance (docs/MODEL.md, Races).
			if v.InTurnsIdentical() {
				t.Logf("identical in turns: %v", v.InTurns.Turns)
				return
			}
			if v.InTurns != nil {
				t.Errorf("in turns: %s", v.InTurns.Difference)
			}
			t.Error(v.Difference)
		})
	}
}

// TestVerifySeesDifferences damages a recording in each text: a comparison that
// cannot fail shows nothing.
func TestVerifySeesDifferences(t *testing.T) {
	const source = "testdata/small-files-1"
	for _, damage := range []struct {
		file, old, new, want string
	}{
		{"files.txt", "size=", "size=1", "files.txt:2:"},
		{"mb_groups.txt", "#1    : ", "#1    : 9", "mb_groups.txt:3:"},
		{"mb_stats.txt", "reqs: ", "reqs: 1", "mb_stats.txt:2:"},
		{"results.txt", "\n9 ", "\n9 -", "line 9 (write x"},
		{"trace.txt", "block 2127 ", "block 9 ", "request "},
	} {
		t.Run(damage.file, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "case")
			if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
				t.Fatal(err)
			}
			replaceText(t, filepath.Join(dir, "5.10", damage.file), damage.old, damage.new)
			v, err := Verify(dir, "5.10")
			if err != nil {
				t.Fatal(err)
			}
			if v.Identical || !strings.Contains(v.Difference, damage.want) {
				t.Errorf("got %+v, want a difference at %q", v, damage.want)
			}
		})
	}
}

// TestRefusedTunable verifies a case with a tunable that the kernel does not have: the recorder could
// not set it, and noted that. Without the note it is a mistake.
func TestRefusedTunable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	if err := os.CopyFS(dir, os.DirFS("testdata/truncates-1")); err != nil {
		t.Fatal(err)
	}
	env, err := os.ReadFile(dir + "/case.env")
	if err != nil {
		t.Fatal(err)
	}
	env = append(env, "TUNABLES=mb_max_inode_prealloc=2\n"...)
	if err := os.WriteFile(dir+"/case.env", env, 0o644); err != nil {
		t.Fatal(err)
	}
	v, err := Verify(dir, "6.12")
	if err != nil || v.Identical || !strings.Contains(v.Difference, "kernel 6.12 has no tunable") {
		t.Errorf("not refused: %+v, %v", v, err)
	}
	if err := os.WriteFile(dir+"/6.12/error", []byte("TUNABLE mb_max_inode_prealloc=2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	v, err = Verify(dir, "6.12")
	if err != nil || !v.Identical || !strings.HasPrefix(v.Missing[0], "mb_max_inode_prealloc: ") {
		t.Errorf("refused by the recorder: %+v, %v", v, err)
	}
}

// TestVerifyListsWhatIsMissing: what a recording lacks is named and nothing else, and what is
// left is compared.
func TestVerifyListsWhatIsMissing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	if err := os.CopyFS(dir, os.DirFS("testdata/small-files-1")); err != nil {
		t.Fatal(err)
	}
	verify := func() (*Verdict, error) { return VerifyRecording(dir, "5.10", "host") }
	remove := func(names ...string) {
		t.Helper()
		for _, name := range names {
			if err := os.Remove(filepath.Join(dir, "host", name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Rename(dir+"/5.10", dir+"/host"); err != nil {
		t.Fatal(err)
	}
	if v, err := verify(); err != nil || !v.Identical || v.Missing != nil {
		t.Errorf("%+v, %v", v, err)
	}
	// A text that this kernel has none of, and those that the recording has not.
	if err := os.WriteFile(dir+"/host/mb_structs.txt", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	remove("trace.txt.gz", "mb_stats.txt.gz", "mb_groups.txt.gz")
	want := []string{
		"trace.txt: the recording has none", "mb_groups.txt: the recording has none", "mb_stats.txt: the recording has none",
		"mb_structs.txt: mbsim has none for this kernel",
	}
	v, err := verify()
	if err != nil || !v.Identical || !slices.Equal(v.Missing, want) || v.Files.Total == 0 || v.Counters.Total+v.Requests.Total > 0 {
		t.Errorf("%+v, %v", v, err)
	}
	// A trace without requests.
	if err := os.WriteFile(dir+"/host/trace.txt", []byte("# nothing\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if v, err := verify(); err != nil || !v.Identical || v.Missing[0] != "trace.txt: it shows no requests for blocks" {
		t.Errorf("%+v, %v", v, err)
	}
	// With neither files nor results there is nothing to compare.
	remove("files.txt.gz")
	if v, err := verify(); err != nil || !v.Identical {
		t.Errorf("%+v, %v", v, err)
	}
	remove("results.txt.gz")
	if v, err := verify(); err == nil {
		t.Errorf("%+v", v)
	}
}

// TestMkfsLayout performs a case on the layout that mkfs computes, which must
// end as on the recorded one.
func TestMkfsLayout(t *testing.T) {
	const dir = "testdata/directories-1"
	c, err := workload.ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	made, err := kernels.Default().MakeLayout(c)
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadLayout(dir + "/5.10")
	if err != nil {
		t.Fatal(err)
	}
	a, err := Run(Config{Kernel: "5.10", Case: c, Layout: made})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Run(Config{Kernel: "5.10", Case: c, Layout: read})
	if err != nil {
		t.Fatal(err)
	}
	if string(a.Files) != string(b.Files) || string(a.Groups) != string(b.Groups) || string(a.Stats) != string(b.Stats) {
		t.Error("the outcomes differ")
	}
}

// BenchmarkReplay performs a whole case: small files on four CPUs.
func BenchmarkReplay(b *testing.B) {
	const dir = "testdata/small-files-1"
	c, err := workload.ReadCase(dir)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		l, err := kernels.Default().MakeLayout(c)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Run(Config{Kernel: "5.10", Case: c, Layout: l}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(c.Ops)*b.N)/b.Elapsed().Seconds(), "operations/s")
}
