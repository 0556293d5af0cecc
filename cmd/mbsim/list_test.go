package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"mbsim/kernels"
)

// TestListChanges sees that every change is listed, also one that no kernel has.
func TestListChanges(t *testing.T) {
	for _, args := range [][]string{{"list", "changes"}, {"list", "changes", "--format", "markdown"}} {
		out := mbsim(t, args...)
		for _, c := range kernels.Changes() {
			if !strings.Contains(out, c.Name) {
				t.Errorf("%v does not have %s", args, c.Name)
			}
		}
	}
}

// TestLists runs every list that the command knows, in each form it has, and sees that tables
// come out: rows of as many cells as their header, each with a name, and the same names in every
// form of a list.
func TestLists(t *testing.T) {
	names := newList().ValidArgs
	if len(names) < 8 {
		t.Fatalf("there are the lists %v", names)
	}
	seen := make(map[string]string)
	for _, list := range append(slices.Clone(names), "") {
		args := append([]string{"list"}, strings.Fields(list)...)
		markdown := mbsim(t, append(args, "--format", "markdown")...)
		want := tableNames(t, list, markdown)
		// The smallest list is that of the kernels.
		if len(want) < 6 {
			t.Errorf("list %s: only %q", list, want)
		}
		for _, more := range listForms() {
			out := mbsim(t, append(args, more...)...)
			for _, name := range want {
				if !strings.Contains(out, name) {
					t.Errorf("list %s %v does not have %q", list, more, name)
				}
			}
			if strings.Contains(out, "%!") || strings.Contains(out, "<nil>") || strings.TrimSpace(out) == "" {
				t.Errorf("list %s %v: %s", list, more, out)
			}
			if slices.Contains(more, "--json") && !json.Valid([]byte(out)) {
				t.Errorf("list %s %v is no JSON: %s", list, more, out)
			}
		}
		// Two lists are not one under two names.
		if other, twice := seen[markdown]; twice {
			t.Errorf("list %s prints what list %s does", list, other)
		}
		seen[markdown] = list
	}
}

// listForms are the ways to ask for a list: plainly, with each form that the command has, and
// for each kernel if it takes one.
func listForms() [][]string {
	forms := [][]string{nil}
	flags := newList().Flags()
	for _, name := range []string{"markdown", "json"} {
		if flags.Lookup(name) != nil {
			forms = append(forms, []string{"--" + name})
		}
	}
	if flags.Lookup("kernel") != nil {
		for _, k := range kernels.Names() {
			forms = append(forms, []string{"--kernel", k})
		}
	}
	return forms
}

// tableNames are what the rows of Markdown's tables begin with. It refuses tables that are not
// whole.
func tableNames(t *testing.T, list, markdown string) (names []string) {
	t.Helper()
	cells := 0 // of the table at hand, 0 between two
	for line := range strings.Lines(markdown) {
		row, ok := strings.CutPrefix(strings.TrimSpace(strings.ReplaceAll(line, `\|`, "/")), "|")
		if !ok {
			cells = 0
			continue
		}
		n := strings.Count(row, "|")
		name, _, _ := strings.Cut(row, "|")
		name = strings.Trim(name, " `*\\")
		switch {
		case cells == 0: // the header
			cells = n
		case strings.HasPrefix(name, "---"):
		case n != cells || name == "":
			t.Errorf("list %s: a row of %d cells in a table of %d: %s", list, n, cells, line)
		default:
			names = append(names, name)
		}
	}
	return names
}
