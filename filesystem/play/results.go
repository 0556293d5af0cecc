package play

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"mbsim/filesystem"
	"mbsim/internal/crash"
	"mbsim/internal/input"
	"mbsim/workload"
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
	return x.Close()
}

// ResultsWriter writes results.txt while the operations are performed, in a goroutine of
// its own.
type ResultsWriter struct {
	batch      []Result // not handed over yet
	full, free chan []Result
	done       chan error
}

const (
	batchResults = 1024 // handed over at a time
	fullBatches  = 64   // that may wait to be written
)

// NewResultsWriter begins to write the results of process pid. Close ends it.
func NewResultsWriter(w io.Writer, pid int) *ResultsWriter {
	x := &ResultsWriter{
		full: make(chan []Result, fullBatches), free: make(chan []Result, fullBatches), done: make(chan error, 1),
	}
	// The writer takes batches until Close, and an error or a panic reaches the caller there.
	go func() {
		err := crash.Guard(func() error { return x.write(w, pid) })
		for range x.full { // whoever adds results must not wait for ever
		}
		x.done <- err
	}()
	return x
}

// Add writes a result. Close reports errors.
func (x *ResultsWriter) Add(r Result) {
	if len(x.batch) == cap(x.batch) {
		x.handOver()
	}
	x.batch = append(x.batch, r)
}

// handOver gives the batch away, and takes another.
func (x *ResultsWriter) handOver() {
	// A batch that was written is used again, so that a long script takes no new memory.
	if len(x.batch) > 0 {
		x.full <- x.batch
	}
	select {
	case x.batch = <-x.free:
	default:
		x.batch = make([]Result, 0, batchResults)
	}
}

// Close waits until all is written, and reports the first error.
func (x *ResultsWriter) Close() error {
	x.handOver()
	close(x.full)
	return <-x.done
}

// write writes the batches. Behind an error it only takes them.
func (x *ResultsWriter) write(w io.Writer, pid int) error {
	// Behind an error the batches are only taken, since Add must not wait for ever.
	text := fmt.Appendln(nil, "# pid", pid)
	_, err := w.Write(text)
	for batch := range x.full {
		text = text[:0]
		for _, r := range batch {
			text = strconv.AppendInt(text, int64(r.Line), 10)
			text = strconv.AppendInt(append(text, ' '), r.Ret, 10)
			text = append(text, '\n')
		}
		if err == nil {
			_, err = w.Write(text)
		}
		select {
		case x.free <- batch[:0]:
		default:
		}
	}
	return err
}

// maxResultLine is more than the longest line of results.txt, in bytes.
const maxResultLine = 100

// ReadResults reads what WriteResults writes. name is the file's name in
// errors. The process is 0 where the file does not name it.
func ReadResults(r io.Reader, name string) (pid int, results []Result, err error) {
	lines := input.NewLines(r, name, maxResultLine)
	for lines.Next() {
		// Only the first line may name the process.
		text, n := string(lines.Line()), lines.Number()
		text = strings.TrimSuffix(text, "\r")
		if s, ok := strings.CutPrefix(text, "# pid "); ok && n == 1 {
			if pid, err = strconv.Atoi(s); err != nil {
				return 0, nil, fmt.Errorf("%s:1:7: the process is %q: want a number", name, s)
			}
			continue
		}
		// A line has two numbers, the script's line and the result.
		line, ret, _ := strings.Cut(text, " ")
		var res Result
		if res.Line, err = strconv.Atoi(line); err == nil {
			res.Ret, err = strconv.ParseInt(ret, 10, 64)
		}
		if err != nil {
			return 0, nil, fmt.Errorf("%s:%d:1: %q: want the line of an operation and its result", name, n, text)
		}
		results = append(results, res)
	}
	// A line that is too long names its own place.
	err = lines.Err()
	if err != nil && !errors.As(err, new(*input.LongLine)) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	if err != nil {
		return 0, nil, err
	}
	return pid, results, nil
}

// WriteFiles writes files.txt: the size of the file system, then a line a file
// with its path as a script has it, its inode, mode, size, sectors, and extents as
// logical+length@physical:flags, flags in hexadecimal. Where FIEMAP fails its
// error number stands instead.
func WriteFiles(w io.Writer, fs filesystem.FileSystem) error {
	b := bufio.NewWriter(w)
	s := fs.Statfs()
	fmt.Fprintf(b, "# block size %d, blocks %d, free %d\n", s.BlockSize, s.Blocks, s.Free)
	// One buffer serves all lines. Append functions keep large file systems fast.
	var line []byte
	for f := range fs.Files() {
		line = workload.AppendName(line[:0], f.Path)
		line = appendField(line, " ino=", int64(f.Inode), 10)
		line = appendField(line, " mode=", int64(f.Mode), 8)
		line = appendField(line, " size=", f.Size, 10)
		line = appendField(line, " sectors=", f.Sectors, 10)
		if f.Mode&filesystem.ModeType == filesystem.ModeLink {
			// FIEMAP needs an open file, and a symbolic link cannot be opened.
			b.Write(append(line, '\n'))
			continue
		}
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
