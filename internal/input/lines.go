package input

import (
	"bufio"
	"fmt"
	"io"
)

// Lines reads a text line by line.
type Lines struct {
	r      *bufio.Reader
	name   string
	max    int
	number int // of the line, counted from 1
	line   []byte
	err    error
}

// NewLines reads the lines of r, of at most max bytes each. name is the text's name in
// errors.
func NewLines(r io.Reader, name string, max int) *Lines {
	return &Lines{r: bufio.NewReaderSize(r, 1<<16), name: name, max: max}
}

// Next goes on to the next line; it reports false at the end and on an error.
func (l *Lines) Next() bool {
	if l.err != nil {
		return false
	}
	l.line = l.line[:0]
	l.number++
	// A line may be longer than the buffer: parts are joined up to the limit, which does not
	// count the newline.
	for {
		part, err := l.r.ReadSlice('\n')
		if len(l.line)+len(part) > l.max+1 || len(l.line)+len(part) > l.max && err != nil {
			l.err = &LongLine{l.name, l.number, l.max}
			return false
		}
		l.line = append(l.line, part...)
		if err == bufio.ErrBufferFull {
			continue
		}
		// The last line may have no newline.
		if err != nil {
			l.err = err
			return err == io.EOF && len(l.line) > 0
		}
		l.line = l.line[:len(l.line)-1]
		return true
	}
}

// Line is the line without its end, good until Next.
func (l *Lines) Line() []byte { return l.line }

// Number is the number of the line, counted from 1.
func (l *Lines) Number() int { return l.number }

// Err is what ended the text, nil for its end.
func (l *Lines) Err() error {
	if l.err == io.EOF {
		return nil
	}
	return l.err
}

// LongLine is the error of a line that does not end where it should.
type LongLine struct {
	Name string
	Line int // counted from 1
	Max  int // bytes
}

func (e *LongLine) Error() string {
	return fmt.Sprintf("%s:%d:%d: a line of more than %s", e.Name, e.Line, e.Max+1, Bytes(int64(e.Max)))
}
