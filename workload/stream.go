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

// Ops lists the operations, each parsed when it is asked for and good until the next
// one is. The first mistake ends the list.
//
// They are not parsed ahead by another goroutine: to hand an operation over from one
// processor's cache to another's takes as long as to parse it.
func (s *Script) Ops() iter.Seq2[*Op, error] {
	return func(yield func(*Op, error) bool) {
		p := parser{name: s.name, text: s.text}
		if s.file != nil {
			p.rest = s.file
			defer s.file.Close()
		}
		var op Op
		for {
			more, err := p.next(&op)
			if err != nil {
				yield(nil, err)
				return
			}
			if !more || !yield(&op, nil) {
				return
			}
		}
	}
}

// Parse parses the whole script.
func (s *Script) Parse() ([]Op, error) {
	const line = 12 // bytes, and more of most
	ops := make([]Op, 0, max(s.size, int64(len(s.text)))/line+1)
	for op, err := range s.Ops() {
		if err != nil {
			return nil, err
		}
		ops = append(ops, *op)
	}
	return ops, nil
}
