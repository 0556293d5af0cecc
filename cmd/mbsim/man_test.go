package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestManPages: every command has a page, with each of its flags, its examples and every line of its
// help; nothing in it is taken for a request of roff.
func TestManPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	mbsim(t, "man", "-o", dir)
	var visit func(c *cobra.Command)
	plain := strings.NewReplacer(`\-`, "-", `\e`, `\`, `\(ha`, "^", `\(ti`, "~", `\(ga`, "`", `\&`, "")
	visit = func(c *cobra.Command) {
		if c.Hidden {
			return
		}
		raw, err := os.ReadFile(filepath.Join(dir, manName(c)+".1"))
		if err != nil {
			t.Fatal(err)
		}
		page := strings.Join(strings.Fields(plain.Replace(string(raw))), "")
		for line := range strings.Lines(c.Long + "\n" + c.Example) {
			for _, word := range strings.Fields(line) {
				if !strings.Contains(page, word) {
					t.Errorf("%s: %q is not in the page", c.CommandPath(), word)
				}
			}
		}
		c.LocalFlags()
		for line := range strings.Lines(c.LocalFlags().FlagUsages()) {
			if name := strings.Fields(line)[0]; strings.HasPrefix(name, "--") && !strings.Contains(page, name) {
				t.Errorf("%s: %s is not in the page", c.CommandPath(), name)
			}
		}
		// A line begins with a request that this file writes, or with none.
		for line := range strings.Lines(string(raw)) {
			request, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if strings.HasPrefix(request, "'") || strings.HasPrefix(request, ".") && !strings.Contains(" .TH .SH .PP .TP .B .br .ti .ad .nh ", " "+request+" ") {
				t.Errorf("%s: %q is a request", c.CommandPath(), line)
			}
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(newRoot())
	// A folder that cannot be one is the user's mistake.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"man"}, {"man", "-o", file}} {
		var stdout, stderr strings.Builder
		if code := execute(args, &stdout, &stderr); code != exitUsage {
			t.Errorf("%v: exit code %d: %s", args, code, stderr.String())
		}
	}
}
