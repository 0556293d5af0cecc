package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"mbsim/scenarios"
)

// TestExamples performs every example of every command's help. They are performed in a folder that
// looks like the repository's, with what the examples read: scenarios (cut down, so that the runs
// are short), a case, an image, and folders of runs and studies.
func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("performs every example, which takes a minute")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	layOut(t, root)
	for _, line := range []string{
		"mbsim run small-files -o out/a -q", "mbsim run small-files -o out/b -q", "mbsim run small-files -o out/base -q",
		"mbsim run small-files -o out/before -q", "mbsim run small-files -o out/after --seed 2 -q",
		"mbsim sweep small-files --set s_mb_order2_reqs=2,9 --reps 2 -o out/orders -q", "mbsim sweep policies -q",
	} {
		performLine(t, line)
	}
	// What writes scenarios and cases comes first, then what makes a run or a study: the others read these.
	rank := func(line string) int {
		switch {
		case strings.HasPrefix(line, "mbsim init "), strings.HasPrefix(line, "mbsim import "):
			return 0
		case strings.HasPrefix(line, "mbsim run "), strings.HasPrefix(line, "mbsim sweep "):
			return 1
		}
		return 2
	}
	examples := examplesOf(t, newRoot())
	slices.SortStableFunc(examples, func(a, b string) int { return rank(a) - rank(b) })
	for _, line := range examples {
		performLine(t, line)
	}
}

// examplesOf are the lines of the examples of a command and of those below it. Each command has
// some.
func examplesOf(t *testing.T, c *cobra.Command) (lines []string) {
	if c.Example == "" {
		t.Errorf("%s: no example in its help", c.CommandPath())
	}
	for line := range strings.Lines(c.Example) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	for _, sub := range c.Commands() {
		lines = append(lines, examplesOf(t, sub)...)
	}
	return lines
}

// performLine performs a command line. It may end well, or with an expectation that is not met, as
// those of a scenario cut down are not.
func performLine(t *testing.T, line string) {
	t.Helper()
	words, err := splitWords(line)
	if err != nil || len(words) == 0 || words[0] != "mbsim" {
		t.Errorf("%s: no command line of mbsim (%v)", line, err)
		return
	}
	var stdout, stderr bytes.Buffer
	if code := execute(words[1:], &stdout, &stderr); code != exitOK && code != exitExpect {
		t.Errorf("%s: exit code %d\n%s", line, code, stderr.String())
	}
}

// splitWords splits a command line as a shell does that has quotes and nothing else.
func splitWords(line string) (words []string, err error) {
	var word strings.Builder
	quote, inWord := rune(0), false
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, inWord = c, true
		case quote == 0 && c == ' ':
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		case quote == 0 && strings.ContainsRune("$`;&|<>", c):
			return nil, fmt.Errorf("%q is more than a command line", c)
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// What makes the runs of a scenario short.
var shorter = []struct {
	long  *regexp.Regexp
	short string
}{
	{regexp.MustCompile(`operations: [0-9]+`), "operations: 300"},
	{regexp.MustCompile(`files: [0-9]{4,}`), "files: 200"},
	{regexp.MustCompile(`replications: [0-9]+`), "replications: 1"},
	{regexp.MustCompile(`mkfs: \{size: [0-9]+[GT]`), "mkfs: {size: 256M"},
}

// layOut fills the current folder with what examples read.
func layOut(t *testing.T, root string) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.Mkdir("scenarios", 0o777))
	for _, s := range scenarios.List() {
		text, ok := scenarios.Source(s.Name)
		if !ok {
			t.Fatalf("no scenario %s", s.Name)
		}
		for _, x := range shorter {
			text = x.long.ReplaceAll(text, []byte(x.short))
		}
		// A file comes before the scenario that is built in.
		check(os.WriteFile(s.Name, text, 0o666))
		check(os.WriteFile(filepath.Join("scenarios", s.Name+".yaml"), text, 0o666))
	}
	check(os.Symlink(filepath.Join(root, "replay"), "replay"))
	check(os.Symlink(filepath.Join(root, "imports/testdata/traces/tar.log.xz"), "log.strace.xz"))
	check(os.Symlink(filepath.Join(root, "filesystem/image/testdata/small-ext4.img.gz"), "disk.img"))
}

// TestExitCodesNameAll: wherever a help or the README lists exit codes, 1 is among them.
func TestExitCodesNameAll(t *testing.T) {
	texts := map[string]string{}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	texts["README.md"] = string(readme)
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		texts[c.CommandPath()] = c.Long
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(newRoot())
	lists := 0
	for name, text := range texts {
		for _, list := range regexp.MustCompile(`(?s)[Ee]xit codes(?: of all commands)?: (.*?)(?:\n\n|$)`).FindAllStringSubmatch(text, -1) {
			lists++
			codes := regexp.MustCompile(`(?:^|[,;]\s+)([0-9]+) [a-z]`).FindAllStringSubmatch(list[1], -1)
			var have []string
			for _, c := range codes {
				have = append(have, c[1])
			}
			for _, want := range []string{"0", "1", "2"} {
				if !slices.Contains(have, want) {
					t.Errorf("%s: exit code %s is not in the list %q", name, want, list[1])
				}
			}
		}
	}
	if lists < 6 {
		t.Errorf("%d lists of exit codes", lists)
	}
}

// TestOneSpelling: a flag that several commands have is the same in all: its short form, and what
// its value is called. What --out names is a file where a command writes only one.
func TestOneSpelling(t *testing.T) {
	short := map[string]string{"out": "o", "quiet": "q", "jobs": "j"}
	value := map[string]string{"out": "folder", "kernel": "kernel", "format": "format", "metric": "name"}
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		for name, want := range short {
			if f := c.Flags().Lookup(name); f != nil && f.Shorthand != want {
				t.Errorf("%s --%s: its short form is %q, want -%s", c.CommandPath(), name, f.Shorthand, want)
			}
		}
		for name, want := range value {
			if f := c.Flags().Lookup(name); f != nil && !strings.Contains(strings.ReplaceAll(f.Usage, "`file`", "`folder`"), "`"+want+"`") {
				t.Errorf("%s --%s: %q does not call its value %s", c.CommandPath(), name, f.Usage, want)
			}
		}
		// What --format says has no flag of its own that users are told of.
		for _, name := range []string{"json", "markdown", "csv"} {
			if f := c.Flags().Lookup(name); f != nil && !f.Hidden {
				t.Errorf("%s --%s: want --format %s", c.CommandPath(), name, name)
			}
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(newRoot())
}
