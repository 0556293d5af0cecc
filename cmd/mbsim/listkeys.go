package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"mbsim/internal/columns"
	"mbsim/internal/nearest"
	"mbsim/scenarios"
)

// listKey prints one key, with each section of the language that has it.
func listKey(w io.Writer, markdown bool, name string) error {
	var rows []table.Row
	var names []string
	for _, s := range scenarios.Describe() {
		for _, k := range s.Keys {
			names = append(names, k.Name)
			if k.Name == name {
				rows = append(rows, append(table.Row{s.Name}, rowOf(&k)[1:]...))
			}
		}
	}
	if len(rows) == 0 {
		best, _ := nearest.Of(name, names)
		return usagef("no key of scenarios is called %q (did you mean %q?)", name, best)
	}
	tableOf(w, markdown, table.Row{name + " of a", "type", "unit", "default", "what it is"}, rows)
	return nil
}

// rowOf is a key as a row of a table.
func rowOf(k *scenarios.Key) table.Row {
	def := k.Default
	if k.Required {
		def = "required"
	}
	return table.Row{k.Name, k.Type, k.Unit, def, k.Doc}
}

// listKeys prints the language of scenarios: each section with its keys.
func listKeys(w io.Writer, markdown bool) {
	for i, s := range scenarios.Describe() {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if markdown {
			fmt.Fprintf(w, "### %s\n\n%s\n\n", s.Name, s.Doc)
		} else {
			fmt.Fprintln(w, columns.Paragraph(strings.ToUpper(s.Name)+": "+s.Doc, widthOf(w)))
		}
		// Keys that exclude each other.
		for _, o := range s.OneOf {
			word := "at most"
			if o.Required {
				word = "exactly"
			}
			fmt.Fprintln(w, columns.Paragraph(fmt.Sprintf("(%s one of %s)", word, strings.Join(o.Keys, ", ")), widthOf(w)))
		}
		// A row for each key.
		var rows []table.Row
		for _, k := range s.Keys {
			rows = append(rows, rowOf(&k))
		}
		tableOf(w, markdown, table.Row{"key", "type", "unit", "default", "what it is"}, rows)
	}
}
