package workload

import (
	"fmt"
	"iter"
	"os"
)

// Script is a script in the oracle's language (ParseScript): a text, or a file that
// is read as it is parsed, once.
type Script struct {
	name, text string
	file       *os.File // nil for a text
	size       int64    // bytes
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
	return &Script{name: name, file: f, size: info.Size()}, nil
}

// parser begins to parse.
func (s *Script) parser() parser {
	p := parser{name: s.name, text: s.text}
	if s.file != nil {
		p.rest = s.file
	}
	return p
}

// close ends the reading of a file.
func (s *Script) close() {
	if s.file != nil {
		s.file.Close()
	}
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

// AboutOps is about how many operations the script has, or more.
func (s *Script) AboutOps() int {
	const line = 12 // bytes, and more of most
	return int(max(s.size, int64(len(s.text)))/line) + 1
}

// Parse parses the whole script.
func (s *Script) Parse() ([]Op, error) {
	defer s.close()
	ops := make([]Op, 0, s.AboutOps())
	p := s.parser()
	for {
		ops = append(ops, Op{})
		if more, err := p.next(&ops[len(ops)-1]); err != nil {
			return nil, err
		} else if !more {
			return ops[:len(ops)-1], nil
		}
	}
}

const (
	batchOps = 1024 // operations parsed at a time: few enough to stay in a cache
	batches  = 4    // that may be parsed ahead
)

// Ahead lists the operations, some at a time, and parses those that follow
// meanwhile. A slice is good until the next is asked for. The first mistake of the
// script comes as an error, with the operations before it, and ends the list.
func (s *Script) Ahead() iter.Seq2[[]Op, error] {
	return func(yield func([]Op, error) bool) {
		type batch struct {
			ops []Op
			err error
		}
		free, ready := make(chan []Op, batches), make(chan batch, batches)
		for range batches {
			free <- make([]Op, batchOps)
		}
		defer close(free) // ends the parser, wherever it is
		go func() {
			defer close(ready)
			defer s.close()
			p := s.parser()
			for ops := range free {
				n, more, err := 0, true, error(nil)
				for n < len(ops) && more && err == nil {
					if more, err = p.next(&ops[n]); more && err == nil {
						n++
					}
				}
				ready <- batch{ops[:n], err}
				if !more || err != nil {
					return
				}
			}
		}()
		for b := range ready {
			if !yield(b.ops, b.err) || b.err != nil {
				return
			}
			free <- b.ops[:batchOps]
		}
	}
}
