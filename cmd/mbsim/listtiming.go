package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"mbsim/machine/cost"
	"mbsim/machine/device"
)

// listDevices prints the parameters of every device that has any, as timing:
// parameters: takes them.
func listDevices(w io.Writer, markdown bool) {
	first := true
	for _, m := range []device.Medium{device.HDD, device.SSD, device.NVMe} {
		if !first {
			fmt.Fprintln(w)
		}
		first = false
		if markdown {
			fmt.Fprintf(w, "### %v\n\n", m)
		} else {
			fmt.Fprintln(w, strings.ToUpper(m.String()))
		}
		var rows []table.Row
		for _, p := range device.List(m) {
			rows = append(rows, table.Row{p.Name, p.Unit, p.Default, p.Doc, p.Source})
		}
		tableOf(w, markdown, table.Row{"parameter", "unit", "default", "what it is", "where the default comes from"}, rows)
	}
}

// listCosts prints what work takes on a CPU, as timing: costs: takes it.
func listCosts(w io.Writer, markdown bool) {
	var rows []table.Row
	for _, c := range cost.List() {
		rows = append(rows, table.Row{c.Name, c.Unit, c.Default, c.Doc, c.Source})
	}
	tableOf(w, markdown, table.Row{"cost", "unit", "default", "what it is", "where the default comes from"}, rows)
}
