package workload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"mbsim/internal/crash"
	"mbsim/internal/input"
)

// Script is a script in the oracle's language (ParseScript): a text, or a file that
// is read as it is parsed, once.
type Script struct {
	name string
	text io.Reader
	size int64 // bytes, as far as they are known
}

// OpenScript opens the file name.
func OpenScript(name string) (*Script, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	// A folder can be opened, and fails only when it is read.
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s: a folder, not a script", name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Script{name: name, text: f, size: info.Size()}, nil
}

// wholeText is a script of limited length.
type wholeText struct {
	io.Reader
	file io.Closer // nil for a text
}

// Close closes the script's file.
func (w wholeText) Close() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}

// ScriptError is a mistake in a script. Line and Col are counted from 1, Col in
// bytes.
type ScriptError struct {
	Name      string
	Line, Col int
	Message   string
}

func (e *ScriptError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Name, e.Line, e.Col, e.Message)
}

// Parse parses the whole script, which may have input.MaxWhole bytes as it is kept in
// memory.
func (s *Script) Parse() ([]Op, error) {
	const line = 12       // bytes, and more of most
	const trust = 1 << 20 // operations: the size of a file is not yet what it holds
	ops := make([]Op, 0, min(s.size/line+1, trust))
	file, _ := s.text.(io.Closer)
	s.text = wholeText{input.Limit(s.text, s.name, "a script that is kept in memory", input.MaxWhole), file}
	for op, err := range s.Ops() {
		if err != nil {
			return nil, err
		}
		ops = append(ops, *op)
	}
	return ops, nil
}

// Ops lists the operations, each good until the next one is asked for. The first
// mistake ends the list. Another goroutine parses ahead.
func (s *Script) Ops() iter.Seq2[*Op, error] {
	return func(yield func(*Op, error) bool) {
		// Two goroutines: one parses pieces into batches, this one yields them and gives the
		// batches back. aheadPieces limits how far the first may be ahead.
		ready, free := make(chan batch, aheadPieces), make(chan []Op, aheadPieces+2)
		stop := make(chan struct{})
		go s.parseAhead(ready, free, stop)
		// The text is read until the parser has seen stop: only then may it be closed.
		defer func() {
			close(stop)
			for range ready { // until the other is done with the text
			}
			if c, ok := s.text.(io.Closer); ok {
				c.Close()
			}
		}()
		for b := range ready {
			for k := range b.ops {
				if !yield(&b.ops[k], nil) {
					return
				}
			}
			if b.err != nil {
				yield(nil, b.err)
				return
			}
			free <- b.ops[:0]
		}
	}
}

const (
	pieceBytes  = 16 << 10 // of text, or a line that is longer
	aheadPieces = 4        // that may wait to be asked for
)

// batch is a piece that was parsed ahead.
type batch struct {
	ops []Op
	err error // the mistake behind them
}

// parseAhead parses piece after piece, until the text ends, or there is a mistake, or
// it is to stop.
func (s *Script) parseAhead(ready chan<- batch, free <-chan []Op, stop <-chan struct{}) {
	defer close(ready)
	var tail []byte // what was read of the next piece
	line := 0
	// A batch that came back is used again.
	for rest := s.text; rest != nil; {
		var b batch
		select {
		case b.ops = <-free:
		default:
			b.ops = make([]Op, 0, pieceBytes/8)
		}
		var text string
		// A panic in this goroutine would end the process: it becomes the last batch's error.
		b.err = crash.Guard(func() (err error) {
			text, tail, err = s.nextPiece(&rest, tail, line+1)
			if err == nil {
				line, err = b.parse(text, s.name, line)
			}
			return err
		})
		select {
		case ready <- b:
		case <-stop:
			return
		}
		if b.err != nil {
			return
		}
	}
}

// parse parses whole lines, and returns how many there were by then.
func (b *batch) parse(text, name string, lines int) (int, error) {
	p := parser{name: name, text: text, lineNumber: lines}
	for {
		b.ops = append(b.ops, Op{})
		last := len(b.ops) - 1
		if more, err := p.next(&b.ops[last]); !more {
			b.ops = b.ops[:last]
			return p.lineNumber, err
		}
	}
}

// nextPiece reads some whole lines, tail before, and returns what was read beyond them.
// At the end *rest is nil. The first line has number n.
func (s *Script) nextPiece(rest *io.Reader, tail []byte, n int) (text string, beyond []byte, err error) {
	for {
		// tail grows by one piece until it holds the end of a line.
		have := len(tail)
		tail = slices.Grow(tail, pieceBytes)[:have+pieceBytes]
		got, err := (*rest).Read(tail[have:])
		tail = tail[:have+got]
		// What was there before holds no end of a line. To look at it again each time would
		// make a long line cost its square.
		end := bytes.LastIndexByte(tail[have:], '\n') + 1
		if end > 0 {
			end += have
		}
		// The end of the text ends the last line too. A line without end that is longer than
		// allowed is refused before more of it is read.
		switch {
		case err == io.EOF:
			*rest, end = nil, len(tail)
		case errors.As(err, new(*input.TooLong)):
			return "", nil, err
		case err != nil:
			return "", nil, fmt.Errorf("%s: %w", s.name, err)
		case end == 0 && len(tail) > input.MaxLine:
			return "", nil, longLine(s.name, n, string(tail))
		case end == 0:
			continue
		}
		// The text is a copy, so that the buffer can take the next piece.
		text = string(tail[:end])
		return text, append(tail[:0], tail[end:]...), nil
	}
}
