package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestListsFitTheTerminal: no line of a list is wider than the terminal, down to 80 columns without
// losing a column, and each word of the wide list is in the narrow one.
func TestListsFitTheTerminal(t *testing.T) {
	words := func(s string) string {
		s = strings.NewReplacer("│", " ", "─", " ", "┼", " ", "\n", " ").Replace(s)
		return strings.Join(strings.Fields(s), "")
	}
	for _, list := range lists {
		if list == "metrics" {
			continue // package reports lays that out
		}
		for _, columns := range []string{"80", "100", "132", "40"} {
			t.Setenv("COLUMNS", columns)
			out := mbsim(t, "list", list)
			width := map[string]int{"80": 80, "100": 100, "132": 132, "40": 40}[columns]
			for line := range strings.Lines(out) {
				line = strings.TrimSuffix(line, "\n")
				// Titles and sentences outside of tables are the terminal's to wrap.
				if n := utf8.RuneCountInString(line); n > width && strings.Contains(line, "│") {
					t.Errorf("list %s: a line of %d characters on %s columns:\n%s", list, n, columns, line)
					break
				}
			}
			t.Setenv("COLUMNS", "")
			if wide := mbsim(t, "list", list); columns == "80" && len(words(out)) < len(words(wide)) {
				t.Errorf("list %s: %d characters on 80 columns, %d without limit", list, len(words(out)), len(words(wide)))
			}
		}
	}
}

// TestWrapWords: texts are broken between words, and longer words where they are joined.
func TestWrapWords(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{
		{"a few short words", 9, "a few\nshort\nwords"}, {"mb_max_inode_prealloc", 10, "mb_max_\ninode_\nprealloc"},
		{"abcdefghij", 4, "abcd\nefgh\nij"}, {"", 5, ""}, {"one", 3, "one"}, {"größer als", 6, "größer\nals"},
	} {
		if got := wrapWords(c.in, c.width); got != c.want {
			t.Errorf("%q in %d: %q, want %q", c.in, c.width, got, c.want)
		}
	}
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
