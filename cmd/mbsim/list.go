package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mbsim/internal/columns"
	"mbsim/kernels"
	"mbsim/reports"
	"mbsim/scenarios"
)

var lists = []string{"scenarios", "tunables", "metrics", "keys", "devices", "costs", "kernels", "changes"}

// listFormats are the values of --format.
var listFormats = []string{formatText, formatMarkdown}

// newList makes the command list.
func newList() *cobra.Command {
	format := ""
	c := &cobra.Command{
		Use:   "list [" + strings.Join(lists, " | ") + "] [KEY]",
		Short: "List scenarios, tunables, metrics, the keys of a scenario, devices, costs, kernels and changes",
		Long: `list prints what there is: scenarios, tunables and metrics, or one of its lists.
list keys KEY tells of one key of scenarios alone.

Tables are as wide as the terminal, or as the environment's COLUMNS; where that is too
narrow for words, columns at the end are left out. What goes into a file or a pipe is as
wide as it needs to be, unless COLUMNS is set.`,
		Example: `  mbsim list
  mbsim list keys
  mbsim list keys think
  mbsim list metrics --format markdown`,
		Args: cobra.MaximumNArgs(2), ValidArgs: lists,
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkFormat(format, listFormats...); err != nil {
				return err
			}
			markdown := format == formatMarkdown
			w, f := c.OutOrStdout(), reports.Text
			if markdown {
				f = reports.Markdown
			}
			what := ""
			if len(args) > 0 {
				what = args[0]
			}
			if len(args) == 2 {
				if what != "keys" {
					return usagef("list %s takes no name; list keys KEY does", what)
				}
				return listKey(w, markdown, args[1])
			}
			switch what {
			// Without an argument the three lists that most users look for are printed.
			case "":
				listScenarios(w, markdown)
				fmt.Fprintln(w)
				listTunables(w, markdown)
				fmt.Fprintln(w)
				return reports.MetricList(w, f, widthOf(w))
			case "scenarios":
				listScenarios(w, markdown)
			case "tunables":
				listTunables(w, markdown)
			case "metrics":
				return reports.MetricList(w, f, widthOf(w))
			case "keys":
				listKeys(w, markdown)
			case "devices":
				listDevices(w, markdown)
			case "costs":
				listCosts(w, markdown)
			case "kernels":
				listKernels(w, markdown)
			case "changes":
				listChanges(w, markdown)
			default:
				return usagef("unknown list %q: want %s or %s", what, strings.Join(lists[:len(lists)-1], ", "), lists[len(lists)-1])
			}
			return nil
		},
	}
	addFormat(c, &format, listFormats...)
	return c
}

// tableOf prints rows below a header, as wide as the terminal.
func tableOf(w io.Writer, markdown bool, header table.Row, rows []table.Row) {
	t := &columns.Table{Header: header, Rows: rows}
	// What cannot be printed is noticed where standard output is closed.
	if markdown {
		_ = t.Markdown(w)
		return
	}
	_ = t.Write(w, widthOf(w))
}

// listScenarios lists the scenarios that come with mbsim.
func listScenarios(w io.Writer, markdown bool) {
	var rows []table.Row
	for _, s := range scenarios.List() {
		rows = append(rows, table.Row{s.Name, s.Question})
	}
	tableOf(w, markdown, table.Row{"scenario", "question"}, rows)
}

// listTunables lists the tunables of all systems.
func listTunables(w io.Writer, markdown bool) {
	var rows []table.Row
	for _, t := range kernels.AllTunables() {
		rows = append(rows, table.Row{t.Field, t.Sysfs, t.Unit, t.Default, t.Doc})
	}
	tableOf(w, markdown, table.Row{"tunable", "in /sys/fs/ext4/DEV", "unit", "default", "what it does"}, rows)
}
