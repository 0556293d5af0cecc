package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"mbsim/internal/columns"
	"mbsim/kernels"
)

// listKernels lists the systems that can be mounted.
func listKernels(w io.Writer, markdown bool) {
	var rows []table.Row
	for _, s := range kernels.All() {
		rows = append(rows, table.Row{s.Name, s.FileSystem, s.Doc})
	}
	tableOf(w, markdown, table.Row{"kernel", "file system", "what it is"}, rows)
}

// listChanges lists the changes that kernels differ in.
func listChanges(w io.Writer, markdown bool) {
	var rows []table.Row
	for _, c := range kernels.Changes() {
		since := c.Since
		if c.Stable != "" {
			since += " (stable: " + c.Stable + ")"
		}
		rows = append(rows, table.Row{c.Name, inKernels(c.Kernels), strings.Join(c.Needs, ", "), since, c.Doc})
	}
	tableOf(w, markdown, table.Row{"change", "kernels", "needs", "in mainline since", "what it does"}, rows)
	if !markdown {
		fmt.Fprintln(w, "\n"+columns.Paragraph("A kernel can be run without a change (6.12^NAME) or with one more (6.12+NAME): "+
			"--kernel, --set profile=, profile: in a scenario. docs/CHANGES.md has the commits.", widthOf(w)))
	}
}

// inKernels says which kernels have a change: those from one on, a list, or none.
func inKernels(names []string) string {
	// A change that was taken out before the first kernel here is in none of them.
	if len(names) == 0 {
		return "none"
	}
	all := kernels.Names()
	i := slices.Index(all, names[0])
	// The last system is no kernel of this list: ext2 has no changes.
	if rest := all[i : len(all)-1]; len(names) > 1 && slices.Equal(rest, names) {
		return "from " + names[0] + " on"
	}
	return strings.Join(names, ", ")
}
