package kernels

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write docs/CHANGES.md anew")

const changesIntro = `# Changes between kernels

Every change of ext4 that mbsim knows between Linux 5.10.223 and the kernels after it. Made
from the lists in allocator/mballoc/changes.go and filesystem/ext4/changes.go by
` + "`go test ./kernels -run ChangesDoc -rewrite`" + `; do not edit. ` + "`mbsim list changes`" + ` prints them.

A kernel is a set of changes. Each can be switched alone, together with what it needs:

    profile: {kernel: 6.12, without: [best-avail-len]}     # in a scenario
    mbsim run untar --kernel 6.12^best-avail-len           # on the command line
    mbsim sweep untar --set profile=6.12,6.12^best-avail-len,6.12+stream-goals
    mbsim bisect untar --from 6.1 --to 7.2                 # which of them makes a difference?

In one text, as results, tables and plans have it, + stands before a change that is added and
^ before one that is left out, in the order of this page, those that are added first.

*since* is the first version of mainline that has the change. A kernel may have one that is
younger than its series, where the stable release took it over; a change that came in pieces
is of the version of the piece that decides. *stable releases* are those from which on their
series has it; where only a series stands, some release of it took the change over.
`

// changesDoc is docs/CHANGES.md: a table of who has what, and a section for each change.
func changesDoc() []byte {
	var b bytes.Buffer
	b.WriteString(changesIntro)
	// The kernels that are sets of changes, oldest first.
	var names []string
	for _, s := range All() {
		if s.compose != nil {
			names = append(names, s.Name)
		}
	}
	fmt.Fprintf(&b, "\n| change | since | %s |\n|---|---|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)))
	for _, c := range Changes() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |", c.Name, c.Name, c.Since)
		for _, name := range names {
			mark := " "
			if c.In(name) {
				mark = " x "
			}
			b.WriteString(mark + "|")
		}
		b.WriteString("\n")
	}
	// Each change in full.
	for _, c := range Changes() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", c.Name, c.Doc)
		for title := range strings.SplitSeq(c.Commit, "; ") {
			fmt.Fprintf(&b, "- commit: %s\n", title)
		}
		fmt.Fprintf(&b, "- since: %s\n", c.Since)
		if c.Stable != "" {
			fmt.Fprintf(&b, "- stable releases: %s\n", c.Stable)
		}
		if c.Needs != nil {
			fmt.Fprintf(&b, "- needs: %s\n", strings.Join(c.Needs, ", "))
		}
		fmt.Fprintf(&b, "- acts in: %s\n", c.Where)
	}
	return b.Bytes()
}

// TestChangesDoc: docs/CHANGES.md is made from the registry.
func TestChangesDoc(t *testing.T) {
	const path = "../docs/CHANGES.md"
	want := changesDoc()
	if *rewrite {
		if err := os.WriteFile(path, want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(was, want) {
		t.Errorf("%s is not that of the registry: go test ./kernels -run ChangesDoc -rewrite makes it anew", path)
	}
	// A title with a semicolon would be torn.
	if !slices.ContainsFunc(Changes(), func(c Change) bool { return strings.Contains(c.Commit, "; ") }) {
		t.Error("no change has several commits")
	}
}
