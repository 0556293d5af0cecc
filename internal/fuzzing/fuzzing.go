// Package fuzzing helps fuzz targets to edit texts where it matters. Only tests use it.
package fuzzing

import "regexp"

// scalar is a number of a JSON or CSV text, or a JSON string.
var scalar = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?`)

// ReplaceScalar is text with another text in the place of its number or string n, which
// is counted from the first again after the last. An edit of bytes seldom leaves a text
// that can be parsed; this one does, if with can.
func ReplaceScalar(text []byte, n int, with string) []byte {
	all := scalar.FindAllIndex(text, -1)
	if len(all) == 0 {
		return text
	}
	at := all[n%len(all)]
	out := append([]byte(nil), text[:at[0]]...)
	out = append(out, with...)
	return append(out, text[at[1]:]...)
}
