package workload

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestNames: any name is read as it was written, and common ones are written as they are.
func TestNames(t *testing.T) {
	names := []string{"a b", " ", "a\nb", `"`, `a"b`, `\`, `a\ b`, "\xff", "é", "a\u00a0b", "\u0085", "tab\there", "#", "a ", "\x7f", "\r", strings.Repeat(" ", 255)}
	for c := 1; c < 256; c++ {
		if c != '/' && c != '.' { // alone they are no name
			names = append(names, string([]byte{byte(c)}), "x"+string([]byte{byte(c)}))
		}
	}
	for _, name := range names {
		text := "rename " + string(AppendName(nil, name)) + " " + string(AppendName(nil, name+"/x")) + "\n"
		ops, err := ParseScript(strings.NewReader(text), "ops")
		if err != nil || len(ops) != 1 || ops[0].Path != name || ops[0].To != name+"/x" {
			t.Errorf("%q is written as %s and read as %v, %v", name, text, ops, err)
		}
		// Whoever splits a line at white space, as the guest does outside quotes, sees no more words.
		if strings.ContainsAny(strings.Trim(text, "\n"), "\n\r\t\v\f\x00") {
			t.Errorf("%q has a control character", text)
		}
	}
	for _, name := range []string{"a", "d/f.txt", "é", `a"b`, `a\b`, "x#"} {
		if got := string(AppendName(nil, name)); got != name {
			t.Errorf("%q is written as %s", name, got)
		}
	}
}

const scriptIntro = `# The language of scripts

The file ` + "`ops`" + ` of a case says what a process does: ` + "`mbsim replay`" + ` performs it on a simulated file
system, and ` + "`oracle/record.sh`" + ` on that of a real kernel. ` + "`mbsim script`" + ` writes such a file from a scenario,
and ` + "`mbsim import`" + ` from a recording of a real program ([IMPORT.md](IMPORT.md)). This page is made from the parser's
own table by ` + "`go test ./workload -run ScriptDoc -rewrite`" + `; do not edit.

One operation stands on a line, its words apart by white space. Empty lines, and lines that begin with #, mean
nothing. Offsets and lengths are in bytes, times in nanoseconds, numbers are decimal.

- **FD** is a name for a descriptor: any word. Several may stand for one file. A name that is given to a second
  file leaves the first one open, out of reach.
- **PATH** and **NEW** are paths from the root of the file system. They cannot leave it.
  They may lead through symbolic links; one at the end is not followed, and cannot be opened (ELOOP).
- A name with white space, with a quote or a # at its beginning, or with bytes that are no text stands between
  double quotes, with the escapes of a string of Go: ` + "`\\\"` `\\\\` `\\n` `\\t` `\\x20`" + `. So ` + "`mkdir \"a b\\x0ac\"`" + ` makes a directory
  whose name has a space and a newline. files.txt writes names so too.
- What stands in brackets may be left out.

An operation that fails is no mistake: results.txt has its error number.

| operation | what it does |
|---|---|
`

// scriptDoc is docs/SCRIPT.md.
func scriptDoc() []byte {
	var b bytes.Buffer
	b.WriteString(scriptIntro)
	for k := range verbs {
		if Kind(k) == At {
			b.WriteString("\nThe lines of a run with its times (`mbsim script --times`), for `mbsim replay` alone; case.env must say TIMES=1,\nand recorders pass over them:\n\n| operation | what it does |\n|---|---|\n")
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", verbs[k].usage(), verbs[k].doc)
	}
	b.WriteString("\nFiles `ops.0`, `ops.1`, ... beside `ops` are scripts of several processes, which run all at once after `ops`.\n")
	return b.Bytes()
}

// TestScriptDoc: docs/SCRIPT.md is made from the table of the parser.
func TestScriptDoc(t *testing.T) {
	const path = "../docs/SCRIPT.md"
	want := scriptDoc()
	if flag.Lookup("rewrite").Value.String() == "true" { // the flag of datadriven
		if err := os.WriteFile(path, want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(was, want) {
		t.Errorf("%s is not that of the parser: go test ./workload -run ScriptDoc -rewrite makes it anew", path)
	}
	for k := range verbs {
		if verbs[k].doc == "" {
			t.Errorf("%s has no text", verbs[k].name)
		}
	}
}
