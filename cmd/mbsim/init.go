package main

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mbsim/internal/atomicfile"
	"mbsim/scenarios"
)

// starters are scenarios to begin with.
//
//go:embed starters/*.yaml
var starters embed.FS

// starterNames are what init knows, the one without an argument first.
var starterNames = []string{"empty", "ci", "database", "mail", "video"}

// schemaFile is the name of the JSON Schema that init writes beside a scenario, and schemaLine names it
// to editors.
const (
	schemaFile = "mbsim.schema.json"
	schemaLine = "# yaml-language-server: $schema=" + schemaFile + "\n"
)

// newInit makes the command init.
func newInit() *cobra.Command {
	out := ""
	c := &cobra.Command{
		Use:   "init [" + strings.Join(starterNames, " | ") + "]",
		Short: "Write a scenario to begin with, with comments",
		Long: `init writes a scenario with comments: of a mail server, a database, video recorders
or continuous integration, or one to fill in. Beside it lies ` + schemaFile + `, by
which editors check and complete it. A file that is there is never written over.`,
		Example: `  mbsim init mail
  mbsim run mail.yaml`,
		Args: cobra.MaximumNArgs(1), ValidArgs: starterNames,
		RunE: func(c *cobra.Command, args []string) error {
			name := starterNames[0]
			if len(args) > 0 {
				name = args[0]
			}
			if out == "" {
				out = name + ".yaml"
			}
			return writeStarter(name, out, c.OutOrStdout())
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "output `file` (default NAME.yaml)")
	return c
}

// writeStarter writes a starter to the file out, and the schema beside it.
func writeStarter(name, out string, stdout io.Writer) error {
	text, err := starters.ReadFile("starters/" + name + ".yaml")
	if err != nil {
		return usagef("there is no scenario %q to begin with: want %s", name, strings.Join(starterNames, ", "))
	}
	if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
		return usagef("%s is there already: give another file with -o", out)
	}
	// The schema is the program's own, so one of another version is replaced.
	schema := filepath.Join(filepath.Dir(out), schemaFile)
	for _, f := range []struct {
		name string
		text []byte
	}{{schema, scenarios.JSONSchema()}, {out, append([]byte(schemaLine), text...)}} {
		if err := atomicfile.Write(f.name, f.text); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(stdout, "%s\n", out)
	return err
}

// newSchema makes the command schema.
func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the language of scenarios as a JSON Schema, for editors",
		Example: `  mbsim schema`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(scenarios.JSONSchema())
			return err
		},
	}
}
