package workload

import (
	"fmt"
	"path"
)

// modelFS is a file system that knows names and sizes: the naive oracle of what
// a generator may ask for. An operation on what is not there is an error of the
// test, not of the model.
type modelFS struct {
	files    map[string]int64 // sizes
	dirs     map[string]bool
	fds      map[string]string // path of an open descriptor
	capacity int64             // bytes of all files
	used     int64
	fail     func() bool // an operation is to fail with ENOSPC
	problems []string
}

func newModel(capacity int64) *modelFS {
	return &modelFS{
		files: map[string]int64{}, dirs: map[string]bool{".": true}, fds: map[string]string{},
		capacity: capacity, fail: func() bool { return false },
	}
}

func (m *modelFS) problem(op *Op, format string, a ...any) {
	m.problems = append(m.problems, FormatOp(*op)+": "+fmt.Sprintf(format, a...))
}

func (m *modelFS) share() float64 { return float64(m.used) / float64(m.capacity) }

// grow makes a file at least size long, as far as there is space, and returns
// its size.
func (m *modelFS) grow(name string, size int64) int64 {
	more := min(max(size-m.files[name], 0), max(m.capacity-m.used, 0))
	m.files[name] += more
	m.used += more
	return m.files[name]
}

func (m *modelFS) allOrNothing(name string, size int64) int64 {
	if m.used+size-m.files[name] > m.capacity {
		return -enospc
	}
	m.grow(name, size)
	return 0
}

// do performs an operation and returns what a process would see.
func (m *modelFS) do(op *Op) int64 {
	switch op.Kind {
	case Mkdir, Creat, Unlink, Open:
		return m.onPath(op)
	case CPU:
		return 0
	}
	name, open := m.fds[op.FD]
	if !open {
		m.problem(op, "no such descriptor")
		return -9
	}
	size := m.files[name]
	switch op.Kind {
	case Close:
		delete(m.fds, op.FD)
	case Write:
		if m.fail() || m.grow(name, op.Off+op.Len) <= op.Off && op.Len > 0 {
			return -enospc
		}
		return min(op.Len, m.files[name]-op.Off)
	case Read:
		if op.Off+op.Len > size {
			m.problem(op, "it reads past the end, %d", size)
		}
		return op.Len
	case Fsync:
		if m.fail() {
			return -enospc
		}
	case Ftruncate:
		if op.Len <= size {
			m.used -= size - op.Len
			m.files[name] = op.Len
		} else {
			return m.allOrNothing(name, op.Len) // the model has no holes
		}
	case Fallocate:
		if op.Len < 1 {
			m.problem(op, "nothing to allocate")
		}
		if m.fail() {
			return -enospc
		}
		if op.Mode&FallocKeepSize == 0 {
			return m.allOrNothing(name, op.Off+op.Len)
		}
	}
	return 0
}

func (m *modelFS) onPath(op *Op) int64 {
	size, exists := m.files[op.Path]
	if !m.dirs[path.Dir(op.Path)] {
		m.problem(op, "its directory is not there")
		return -2
	}
	switch op.Kind {
	case Mkdir:
		if m.dirs[op.Path] {
			m.problem(op, "it exists")
			return -eexist
		}
		if m.fail() {
			return -enospc
		}
		m.dirs[op.Path] = true
		return 0
	case Creat:
		if exists {
			m.problem(op, "it exists")
		}
		if m.fail() {
			return -enospc
		}
		m.files[op.Path] = 0
	case Open:
		if !exists {
			m.problem(op, "no such file")
			return -2
		}
	case Unlink:
		if !exists {
			m.problem(op, "no such file")
			return -2
		}
		m.used -= size
		delete(m.files, op.Path)
		return 0
	}
	if _, taken := m.fds[op.FD]; taken {
		m.problem(op, "the descriptor is in use")
	}
	m.fds[op.FD] = op.Path
	return 0
}
