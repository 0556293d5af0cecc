package workload

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
// mistake ends the list.
//
// Another goroutine parses ahead. A piece of the text that it has not begun with when
// its turn comes is parsed here: who asks waits for nobody on a busy machine.
func (s *Script) Ops() iter.Seq2[*Op, error] {
	return func(yield func(*Op, error) bool) {
		if c, ok := s.text.(io.Closer); ok {
			defer c.Close()
		}
		r := &pieces{name: s.name, rest: s.text}
		ready, free := make(chan batch, aheadPieces), make(chan []Op, aheadPieces)
		stop := make(chan struct{})
		defer close(stop)
		var op Op
		for i := 0; ; i++ {
			p, who, err := r.take(i)
			switch {
			case err != nil:
				yield(nil, err)
				return
			case who == nobody:
				return
			case who == caller:
				if i == 0 {
					go r.parseAhead(ready, free, stop)
				}
				if !p.each(&op, yield) {
					return
				}
				continue
			}
			b, ok := <-ready
			if !ok { // what was taken was the end
				return
			}
			for k := range b.ops {
				if !yield(&b.ops[k], nil) {
					return
				}
			}
			if b.err != nil {
				yield(nil, b.err)
				return
			}
			select {
			case free <- b.ops[:0]:
			default:
			}
		}
	}
}

// each calls yield with each operation of the parser's piece. It reports whether there
// was no mistake, and yield wants more.
func (p *parser) each(op *Op, yield func(*Op, error) bool) bool {
	for {
		more, err := p.next(op)
		if err != nil {
			yield(nil, err)
			return false
		}
		if !more {
			return true
		}
		if !yield(op, nil) {
			return false
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

// pieces cuts a text into pieces of whole lines, for two goroutines.
type pieces struct {
	name  string
	taken atomic.Int64 // pieces, that being read included

	mu   sync.Mutex
	rest io.Reader // nil at the end
	tail []byte    // what was read of the next piece
	line int       // lines taken
}

// taker is who gets a piece.
type taker uint8

const (
	nobody taker = iota // there is none
	caller
	another // has it already
)

// take takes piece i, or any where i is negative, unless it has been taken before. An
// error takes the place of a piece.
func (r *pieces) take(i int) (p parser, who taker, err error) {
	if i >= 0 && int64(i) < r.taken.Load() { // without a wait for who reads it
		return p, another, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if i >= 0 && int64(i) < r.taken.Load() {
		return p, another, nil
	}
	r.taken.Add(1)
	text, err := r.read()
	switch {
	case err != nil:
		return p, caller, err
	case text == "":
		return p, nobody, nil
	}
	p = parser{name: r.name, text: text, n: r.line}
	r.line += strings.Count(text, "\n")
	return p, caller, nil
}

// read reads some whole lines, none at the end.
func (r *pieces) read() (string, error) {
	for end := 0; r.rest != nil; {
		have := len(r.tail)
		r.tail = slices.Grow(r.tail, pieceBytes)[:have+pieceBytes]
		n, err := r.rest.Read(r.tail[have:])
		r.tail = r.tail[:have+n]
		switch {
		case err == io.EOF:
			r.rest, end = nil, len(r.tail)
		case err != nil:
			r.rest = nil
			return "", fmt.Errorf("%s: %w", r.name, err)
		default:
			end = bytes.LastIndexByte(r.tail, '\n') + 1
		}
		if end > 0 {
			text := string(r.tail[:end])
			r.tail = append(r.tail[:0], r.tail[end:]...)
			return text, nil
		}
	}
	return "", nil
}

// parseAhead parses pieces that nobody has taken, until there are none, or a mistake,
// or it is to stop.
func (r *pieces) parseAhead(ready chan<- batch, free <-chan []Op, stop <-chan struct{}) {
	defer close(ready)
	for {
		p, who, err := r.take(-1)
		if who == nobody {
			return
		}
		b := batch{err: err}
		select {
		case b.ops = <-free:
		default:
			b.ops = make([]Op, 0, pieceBytes/8)
		}
		for more := err == nil; more && b.err == nil; {
			b.ops = append(b.ops, Op{})
			last := len(b.ops) - 1
			if more, b.err = p.next(&b.ops[last]); !more {
				b.ops = b.ops[:last]
			}
		}
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
