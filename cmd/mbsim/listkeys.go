package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"mbsim/scenarios"
)

// listKeys prints the language of scenarios: each section with its keys.
func listKeys(w io.Writer, markdown bool) {
	for i, s := range scenarios.Describe() {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if markdown {
			fmt.Fprintf(w, "### %s\n\n%s\n\n", s.Name, s.Doc)
		} else {
			fmt.Fprintf(w, "%s: %s\n", strings.ToUpper(s.Name), s.Doc)
		}
		// Keys that exclude each other.
		for _, o := range s.OneOf {
			word := "at most"
			if o.Required {
				word = "exactly"
			}
			fmt.Fprintf(w, "(%s one of %s)\n", word, strings.Join(o.Keys, ", "))
		}
		// A row for each key.
		var rows []table.Row
		for _, k := range s.Keys {
			def := k.Default
			if k.Required {
				def = "required"
			}
			rows = append(rows, table.Row{k.Name, k.Type, k.Unit, def, k.Doc})
		}
		tableOf(w, markdown, table.Row{"key", "type", "unit", "default", "what it is"}, rows)
	}
}
