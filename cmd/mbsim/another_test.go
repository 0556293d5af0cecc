package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnotherRunIsKept: a run does not write over the results of one with other settings unless it
// is told to, but replaces its own.
func TestAnotherRunIsKept(t *testing.T) {
	dir := t.TempDir()
	scenario, out := filepath.Join(dir, "s.yaml"), filepath.Join(dir, "out")
	text := "device: {mkfs: {size: 16M}}\nworkload:\n  classes: [{name: p, mix: {create: 1}, file_size: 4K}]\nstop: {operations: 5}\n"
	if err := os.WriteFile(scenario, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flags []string
		code  int
		seed  string // in the manifest afterwards
	}{
		{nil, exitOK, `"seed": 1,`},
		{nil, exitOK, `"seed": 1,`},
		{[]string{"--seed", "2"}, exitUsage, `"seed": 1,`},
		{[]string{"--set", "stop.operations=6"}, exitUsage, `"seed": 1,`},
		{[]string{"--seed", "2", "--force"}, exitOK, `"seed": 2,`},
		{nil, exitUsage, `"seed": 2,`},
	} {
		var stdout, stderr bytes.Buffer
		code := execute(append([]string{"run", scenario, "-o", out, "--no-plots", "-q"}, c.flags...), &stdout, &stderr)
		if code != c.code {
			t.Errorf("%v: exit code %d, want %d: %s", c.flags, code, c.code, stderr.String())
		}
		if c.code == exitUsage && (strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), "--force")) {
			t.Errorf("%v: %q", c.flags, stderr.String())
		}
		manifest, err := os.ReadFile(filepath.Join(out, "manifest.json"))
		if err != nil || !strings.Contains(string(manifest), c.seed) {
			t.Errorf("%v: the manifest has not %s: %v", c.flags, c.seed, err)
		}
	}
}

// TestVersion: the flag prints what the command does.
func TestVersion(t *testing.T) {
	var command, flag, stderr bytes.Buffer
	if execute([]string{"version"}, &command, &stderr) != exitOK || execute([]string{"--version"}, &flag, &stderr) != exitOK {
		t.Fatal(stderr.String())
	}
	if command.String() != flag.String() || !strings.HasPrefix(flag.String(), "mbsim ") {
		t.Errorf("version prints\n%s--version\n%s", command.String(), flag.String())
	}
}

// TestFolderOf: runs with other settings get other folders, whose names are no paths and not too long.
func TestFolderOf(t *testing.T) {
	long := "workload=" + strings.Repeat("x", 300)
	for _, c := range []struct {
		sets []string
		want string
	}{
		{nil, "out/untar"}, {[]string{"s_mb_order2_reqs=4", "seed=2"}, "out/untar,s_mb_order2_reqs=4,seed=2"},
		{[]string{"workload.phases.0.classes.0.count=8"}, "out/untar,count=8"},
		{[]string{"device.image=../a b/disk.img"}, "out/untar,image=.._a_b_disk.img"},
		{[]string{"profile=6.12^best-avail-len"}, "out/untar,profile=6.12^best-avail-len"},
	} {
		if got := folderOf("untar", c.sets); got != filepath.FromSlash(c.want) {
			t.Errorf("%v: %s, want %s", c.sets, got, c.want)
		}
	}
	one, other := folderOf("untar", []string{long}), folderOf("untar", []string{long + "y"})
	if one == other || len(one) > 120 {
		t.Errorf("%s and %s", one, other)
	}
}
