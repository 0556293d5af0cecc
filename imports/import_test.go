package imports

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// importText imports a log, and returns its report and its script but for the sync at the end.
func importText(t testing.TB, log string, opt Options) (*Report, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte(log), 0o666); err != nil {
		t.Fatal(err)
	}
	l, err := OpenLog(file)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if opt.Root == "" {
		opt.Root = "/r"
	}
	var ops bytes.Buffer
	report, err := Strace(l, opt, &ops)
	if err != nil {
		t.Fatal(err)
	}
	script, ok := strings.CutSuffix(ops.String(), "sync\n")
	if !ok {
		t.Errorf("the script does not end with a sync:\n%s", ops.String())
	}
	checkCounts(t, report)
	return report, script
}

// checkCounts: every call is counted once.
func checkCounts(t testing.TB, r *Report) {
	t.Helper()
	if sum := r.Performed + r.NoBlock + r.Failed + r.Outside + r.Left() + r.CutOff; sum != r.Calls {
		t.Errorf("%d calls, of which %d are counted: %+v", r.Calls, sum, r)
	}
}

// join is a script of lines.
func join(lines string) string {
	var b strings.Builder
	for l := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		if l = strings.TrimSpace(l); l != "" {
			b.WriteString(l + "\n")
		}
	}
	return b.String()
}

// TestOptions: the working directory, the list of what was there, and lines that are none.
func TestOptions(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte("d 4096 \nd 4096 d\nf 70 d/a b\nl 3 l\nf 0 z\nd 1 lost+found\nf 9 deep/x\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	log := "creat(\"new\", 0644) = 3\nwrite(3, \"\", 4) = 4\nhello\nopen(\"a b\", O_WRONLY|O_APPEND) = 4\nwrite(4, \"\", 4) = 4\n"
	report, got := importText(t, log, Options{Cwd: "/r/d", State: list, Lenient: true})
	want := join(`mkdir d
		creat f1 "d/a b"
		write f1 0 70
		close f1
		creat f1 z
		close f1
		mkdir deep
		creat f1 deep/x
		write f1 0 9
		close f1
		sync
		creat f1 d/new
		write f1 0 4
		open f2 "d/a b"
		write f2 70 4`)
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if report.Foreign != 1 || !strings.Contains(report.FirstOdd, "log:3:1: this is no line of strace") || report.Before != 5 {
		t.Errorf("%+v", report)
	}
	var b bytes.Buffer
	if err := report.WriteText(&b); err != nil || !strings.Contains(b.String(), "lines that are not of the format, the first: ") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// TestStateErrors: a mistake in a list has its place.
func TestStateErrors(t *testing.T) {
	for text, want := range map[string]string{
		"x 1 a":          `list:1:1: the type is "x": want f, d, l, p, s, b or c, as find -printf '%y %s %P\n' writes it`,
		"f 1 a\nf":       `list:2:3: the size is "": want a number of bytes, as find -printf '%y %s %P\n' writes it`,
		"f -1 a":         `list:1:3: the size is "-1": want a number of bytes, as find -printf '%y %s %P\n' writes it`,
		"\nf 1":          `list:2:4: the path is missing: find -printf '%y %s %P\n' writes it`,
		"f 1 ../../a":    "",
		"f 1 a\nf 1 a/b": `list:2:5: "a" is in the list already, and is not the folder of "a/b"`,
		"d 1 a\nf 1 a":   `list:2:5: "a" is in the list already, and is not the folder of "a"`,
	} {
		_, err := readState(strings.NewReader(text), "list")
		if got := ""; err != nil || want != "" {
			if err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%q: %s, want %s", text, got, want)
			}
		}
	}
}

// TestRefused: what is no log of strace, and what cannot be read twice.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	odd := filepath.Join(dir, "odd")
	if err := os.WriteFile(odd, []byte("fio version 3 iolog\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, lenient := range []bool{false, true} {
		l, err := OpenLog(odd)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Strace(l, Options{Root: "/r", Lenient: lenient}, new(bytes.Buffer))
		if err == nil || err.Error() != odd+":1:1: this is no line of strace: want the name of a call and (" {
			t.Errorf("lenient %v: %v", lenient, err)
		}
		l.Close()
	}
	if _, err := OpenLog(dir); err == nil {
		t.Error("a folder is a log")
	}
}

// TestHarmless: a call is either performed or harmless.
func TestHarmless(t *testing.T) {
	for name := range handlers() {
		if harmless[name] {
			t.Errorf("%s is both", name)
		}
	}
}

// TestOrder: two imports of one log are the same, whatever the order of maps.
func TestOrder(t *testing.T) {
	var log strings.Builder
	for _, name := range []string{"c", "a", "b"} {
		log.WriteString("1 open(\"/r/" + name + "\", O_WRONLY) = 3\n1 dup(3) = 7\n1 open(\"/r/x" + name + "\", O_WRONLY|O_CREAT, 0) = 3\n1 fork() = 2\n2 +++ exited with 0 +++\n")
	}
	log.WriteString("1 close_range(0, 100, 0) = 0\n")
	first, ops := importText(t, log.String(), Options{})
	for range 5 {
		again, ops2 := importText(t, log.String(), Options{})
		again.File = first.File
		if ops != ops2 || !reflect.DeepEqual(first, again) {
			t.Fatalf("two imports differ:\n%s\n%s", ops, ops2)
		}
	}
}

// TestMemory: what is closed and removed is forgotten.
func TestMemory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	line := "1 open(\"/r/a\", O_RDWR|O_CREAT, 0644) = 3\n1 write(3, \"\", 9) = 9\n1 fork() = 2\n2 close(3) = 0\n2 +++ exited with 0 +++\n1 close(3) = 0\n1 unlink(\"/r/a\") = 0\n"
	if err := os.WriteFile(file, []byte(strings.Repeat(line, 1000)), 0o666); err != nil {
		t.Fatal(err)
	}
	l, err := OpenLog(file)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	im, err := perform(l, Options{Root: "/r"}, true, nil, new(bytes.Buffer))
	if err != nil {
		t.Fatal(err)
	}
	if len(im.procs) != 1 || len(im.procs[1].files.fds) != 0 || len(im.tree.children) != 0 || len(im.known) != 0 || im.descriptors != 1 || im.space.bytes != 0 || im.space.names != 0 {
		t.Errorf("kept: %d processes, %d names, %d descriptors, %+v", len(im.procs), len(im.tree.children), im.descriptors, im.space)
	}
	if im.report.Performed != 4000 || im.report.Lines != 7000 {
		t.Errorf("%+v", im.report)
	}
}
