package play

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"mbsim/filesystem"
)

// Result is a line of results.txt: the line of the script, and what its
// operation returned, or the negative error number.
type Result struct {
	Line int
	Ret  int64
}

// WriteResults writes results.txt: a comment that names the process, and a line
// an operation.
func WriteResults(w io.Writer, pid int, results []Result) error {
	x := NewResultsWriter(w, pid)
	for _, r := range results {
		x.Add(r)
	}
	return x.Flush()
}

// ResultsWriter writes results.txt as the results come.
type ResultsWriter struct {
	w    io.Writer
	buf  []byte
	line []byte // the number of the line before, in digits
	last int
	err  error
}

// NewResultsWriter begins to write the results of process pid.
func NewResultsWriter(w io.Writer, pid int) *ResultsWriter {
	const size = 64 << 10
	return &ResultsWriter{w: w, buf: fmt.Appendln(make([]byte, 0, size), "# pid", pid), last: -2}
}

// Add writes a result. Flush reports errors.
func (x *ResultsWriter) Add(r Result) {
	if len(x.buf) > cap(x.buf)-64 {
		x.Flush()
	}
	if r.Line != x.last+1 || !increment(x.line) {
		x.line = strconv.AppendInt(x.line[:0], int64(r.Line), 10)
	}
	x.last = r.Line
	x.buf = append(x.buf, x.line...)
	if r.Ret == 0 { // most are
		x.buf = append(x.buf, " 0\n"...)
		return
	}
	x.buf = append(x.buf, ' ')
	x.buf = strconv.AppendInt(x.buf, r.Ret, 10)
	x.buf = append(x.buf, '\n')
}

// Flush writes what Add has left, and reports the first error.
func (x *ResultsWriter) Flush() error {
	if x.err == nil {
		_, x.err = x.w.Write(x.buf)
	}
	x.buf = x.buf[:0]
	return x.err
}

// increment makes a decimal number one larger, unless that takes one more digit.
func increment(digits []byte) bool {
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i] < '9' {
			digits[i]++
			return true
		}
		digits[i] = '0'
	}
	return false
}

// ReadResults reads what WriteResults writes. name is the file's name in
// errors. The process is 0 where the file does not name it.
func ReadResults(r io.Reader, name string) (pid int, results []Result, err error) {
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		if s, ok := strings.CutPrefix(sc.Text(), "# pid "); ok && n == 1 {
			if pid, err = strconv.Atoi(s); err != nil {
				return 0, nil, fmt.Errorf("%s:1:7: the process is %q: want a number", name, s)
			}
			continue
		}
		line, ret, _ := strings.Cut(sc.Text(), " ")
		var res Result
		if res.Line, err = strconv.Atoi(line); err == nil {
			res.Ret, err = strconv.ParseInt(ret, 10, 64)
		}
		if err != nil {
			return 0, nil, fmt.Errorf("%s:%d:1: %q: want the line of an operation and its result", name, n, sc.Text())
		}
		results = append(results, res)
	}
	if err := sc.Err(); err != nil {
		return 0, nil, fmt.Errorf("%s: %w", name, err)
	}
	return pid, results, nil
}

// WriteFiles writes files.txt: the size of the file system, then a line a file
// with its inode, mode, size, sectors, and extents as
// logical+length@physical:flags, flags in hexadecimal. Where FIEMAP fails its
// error number stands instead.
func WriteFiles(w io.Writer, fs filesystem.FileSystem) error {
	b := bufio.NewWriter(w)
	s := fs.Statfs()
	fmt.Fprintf(b, "# block size %d, blocks %d, free %d\n", s.BlockSize, s.Blocks, s.Free)
	var line []byte
	for f := range fs.Files() {
		line = append(line[:0], f.Path...)
		line = appendField(line, " ino=", int64(f.Inode), 10)
		line = appendField(line, " mode=", int64(f.Mode), 8)
		line = appendField(line, " size=", f.Size, 10)
		line = appendField(line, " sectors=", f.Sectors, 10)
		if f.FiemapErrno != 0 {
			line = appendField(line, " error=", int64(f.FiemapErrno), 10)
		}
		for _, e := range f.Extents {
			line = appendField(line, " ", int64(e.Logical), 10)
			line = appendField(line, "+", int64(e.Len), 10)
			line = appendField(line, "@", int64(e.Physical), 10)
			line = appendField(line, ":", int64(e.Flags), 16)
		}
		b.Write(append(line, '\n')) // Flush reports the error
	}
	return b.Flush()
}

func appendField(b []byte, label string, n int64, base int) []byte {
	return strconv.AppendInt(append(b, label...), n, base)
}
