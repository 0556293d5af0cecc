package imports

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// openFiles are files with texts, opened for import, in one folder.
func openFiles(t *testing.T, texts [][2]string) []*Log {
	t.Helper()
	dir := t.TempDir()
	var logs []*Log
	for _, x := range texts {
		file := filepath.Join(dir, x[0])
		if err := os.WriteFile(file, []byte(x[1]), 0o666); err != nil {
			t.Fatal(err)
		}
		l, err := OpenLog(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		logs = append(logs, l)
	}
	return logs
}

// TestMerge: logs of strace -ff become one by their times, also over midnight; descriptors that the child
// inherits are known, as its parent's call stands before its first line.
func TestMerge(t *testing.T) {
	f, err := FindFormat("strace")
	if err != nil {
		t.Fatal(err)
	}
	for _, clock := range [][]string{
		{"10.000001", "10.000002", "10.000003", "10.000004", "10.000005"},
		{"23:59:59.999999", "23:59:59.999999", "00:00:00.000001", "00:00:00.000002", "00:00:00.000003"},
	} {
		logs := openFiles(t, [][2]string{
			{"log.8", clock[2] + " write(3, \"\", 5) = 5\n" + clock[4] + " +++ exited with 0 +++\n"},
			{"log.7", clock[0] + " openat(AT_FDCWD, \"/r/a\", O_RDWR|O_CREAT) = 3\n" + clock[1] + " clone(flags=SIGCHLD) = 8\n" + clock[3] + " write(3, \"\", 2) = 2\n"},
		})
		var ops strings.Builder
		r, err := f.Import(logs, Options{Root: "/r"}, func(string) (io.Writer, error) { return &ops, nil })
		if want := "creat f1 a\nwrite f1 0 5\nwrite f1 5 2\nsync\n"; err != nil || ops.String() != want {
			t.Errorf("%v: %v\n%s%+v", clock, err, ops.String(), r)
		}
	}
	for _, c := range []struct {
		files [][2]string
		want  string
	}{
		{[][2]string{{"a.log", "1.5 sync() = 0\n"}, {"b.log", "1.5 sync() = 0\n"}}, "its name ends in the process's number"},
		{[][2]string{{"a.1", "1.5 sync() = 0\n"}, {"a.2", "sync() = 0\n"}}, "a.2:1:1: a log of strace -ff can be merged where it has times in microseconds"},
		{[][2]string{{"a.1", "12:00:00 sync() = 0\n"}, {"a.2", "12:00:00 sync() = 0\n"}}, "a.1:1:1: "},
	} {
		_, err := f.Import(openFiles(t, c.files), Options{Root: "/r"}, func(string) (io.Writer, error) { return io.Discard, nil })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
