package imports

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mbsim/filesystem/play"
	"mbsim/internal/unpack"
	"mbsim/kernels"
	"mbsim/replay"
	"mbsim/workload"
)

// fileLine is the part of a line of files.txt that a replay must agree in.
var fileLine = regexp.MustCompile(`(?m)^(.*) ino=(\d+) mode=(\d+) size=(\d+)`)

// recordedFile is a file or directory as files.txt has it.
type recordedFile struct{ ino, mode, size string }

func parseFiles(text string) map[string]recordedFile {
	files := make(map[string]recordedFile)
	for _, m := range fileLine.FindAllStringSubmatch(text, -1) {
		files[m[1]] = recordedFile{m[2], m[3], m[4]}
	}
	return files
}

func readPacked(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, release, err := unpack.Text(f)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// performScript performs an imported script, and returns files.txt. Each operation must succeed.
func performScript(t *testing.T, ops []byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"case.env": "SIZE=1G\nMKFS='-b 4096 -O ^orphan_file,^metadata_csum_seed'\nPIDMOD=1\n", "ops": string(ops)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	c, err := workload.ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	sys := kernels.Default()
	layout, err := sys.MakeLayout(c)
	if err != nil {
		t.Fatal(err)
	}
	bad := 0
	out, err := replay.Run(replay.Config{Kernel: sys.Name, Case: c, Layout: layout, Performed: func(r play.Result) {
		if r.Ret < 0 && bad < 5 {
			t.Errorf("line %d (%s): %d", r.Line, workload.FormatOp(c.Ops[r.Line-1]), r.Ret)
			bad++
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(out.Files)
}

// TestTraces imports recordings of real programs, made on a real ext4, and performs them: all that was
// on the device at the end must be there, with its type and size. Further names of a file (hard links)
// the script does not have.
func TestTraces(t *testing.T) {
	for _, name := range []string{"tar", "gitlocal", "sqlite-wal"} {
		t.Run(name, func(t *testing.T) {
			l, err := OpenLog("testdata/traces/" + name + ".log.xz")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			want := parseFiles(readPacked(t, "testdata/traces/"+name+".files.xz"))
			// The repository that is cloned was there before, and does not change.
			state := filepath.Join(t.TempDir(), "list")
			var list strings.Builder
			for _, path := range slices.Sorted(maps.Keys(want)) {
				if path == "repo" || strings.HasPrefix(path, "repo/") {
					kind := map[byte]string{'4': "d", '1': "f"}[want[path].mode[0]]
					fmt.Fprintf(&list, "%s %s %s\n", kind, want[path].size, path)
				}
			}
			if err := os.WriteFile(state, []byte(list.String()), 0o666); err != nil {
				t.Fatal(err)
			}
			var ops bytes.Buffer
			report, err := Strace(l, Options{Root: "/mnt/vol", State: state}, &ops)
			if err != nil {
				t.Fatal(err)
			}
			checkCounts(t, report)
			got := parseFiles(performScript(t, ops.Bytes()))
			compareFiles(t, got, want)
		})
	}
}

// compareFiles compares what is there at the end, but for further names and sizes of directories.
func compareFiles(t *testing.T, got, want map[string]recordedFile) {
	inodes := make(map[string]bool)
	for path, f := range want {
		inodes[f.ino] = inodes[f.ino] || got[path].mode != ""
	}
	bad := 0
	for path, f := range want {
		g, ok := got[path]
		switch {
		case !ok && inodes[f.ino] && f.mode[0] == '1':
			continue // a further name
		case ok && g.mode[0] == f.mode[0] && (f.mode[0] == '4' || g.size == f.size):
			continue
		}
		if bad++; bad < 10 {
			t.Errorf("%s: %+v, want %+v", path, g, f)
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			t.Errorf("%s should not be there", path)
		}
	}
	if len(want) < 3 {
		t.Error("there is nothing to compare with")
	}
}
