package columns

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
)

// TestTable: the widest column of words gives way first, numbers never, and what has no room goes, from
// the last column on.
func TestTable(t *testing.T) {
	c := &Table{Header: table.Row{"metric", "value", "unit"}, Right: []int{2}, Rows: []table.Row{
		{"Group"}, {"  mb_groups_considered_per_req", "1,234,567,890,123", "groups"}, {"Other"}, {"  files", 7, "files"}}}
	print := func(width int) string {
		var b strings.Builder
		if err := c.Write(&b, width); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > 0 && n > width {
				t.Errorf("%d characters in a line of %d:\n%s", n, width, line)
			}
		}
		return b.String()
	}
	has := func(out string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%q is not in\n%s", w, out)
			}
		}
	}
	has(print(0), "  mb_groups_considered_per_req │ 1,234,567,890,123 │ groups\n", "│                 7 │")
	has(print(56), "   mb_groups_considered_ ", "   per_req ", "1,234,567,890,123", "groups")
	if out := print(40); strings.Contains(out, "unit") {
		t.Errorf("the last column is left:\n%s", out)
	} else {
		has(out, "1,234,567,890,123")
	}
	has(print(16), "considered_")
}

// TestWrap: texts are broken between words, and longer words where they are joined.
func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{
		{"a few short words", 9, "a few\nshort\nwords"}, {"mb_max_inode_prealloc", 10, "mb_max_\ninode_\nprealloc"},
		{"abcdefghij", 4, "abcd\nefgh\nij"}, {"", 5, ""}, {"one", 3, "one"}, {"größer als", 6, "größer\nals"},
	} {
		if got := wrap(c.in, c.width); got != c.want {
			t.Errorf("%q in %d: %q, want %q", c.in, c.width, got, c.want)
		}
	}
}
