package study

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// seal is how a checksum is attached to a JSON object: as its last field, between the texts
// before and after. The checksum is of all bytes before that field, so that none of them can
// change unnoticed.
type seal struct{ before, after string }

// The seals of a record, which is one line, and of a file that is one object.
var (
	lineSeal = seal{`,"checksum":"`, `"}` + "\n"}
	fileSeal = seal{",\n \"checksum\": \"", "\"\n}\n"}
)

// sumDigits are the hexadecimal digits of a checksum: the first of a SHA-256.
const sumDigits = 16

// checksum returns the first digits of a text's SHA-256.
func checksum(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text))[:sumDigits] }

// end is the text with which an object without a checksum ends.
func (s seal) end() string { return strings.TrimPrefix(s.after, `"`) }

// add attaches the checksum to an object, which ends with s.end().
func (s seal) add(object []byte) []byte {
	text := bytes.TrimSuffix(object, []byte(s.end()))
	return joined(text, s.before, checksum(text), s.after)
}

// joined returns a copy of text with more behind it.
func joined(text []byte, more ...string) []byte {
	out := bytes.Clone(text)
	for _, m := range more {
		out = append(out, m...)
	}
	return out
}

var (
	errNoChecksum = errors.New("it does not end with a checksum")
	errChecksum   = errors.New("it is not what mbsim wrote: its checksum is another")
)

// open checks the checksum of an object, and returns the object without it.
func (s seal) open(sealed []byte) (object []byte, err error) {
	// Cut off the end, and find the checksum by its fixed length.
	text, ok := bytes.CutSuffix(sealed, []byte(s.after))
	at := len(text) - sumDigits
	if !ok || at < 0 || !bytes.HasSuffix(text[:at], []byte(s.before)) {
		return nil, errNoChecksum
	}
	// The checksum is of what comes before its field.
	sum := string(text[at:])
	text = text[:at-len(s.before)]
	if checksum(text) != sum {
		return nil, errChecksum
	}
	return joined(text, s.end()), nil
}
