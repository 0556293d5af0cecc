package study

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// seal is how a checksum stands at the end of a JSON object: between two texts, as
// the object's last field. It is of all that comes before, so that no byte of the
// object can change unnoticed.
type seal struct{ before, after string }

// The seals of a record, which is one line, and of a file that is one object.
var (
	lineSeal = seal{`,"checksum":"`, `"}` + "\n"}
	fileSeal = seal{",\n \"checksum\": \"", "\"\n}\n"}
)

// sumDigits are the hexadecimal digits of a checksum: the first of a SHA-256.
const sumDigits = 16

func checksum(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text))[:sumDigits] }

// end is how an object without a checksum ends.
func (s seal) end() string { return strings.TrimPrefix(s.after, `"`) }

// add puts the checksum into an object, which ends as s.end says.
func (s seal) add(object []byte) []byte {
	text := bytes.TrimSuffix(object, []byte(s.end()))
	return joined(text, s.before, checksum(text), s.after)
}

// joined is a text with others behind it, in memory of its own.
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

// open checks the checksum of an object and returns the object without it.
func (s seal) open(sealed []byte) (object []byte, err error) {
	text, ok := bytes.CutSuffix(sealed, []byte(s.after))
	at := len(text) - sumDigits
	if !ok || at < 0 || !bytes.HasSuffix(text[:at], []byte(s.before)) {
		return nil, errNoChecksum
	}
	sum := string(text[at:])
	text = text[:at-len(s.before)]
	if checksum(text) != sum {
		return nil, errChecksum
	}
	return joined(text, s.end()), nil
}
