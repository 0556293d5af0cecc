package scenarios

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"mbsim/workload"
)

// pathType is a file that must exist.
type pathType struct{}

func (pathType) describe() string { return "the path of a file" }

func (t pathType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.ScalarNode || isNull(n) || n.Value == "" {
		return d.wrong(n, t.describe())
	}
	st, err := os.Stat(resolve(d.dir, n.Value))
	var pe *os.PathError
	switch {
	case errors.As(err, &pe):
		return d.valueErrorf(n, "%s: %v", pe.Path, pe.Err)
	case err != nil:
		return d.valueErrorf(n, "%v", err)
	case st.IsDir():
		return d.valueErrorf(n, "%s is a directory: want a file", n.Value)
	}
	*p.(*string) = n.Value
	return nil
}

func (pathType) encode(p any) *yaml.Node { return text{}.encode(p) }

// resolve leads from a path as written in a scenario in dir to the file.
func resolve(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// scriptType is a script: the path of a file or, if it has several lines, the
// text.
type scriptType struct{}

func (scriptType) describe() string {
	return "the path of a script, or its text (of several lines, after |)"
}

func (t scriptType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.ScalarNode || isNull(n) || n.Value == "" {
		return d.wrong(n, t.describe())
	}
	s := &Script{Text: n.Value}
	var err error
	// A text of several lines is the script itself, one line is the name of a file.
	if strings.Contains(n.Value, "\n") {
		s.Ops, err = workload.ParseScript(strings.NewReader(s.Text), d.file)
		if err == nil {
			err = workload.CheckNoTimes(s.Ops, d.file, "a scenario has a clock of its own")
		}
		if err != nil {
			return d.scriptError(n, err)
		}
	} else {
		var file string
		if err := (pathType{}).decode(d, n, &file); err != nil {
			return err
		}
		if err := s.readFile(file, resolve(d.dir, file)); err != nil {
			return &Error{File: d.file, Message: oneLine(err.Error()), plain: true}
		}
	}
	if len(s.Ops) == 0 {
		return d.valueErrorf(n, "no operation")
	}
	*p.(**Script) = s
	return nil
}

// readFile reads the script at path, which the scenario calls file.
func (s *Script) readFile(file, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var text strings.Builder
	// The text is kept while it is parsed, since the digest needs it.
	s.Ops, err = workload.ParseScript(io.TeeReader(f, &text), path)
	s.File, s.Text = file, text.String()
	if err == nil {
		err = workload.CheckNoTimes(s.Ops, path, "a scenario has a clock of its own")
	}
	return err
}

var placeInText = onUse(`:(\d+):(\d+): (.*)$`)

// scriptError finds the place of an error in a script that stands in the
// scenario.
func (d *decoder) scriptError(n *yaml.Node, err error) error {
	m := placeInText().FindStringSubmatch(err.Error())
	if m == nil {
		return d.errorf(n, "%v", err)
	}
	// The pattern has matched digits, and no text is long enough for more than an int holds.
	line, _ := strconv.Atoi(m[1])
	column, _ := strconv.Atoi(m[2])
	lines := strings.Split(string(d.text), "\n")
	// Only in a literal block (|) of the file itself does each line of the script have a line of
	// its own. Otherwise the place within the script is named.
	if n.Style&yaml.LiteralStyle == 0 || d.origin[n] != "" || n.Line+line > len(lines) {
		return d.errorf(n, "line %d, column %d of the script: %s", line, column, m[3])
	}
	// The text begins in the line after the |, each line with the same indent.
	for _, l := range lines[n.Line:] {
		if body := strings.TrimLeft(l, " "); body != "" {
			column += len(l) - len(body)
			break
		}
	}
	return &Error{File: d.file, Line: n.Line + line, Column: column, Message: oneLine(m[3])}
}

func (scriptType) encode(p any) *yaml.Node {
	s := *p.(**Script)
	switch {
	case s == nil || s.traced: // the recording is written in its place
		return nil
	case s.File != "":
		return scalar("!!str", s.File)
	}
	return textNode(s.Text)
}
