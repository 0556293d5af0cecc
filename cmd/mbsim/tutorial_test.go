package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTutorial performs docs/TUTORIAL.md: its file mine.yaml, and every command of mbsim in its order. Each
// line of output that it shows is one of the command before it, with the same words and verdicts;
// numbers may differ a little from one version to the next.
func TestTutorial(t *testing.T) {
	if testing.Short() {
		t.Skip("performs two studies and more, which takes seconds")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(root, "docs/TUTORIAL.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("COLUMNS", "")
	for name, from := range map[string]string{"disk.txt.gz": "docs/tutorial/disk.txt.gz", "log.strace.xz": "imports/testdata/traces/tar.log.xz"} {
		if err := os.Symlink(filepath.Join(root, from), name); err != nil {
			t.Fatal(err)
		}
	}
	fence, commands, shown := "", 0, 0
	var output, yaml string
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		command := strings.TrimPrefix(line, "    ")
		switch {
		case fence == "" && strings.HasPrefix(line, "```"):
			fence, yaml = line, ""
		case line == "```":
			if fence == "```yaml" {
				if err := os.WriteFile("mine.yaml", []byte(yaml), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			fence = ""
		case fence == "```yaml":
			yaml += line + "\n"
		case fence == "```text":
			shown++
			if !strings.Contains(shape(output), "\n"+shape(line)+"\n") {
				t.Errorf("the tutorial shows a line that is not printed (its numbers left out):\n%s\nof\n%s", line, output)
			}
		case command != line && strings.HasPrefix(command, "mbsim "):
			commands++
			output = "\n" + performed(t, command)
		}
	}
	if commands < 12 || shown < 8 {
		t.Errorf("%d commands, %d lines of output", commands, shown)
	}
}

// performed is what a command line prints, which ends well.
func performed(t *testing.T, line string) string {
	t.Helper()
	words, err := splitWords(line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	var stdout, stderr bytes.Buffer
	if code := execute(words[1:], &stdout, &stderr); code != exitOK {
		t.Errorf("%s: exit code %d\n%s", line, code, stderr.String())
	}
	return stdout.String()
}

var (
	aNumber = regexp.MustCompile(`[+-]?[0-9][0-9.,]*`)
	blanks  = regexp.MustCompile(` +`)
)

// shape is a text without its numbers and without how it is laid out.
func shape(s string) string { return blanks.ReplaceAllString(aNumber.ReplaceAllString(s, "0"), " ") }
