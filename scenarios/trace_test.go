package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTrace: a workload may be a recording. What it becomes is performed, the resolved scenario names the
// recording and not the script, and another recording is another scenario.
func TestTrace(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	parse := func(workload string) (*Scenario, error) {
		return Parse([]byte("device: {mkfs: {size: 64M}}\nworkload: "+workload+"\n"), filepath.Join(dir, "s.yaml"), Options{})
	}
	write("log", "openat(AT_FDCWD, \"a\", O_RDWR|O_CREAT) = 3\nhello\nwrite(3, \"\", 5) = 5\n")
	write("list", "f 70 b\n")
	write("files", "f 70 b\n")
	for workload, ops := range map[string]int{
		"{trace: {file: log, root: /r, cwd: /r, lenient: true}}":                              3, // creat, write, sync
		"{trace: {file: log, format: strace, root: /r, cwd: /r, lenient: true, state: list}}": 7, // and creat, write, close, sync
		"{trace: {file: files}}": 4,
		"{trace: files}":         4,
	} {
		s, err := parse(workload)
		if err != nil {
			t.Errorf("%s: %v", workload, err)
			continue
		}
		if n := len(s.Workload.Script.Ops); n != ops {
			t.Errorf("%s: %d operations", workload, n)
		}
		again, err := Parse(s.Resolved(), filepath.Join(dir, "s.yaml"), Options{})
		if err != nil || again.Digest() != s.Digest() || string(again.Resolved()) != string(s.Resolved()) || strings.Contains(string(s.Resolved()), "script") {
			t.Errorf("%s: %v, resolved:\n%s", workload, err, s.Resolved())
		}
	}
	was, err := parse("{trace: files}")
	if err != nil {
		t.Fatal(err)
	}
	write("files", "f 71 b\n")
	if now, err := parse("{trace: files}"); err != nil || now.Digest() == was.Digest() {
		t.Errorf("another list has the same digest, %v", err)
	}
	write("ftrace", "# tracer: nop\n")
	for workload, want := range map[string]string{
		"{trace: {file: log, root: r}}":                       `s.yaml:2:37: root is "r": want an absolute path`,
		"{trace: {file: log}}":                                "s.yaml:2:26: a recording of format strace needs root",
		"{trace: {file: log, root: /r}}":                      "log:2:1: this is no line of strace",
		"{trace: {file: ftrace}}":                             "s.yaml:2:26: a recording of format ftrace becomes no script",
		"{trace: {file: no}}":                                 "no such file or directory",
		"{trace: {file: log, format: straze, root: /r}}":      "s.yaml:2:39: ",
		"{trace: {file: log, root: /r}, script: \"sync\\n\"}": "trace and script are both given",
	} {
		if _, err := parse(workload); err == nil || !strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "script and trace are both given") {
			t.Errorf("%s: %v, want %s", workload, err, want)
		}
	}
}

// TestLoadFolder: a folder that holds scenario.yaml is that scenario, as mbsim import makes it.
func TestLoadFolder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"scenario.yaml": "name: x\ndevice: {mkfs: {size: 64M}}\nworkload: {script: ops}\n", "ops": "sync\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := Load(dir, Options{}); err != nil || s.Name != "x" || len(s.Workload.Script.Ops) != 1 {
		t.Errorf("%v, %v", s, err)
	}
}
