package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"mbsim/internal/input"
)

// parse reads the one document of a file as a mapping, and refuses what YAML
// allows but a scenario does not need: anchors, merge keys, tags, a key twice.
func (d *decoder) parse(text []byte) (*yaml.Node, error) {
	// Both limits are checked before yaml.v3 reads the text, since it takes much memory for each
	// value.
	if len(text) > input.MaxScenario {
		return nil, &Error{Message: (&input.TooLong{Name: d.file, What: "a scenario", Max: input.MaxScenario}).Error(), plain: true}
	}
	if line := tooManyValues(text); line > 0 {
		return nil, &Error{File: d.file, Line: line, Column: 1, Message: fmt.Sprintf("more than %d keys and values: too many for a scenario", maxValues)}
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	doc, err := nextDocument(dec)
	if errors.Is(err, io.EOF) || err == nil && isNull(doc.Content[0]) {
		return nil, &Error{File: d.file, Line: 1, Column: 1, Message: "the file is empty: want a scenario"}
	}
	if err != nil {
		return nil, d.syntaxError(err, text)
	}
	// A file is one document: after it comes the end, and nothing else.
	second, err := nextDocument(dec)
	if err == nil {
		return nil, d.errorf(second, "a second document: want one scenario a file")
	}
	if !errors.Is(err, io.EOF) {
		return nil, d.syntaxError(err, text)
	}
	root := doc.Content[0]
	// This comes before the look at what the root is, so that an alias or a tag there is named as
	// such.
	if err := d.plain(root); err != nil {
		return nil, err
	}
	if root.Kind != yaml.MappingNode {
		return nil, d.wrong(root, "a scenario (a mapping)")
	}
	return root, nil
}

// maxValues is how many keys and values a scenario may have. yaml.v3 takes hundreds of
// bytes for each, and for a short one a hundred times what it has in the file.
const maxValues = 500000

// tooManyValues returns the line, counted from 1, in which a text exceeds maxValues, or 0
// if it does not. It does not parse the text: it counts the signs of YAML that divide keys
// and values. The lines of a script inside a scenario have none of these.
func tooManyValues(text []byte) int {
	line, values, begins := 1, 0, true
	for i, c := range text {
		// A colon, dash or question mark divides only before white space. The end of the text
		// counts as the end of a line.
		next := byte('\n')
		if i+1 < len(text) {
			next = text[i+1]
		}
		space := next == ' ' || next == '\n' || next == '\r' || next == '\t'
		switch {
		case c == ',' || c == '[' || c == '{', c == ':' && space, (c == '-' || c == '?') && begins && space:
			values++
			if values > maxValues {
				return line
			}
		case c == '\n':
			line++
		}
		// True while nothing but indentation and marks of lists and keys has been seen in this
		// line.
		begins = c == '\n' || begins && (c == ' ' || c == '-' || c == '?')
	}
	return 0
}

// nextDocument reads a document. yaml.v3 has panicked on malformed text before:
// that is an error too.
func nextDocument(dec *yaml.Decoder) (doc *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	doc = new(yaml.Node)
	if err := dec.Decode(doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 {
		return nil, io.EOF
	}
	return doc, nil
}

var yamlLine = onUse(`^yaml: (?:line (\d+): )?`)

var unknownAnchor = onUse(`^unknown anchor '(.*)' referenced`)

// syntaxError gives an error of yaml.v3 a place: it knows the line, not the
// column.
func (d *decoder) syntaxError(err error, text []byte) error {
	message := err.Error()
	m := yamlLine().FindStringSubmatch(message)
	e := &Error{File: d.file, Line: 1, Column: 1, Message: message}
	if m != nil {
		e.Message = message[len(m[0]):]
		if n, err := strconv.Atoi(m[1]); err == nil {
			e.Line = n
		}
	}
	// An alias without its anchor is reported without a place: look for it in the text.
	lines := strings.Split(string(text), "\n")
	if m := unknownAnchor().FindStringSubmatch(e.Message); m != nil {
		for i, line := range lines {
			if at := strings.Index(line, "*"+m[1]); at >= 0 {
				e.Line, e.Column, e.Message = i+1, at+1, "alias *"+m[1]+": write the value out"
				return e
			}
		}
	}
	// yaml.v3 may name a line past the last. The column is that of the line's first letter.
	e.Line = min(max(e.Line, 1), len(lines))
	if e.Line > 0 {
		line := lines[e.Line-1]
		e.Column = 1 + len(line) - len(strings.TrimLeft(line, " \t"))
	}
	e.Message = oneLine("not YAML: " + e.Message)
	// These two messages say little to a user: add what to do.
	switch {
	case strings.Contains(e.Message, "cannot start any token"):
		e.Message += " (indent with spaces; quote a value that begins with a special character)"
	case strings.Contains(e.Message, "comment or line break"):
		e.Message += ` (quote a value that begins with > or |, such as ">=")`
	}
	return e
}

// plain refuses what makes a document more than keys and values.
func (d *decoder) plain(n *yaml.Node) error {
	switch {
	case n.Kind == yaml.AliasNode:
		return d.errorf(n, "alias *%s: write the value out", n.Value)
	case n.Anchor != "":
		return d.errorf(n, "anchor &%s: write the value where it is needed", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		return d.errorf(n, "tag %s: leave it out", n.Tag)
	}
	if n.Kind == yaml.MappingNode {
		seen := make(map[string]int, len(n.Content)/2)
		for i := 0; i < len(n.Content); i += 2 {
			k := n.Content[i]
			switch {
			case k.Kind == yaml.AliasNode:
				// Refused below, where all of the content is visited.
			case k.Kind != yaml.ScalarNode:
				return d.errorf(k, "want a key, found %s", found(k))
			case k.Tag == "!!merge":
				return d.errorf(k, "merge key <<: write the keys out")
			case seen[k.Value] > 0:
				return d.errorf(k, "key %q is given twice, first in line %d", k.Value, seen[k.Value])
			}
			seen[k.Value] = max(k.Line, 1)
		}
	}
	for _, c := range n.Content {
		if err := d.plain(c); err != nil {
			return err
		}
	}
	return nil
}

// firstComment is the first line of the comment a file opens with: the question
// the scenario answers.
func firstComment(text []byte) string {
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		line = strings.TrimSpace(line)
		comment, ok := strings.CutPrefix(line, "#")
		// The header ends with the first line that is neither a comment nor empty.
		if line != "" && !ok {
			return ""
		}
		comment = strings.TrimSpace(strings.TrimLeft(comment, "#"))
		// A line that tells an editor the schema is no question.
		if comment != "" && !strings.HasPrefix(comment, "yaml-language-server") {
			return strings.ToValidUTF8(comment, "?")
		}
	}
	return ""
}
