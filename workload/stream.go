package workload

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
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

// Parse parses the whole script.
func (s *Script) Parse() ([]Op, error) {
	const line = 12 // bytes, and more of most
	ops := make([]Op, 0, s.size/line+1)
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
		ready, free := make(chan batch, aheadPieces), make(chan []Op, aheadPieces+2)
		stop := make(chan struct{})
		go s.parseAhead(ready, free, stop)
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
	for rest := s.text; rest != nil; {
		var b batch
		select {
		case b.ops = <-free:
		default:
			b.ops = make([]Op, 0, pieceBytes/8)
		}
		var text string
		text, tail, b.err = nextPiece(&rest, tail)
		if b.err != nil {
			b.err = fmt.Errorf("%s: %w", s.name, b.err)
		}
		p := parser{name: s.name, text: text, n: line}
		for more := true; more && b.err == nil; {
			b.ops = append(b.ops, Op{})
			last := len(b.ops) - 1
			if more, b.err = p.next(&b.ops[last]); !more {
				b.ops = b.ops[:last]
			}
		}
		line = p.n
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

// nextPiece reads some whole lines, tail before, and returns what was read beyond them.
// At the end *rest is nil.
func nextPiece(rest *io.Reader, tail []byte) (text string, beyond []byte, err error) {
	for {
		have := len(tail)
		tail = slices.Grow(tail, pieceBytes)[:have+pieceBytes]
		n, err := (*rest).Read(tail[have:])
		tail = tail[:have+n]
		end := bytes.LastIndexByte(tail, '\n') + 1
		switch {
		case err == io.EOF:
			*rest, end = nil, len(tail)
		case err != nil:
			return "", nil, err
		case end == 0:
			continue
		}
		text = string(tail[:end])
		return text, append(tail[:0], tail[end:]...), nil
	}
}
