// Package input reads what users give: files, standard input, what was compressed.
// Nothing is read without a limit, so that an endless or damaged input is refused in
// one line, early, and memory follows what an input holds, not what it says it holds.
package input

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
)

// The longest inputs that are read, in bytes.
const (
	MaxScenario = 64 << 20 // a scenario: a script may stand in it
	MaxCaseEnv  = 1 << 20  // case.env
	MaxWhole    = 1 << 30  // what is kept in memory: results, plans, records, texts of a recording
	MaxLine     = 1 << 20  // a line of a script or of a trace
)

// TooLong is the error of an input that does not end where it should.
type TooLong struct {
	Name string // of the input
	What string // what it should have been, such as "a scenario"
	Max  int64  // bytes
}

func (e *TooLong) Error() string {
	return fmt.Sprintf("%s: more than %s: too long for %s", e.Name, Bytes(e.Max), e.What)
}

// Bytes is a number of bytes for a message, in the largest unit that needs no fraction.
func Bytes(n int64) string {
	// Divided as long as nothing is lost.
	unit := 0
	for unit < 6 && n > 0 && n%1024 == 0 {
		n /= 1024
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%d %cB", n, "KMGTPE"[unit-1])
}

// limited ends with TooLong where the input goes on.
type limited struct {
	r    io.Reader
	left int64
	err  *TooLong
}

// Limit reads r up to max bytes; where more follow the error is a *TooLong that says
// that name is too long for what.
func Limit(r io.Reader, name, what string, max int64) io.Reader {
	return &limited{r, max, &TooLong{name, what, max}}
}

func (l *limited) Read(p []byte) (int, error) {
	// One more byte tells an input that is too long from one that just fits.
	if l.left == 0 {
		var one [1]byte
		if n, err := io.ReadFull(l.r, one[:]); n == 0 {
			return 0, err
		}
		return 0, l.err
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// ReadFile reads a whole file.
func ReadFile(name, what string, max int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(Limit(f, name, what, max))
}

// Gunzip reads r, unpacked where its first bytes say that it is gzip.
func Gunzip(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	// The magic number of gzip.
	if head, err := b.Peek(2); err != nil || !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return b, nil // what is wrong with the input reading it will tell
	}
	return gzip.NewReader(b)
}

// CheckText looks at the first bytes of a text, packed or not, and refuses zero bytes.
func CheckText(r io.Reader, name string) error {
	// The first 64 KiB are enough to know a binary file.
	text, err := Gunzip(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	head, err := io.ReadAll(io.LimitReader(text, 1<<16))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if i := bytes.IndexByte(head, 0); i >= 0 {
		line := bytes.Count(head[:i], []byte("\n"))
		return fmt.Errorf("%s:%d:%d: a zero byte: this is not a text", name, line+1, i-bytes.LastIndexByte(head[:i], '\n'))
	}
	return nil
}
