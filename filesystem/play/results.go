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
	_, err := w.Write(AppendResults(AppendPID(nil, pid), results))
	return err
}

// AppendPID appends the first line of results.txt.
func AppendPID(b []byte, pid int) []byte { return fmt.Appendln(b, "# pid", pid) }

// AppendResults appends the lines of operations to results.txt.
func AppendResults(b []byte, results []Result) []byte {
	var line []byte // the number of a line, in digits
	n := -2
	for _, r := range results {
		if r.Line != n+1 || !increment(line) {
			line = strconv.AppendInt(line[:0], int64(r.Line), 10)
		}
		n = r.Line
		b = append(b, line...)
		if r.Ret == 0 { // most are
			b = append(b, " 0\n"...)
			continue
		}
		b = append(b, ' ')
		b = strconv.AppendInt(b, r.Ret, 10)
		b = append(b, '\n')
	}
	return b
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
