package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportRequests: a trace of ext4's events, imported and replayed, has the kernel's answers; with another
// setting in case.env it has not.
func TestImportRequests(t *testing.T) {
	dir := t.TempDir()
	c, out := filepath.Join(dir, "case"), filepath.Join(dir, "out")
	mbsim(t, "import", "../../replay/testdata/decide/truncates-1.5.10.txt.gz", "--state", "../../replay/testdata/truncates-1/5.10/before.dumpe2fs.gz", "-o", c)
	if got := mbsim(t, "replay", c, "--kernel", "5.10", "--out", out); got != "104 of 104 requests have the same answer from 5.10\n" {
		t.Errorf("%s", got)
	}
	env, err := os.ReadFile(filepath.Join(c, "case.env"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c, "case.env"), append(env, "TUNABLES=mb_group_prealloc=64\n"...), 0o666); err != nil {
		t.Fatal(err)
	}
	got := mbsim(t, "replay", c, "--kernel", "5.10", "--out", out)
	text, err := os.ReadFile(filepath.Join(out, "decisions.txt"))
	if err != nil || strings.HasPrefix(got, "104 of") || !strings.HasPrefix(string(text), got[:len(got)-1]) || !strings.Contains(string(text), "requests.txt:") {
		t.Errorf("%s%s, %v", got, text, err)
	}
}

// TestImportImage: with an image the case begins as that file system: what is on it need not be made, and is
// found where it lies.
func TestImportImage(t *testing.T) {
	dir := t.TempDir()
	log, c, out := filepath.Join(dir, "log"), filepath.Join(dir, "case"), filepath.Join(dir, "out")
	image, err := filepath.Abs("../../filesystem/image/testdata/small-ext4.img.gz")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(log, []byte("creat(\"/m/new\", 0644) = 3\nwrite(3, \"\", 9000) = 9000\nunlink(\"/m/lost+found/x\") = -1 ENOENT (x)\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	mbsim(t, "import", log, "--root", "/m", "--state", image, "-o", c)
	ops, err := os.ReadFile(filepath.Join(c, "ops"))
	if err != nil || string(ops) != "creat f1 new\nwrite f1 0 9000\nsync\n" {
		t.Errorf("%s, %v", ops, err)
	}
	mbsim(t, "replay", c, "--out", out)
	mbsim(t, "validate", c)
	files, err := os.ReadFile(filepath.Join(out, "files.txt"))
	if err != nil || !strings.Contains(string(files), "\nnew ino=") || strings.Count(string(files), "\n") < 5 {
		t.Errorf("%s, %v", files, err)
	}
}

// TestImportMistakes: what is wrong with a command line or a file is one line, and no folder is left.
func TestImportMistakes(t *testing.T) {
	dir := t.TempDir()
	bad, list := filepath.Join(dir, "bad"), filepath.Join(dir, "list")
	for name, text := range map[string]string{bad: "hello\n", list: "f 5 a\nf x b\n"} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ args, want string }{
		{"import BAD -o OUT", "needs --root DIR"},
		{"import BAD --root /r -o OUT", "bad:1:1: this is no line of strace"},
		{"import LIST -o OUT", "list:2:3: this is no line of find DIR"},
		{"import strac BAD --root /r -o OUT", `unknown format "strac" (did you mean "strace"?)`},
		{"import LIST LIST --root x -o OUT", `--root is "x": want an absolute path`},
		{"import LIST", "import needs -o CASE_DIR"},
		{"import LIST --state NO -o OUT", "no such file or directory"},
		{"import LIST --size x -o OUT", "--size: size \"x\""},
	} {
		var args []string
		for _, a := range strings.Fields(c.args) {
			args = append(args, strings.NewReplacer("BAD", bad, "LIST", list, "OUT", filepath.Join(dir, "case"), "NO", filepath.Join(dir, "no")).Replace(a))
		}
		var stdout, stderr bytes.Buffer
		if code := execute(args, &stdout, &stderr); code != exitUsage || !strings.Contains(stderr.String(), c.want) || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%s: exit code %d, %s", c.args, code, stderr.String())
		}
		if _, err := os.Stat(filepath.Join(dir, "case", "case.env")); err == nil {
			t.Errorf("%s: there is a case", c.args)
		}
	}
}
