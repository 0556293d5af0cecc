package scenarios

import (
	"bytes"
	"encoding/json"

	"gopkg.in/yaml.v3"
)

// ResolvedJSON is Resolved as JSON, its keys in the same order.
func (s *Scenario) ResolvedJSON() []byte {
	var b, indented bytes.Buffer
	writeJSON(&b, scenarioKeys().encode(s))
	json.Indent(&indented, b.Bytes(), "", "  ") // cannot fail: writeJSON writes JSON
	return indented.Bytes()
}

// writeJSON writes what the tables of keys have encoded.
func writeJSON(b *bytes.Buffer, n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		// The content of a mapping is its keys and values in turn.
		for i := 0; i < len(n.Content); i += 2 {
			if i > 0 {
				b.WriteByte(',')
			}
			writeString(b, n.Content[i].Value)
			b.WriteByte(':')
			writeJSON(b, n.Content[i+1])
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, c := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, c)
		}
		b.WriteByte(']')
	default:
		if n.Tag == "!!str" {
			writeString(b, n.Value)
		} else {
			b.WriteString(n.Value) // a number as strconv writes it, true or false
		}
	}
}

// writeString writes a text as a JSON string.
func writeString(b *bytes.Buffer, s string) {
	e := json.NewEncoder(b)
	// The text is not for a web page: <, > and & stay as they are.
	e.SetEscapeHTML(false)
	e.Encode(s) // cannot fail for a string
	// Encode ends with a newline, which is no part of the string.
	b.Truncate(b.Len() - 1)
}
