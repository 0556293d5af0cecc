package main

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"mbsim/internal/atomicfile"
	"mbsim/reports"
)

// newMan makes the command man.
func newMan() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "man",
		Short: "Write manual pages, one for each command",
		Long: `man writes mbsim.1 and a page for each command, such as mbsim-run.1, made of the same
texts as --help. Installed into a folder that man looks into they are read by man mbsim-run.

Exit codes: 0 all is well, 1 mbsim itself or the machine failed, 2 the command line is
wrong, 130 interrupted.`,
		Example: `  mbsim man -o out/man
  mbsim man -o man1`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			// All pages are written, or none.
			if out == "" {
				return usagef("--out says which folder the pages are written into")
			}
			if st, err := os.Stat(out); err == nil && !st.IsDir() {
				return usagef("%s: is not a folder", out)
			}
			if err := os.MkdirAll(out, fs.ModePerm); err != nil {
				return err
			}
			return atomicfile.WriteAll(out, manPages(c.Root()))
		},
	}
	addOut(c, &out, "required; it is made if it is not there")
	return c
}

// manPages are the pages of a command and of those below it, by the names of their files.
func manPages(c *cobra.Command) map[string][]byte {
	pages := map[string][]byte{manName(c) + ".1": []byte(manPage(c))}
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			for name, text := range manPages(sub) {
				pages[name] = text
			}
		}
	}
	return pages
}

// manName is what a command's page is called.
func manName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manPage is the page of one command, in the language of man(7).
func manPage(c *cobra.Command) string {
	var b strings.Builder
	// What it is, and how it is called. The page has no date, so that it has the same bytes always.
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"mbsim %s\" \"mbsim\"\n", roff(strings.ToUpper(manName(c))), roff(reports.Build().Version))
	b.WriteString(".ad l\n.nh\n") // flags and file names are not hyphenated
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(manName(c)), roff(c.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(c.UseLine()))
	b.WriteString(".SH DESCRIPTION\n")
	manText(&b, c.Long)
	// The flags, and the examples.
	c.InitDefaultHelpFlag()
	b.WriteString(".SH OPTIONS\n")
	manFlags(&b, c.LocalFlags().FlagUsages())
	b.WriteString(".SH EXAMPLES\n")
	for line := range strings.Lines(c.Example) {
		fmt.Fprintf(&b, ".TP 4\n.B %s\n", roff(strings.TrimSpace(line)))
	}
	// Where to read on.
	var see []string
	if c.HasParent() {
		see = append(see, manName(c.Parent())+"(1)")
	}
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			see = append(see, manName(sub)+"(1)")
		}
	}
	if see != nil {
		fmt.Fprintf(&b, ".SH SEE ALSO\n%s\n", roff(strings.Join(see, ", ")))
	}
	return b.String()
}

// manFlags writes what the flags are, of the lines that --help has: a flag, three blanks or more, and
// what it is.
func manFlags(b *strings.Builder, usages string) {
	for line := range strings.Lines(usages) {
		flag, usage, _ := strings.Cut(strings.TrimSpace(line), "   ")
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(flag), roff(strings.TrimSpace(usage)))
	}
}

// manText writes a help's text. Paragraphs are filled. Of lines that begin with two blanks, those
// that have a term, two blanks or more and a sentence are lists; the others stay as they are.
func manText(b *strings.Builder, s string) {
	const (
		text    = iota
		list    // the sentence of a term
		literal // a line as it is
	)
	state := text
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\n ")
		body := strings.TrimLeft(line, " ")
		indent := len(line) - len(body)
		term, sentence, isList := strings.Cut(body, "  ")
		switch {
		case body == "":
			b.WriteString(".PP\n")
			state = text
		case indent == 0:
			if state != text {
				b.WriteString(".PP\n")
			}
			fmt.Fprintln(b, roff(body))
			state = text
		case indent <= 3 && isList:
			fmt.Fprintf(b, ".TP 16\n.B %s\n%s\n", roff(term), roff(strings.TrimSpace(sentence)))
			state = list
		case indent > 3 && state == list:
			fmt.Fprintln(b, roff(body))
		default:
			fmt.Fprintf(b, ".br\n.ti +4\n%s\n", roff(body))
			state = literal
		}
	}
}

// roff is a text in which nothing is taken for a request or an escape, and in which a hyphen can be
// copied.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "^", `\(ha`, "~", `\(ti`, "`", `\(ga`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
