package main

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// squeeze leaves out of a text what lays it out.
func squeeze(s string) string {
	s = strings.NewReplacer("│", " ", "─", " ", "┼", " ", "\n", " ").Replace(s)
	return strings.Join(strings.Fields(s), "")
}

// tooWide is the first line that is wider than width, "" if there is none.
func tooWide(out string, width int) string {
	for line := range strings.Lines(out) {
		if line = strings.TrimSuffix(line, "\n"); utf8.RuneCountInString(line) > width {
			return line
		}
	}
	return ""
}

// TestTablesFitTheTerminal: no line of a list, or of what run, sweep and compare print, is wider
// than the terminal, down to 80 columns without losing a word. Where nobody says how wide it may be,
// what is not a terminal gets every table in its own width.
func TestTablesFitTheTerminal(t *testing.T) {
	dir := t.TempDir()
	set := []string{"--set", "stop.operations=400"}
	sweep := append([]string{"sweep", "small-files", "--set", "s_mb_order2_reqs=2,9", "--reps", "2", "-o", dir + "/study"}, set...)
	run := append([]string{"run", "small-files-smp", "--no-plots", "--force", "--all", "-o", dir + "/run"}, set...)
	commands := [][]string{run, sweep, {"compare", dir + "/study:s_mb_order2_reqs=2", dir + "/study:s_mb_order2_reqs=9"}, {"compare", dir + "/study"}}
	for _, list := range lists {
		commands = append(commands, []string{"list", list})
	}
	for _, c := range commands {
		t.Setenv("COLUMNS", "")
		wide := printed(t, c)
		for _, width := range []int{132, 80, 60, 40} {
			t.Setenv("COLUMNS", strconv.Itoa(width))
			out := printed(t, c)
			// The line that names the folder can be copied, and is the terminal's to wrap.
			if line := tooWide(strings.ReplaceAll(out, dir, ""), width); line != "" && width >= 60 {
				t.Errorf("%v on %d columns: a line of %d:\n%s", c, width, utf8.RuneCountInString(line), line)
			}
			// Two settings beside each other need 82: there the unit goes, which the list of metrics has.
			atLeast := 80
			if c[0] == "compare" && len(c) == 3 {
				atLeast = 132
				if width >= 80 && !strings.Contains(out, "B is\n") && !strings.Contains(out, "B is  unit\n") {
					t.Errorf("%v on %d columns: no verdict\n%s", c, width, out)
				}
			}
			if width >= atLeast && len(squeeze(out)) < len(squeeze(wide)) {
				t.Errorf("%v on %d columns: %d characters, %d without limit", c, width, len(squeeze(out)), len(squeeze(wide)))
			}
		}
		if line := tooWide(wide, 80); line == "" && c[0] == "list" && c[1] != "scenarios" {
			t.Errorf("%v without a terminal is not in its own width", c)
		}
	}
}

// printed is what a command prints. An expectation may be not met.
func printed(t *testing.T, args []string) string {
	t.Helper()
	var stdout, stderr strings.Builder
	if code := execute(args, &stdout, &stderr); code != exitOK && code != exitExpect {
		t.Fatalf("%v: exit code %d: %s", args, code, stderr.String())
	}
	return stdout.String()
}

// TestListOneKey: a key alone is told with each section that has it; one that nobody has is a mistake.
func TestListOneKey(t *testing.T) {
	out := mbsim(t, "list", "keys", "user")
	for _, part := range []string{"process class", "workload", "UID[:GID[,GID...]]", "1000", "root"} {
		if !strings.Contains(out, part) {
			t.Errorf("%q is not in\n%s", part, out)
		}
	}
	if strings.Contains(out, "fsync_on_close") {
		t.Error("other keys are listed")
	}
	var stdout, stderr strings.Builder
	if code := execute([]string{"list", "keys", "usr"}, &stdout, &stderr); code != exitUsage || !strings.Contains(stderr.String(), `"user"`) {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
