package workload

import (
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
)

// Script is the text of a script in the oracle's language (ParseScript).
type Script struct{ name, text string }

// ReadScript reads the file name. Nothing is parsed yet.
func ReadScript(name string) (*Script, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var text strings.Builder
	if s, err := f.Stat(); err == nil {
		text.Grow(int(s.Size()))
	}
	if _, err := io.Copy(&text, f); err != nil {
		return nil, err
	}
	return &Script{name, text.String()}, nil
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

// Lines is how many lines the script has: it has no more operations.
func (s *Script) Lines() int { return strings.Count(s.text, "\n") + 1 }

// Parse parses the whole script.
func (s *Script) Parse() ([]Op, error) {
	ops := make([]Op, 0, s.Lines())
	p := parser{name: s.name, text: s.text}
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
			p := parser{name: s.name, text: s.text}
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
