package replay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"mbsim/filesystem/image"
	"mbsim/filesystem/play"
	"mbsim/kerneltext/ftrace"
)

// A case may be recorded several times with a kernel: the folders KERNEL, KERNEL.2, KERNEL.3 and
// so on. The first has all texts; another need not have one that is as the first's. Requests are
// in trace.txt, or in requests.txt, which is the part of a trace that matters here, up to a line
// of the script that its first line names (CutTrace). A recording may have neither.

// recording is a recording of a case: its folder, and that of the first one.
type recording struct{ dir, first string }

// text reads a text of the recording whole.
func (r recording) text(name string) ([]byte, error) {
	text, err := readText(filepath.Join(r.dir, name))
	if errors.Is(err, fs.ErrNotExist) && r.dir != r.first {
		return readText(filepath.Join(r.first, name))
	}
	return text, err
}

// results reads what the operations of the recording returned.
func (r recording) results() ([]play.Result, error) {
	text, err := r.text("results.txt")
	if err != nil {
		return nil, err
	}
	_, results, err := play.ReadResults(bytes.NewReader(text), filepath.Join(r.dir, "results.txt"))
	return results, err
}

// Recordings lists the recordings of the case in dir, the first one whether it is there or not.
func Recordings(dir, kernel string) []string {
	all := []string{filepath.Join(dir, kernel)}
	for {
		next := filepath.Join(dir, fmt.Sprintf("%s.%d", kernel, len(all)+1))
		if _, err := os.Stat(next); err != nil {
			return all
		}
		all = append(all, next)
	}
}

// cutMark begins requests.txt, before the last line of the script that it has requests of.
const cutMark = "# requests up to line "

// requests reads the requests of the recording, and the last line of the script of which it has
// any: math.MaxInt for a whole trace, 0 where nothing was recorded.
func (r recording) requests() ([]*exchange, int, error) {
	name := filepath.Join(r.dir, "trace.txt")
	text, file, err := openText(name)
	last := math.MaxInt
	if errors.Is(err, fs.ErrNotExist) {
		name = filepath.Join(r.dir, "requests.txt")
		text, file, err = openText(name)
		last = 0
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	// What was cut off a trace says where.
	b := bufio.NewReader(text)
	if last == 0 {
		first, _ := b.ReadString('\n')
		n, ok := strings.CutPrefix(strings.TrimSpace(first), cutMark)
		if last, err = strconv.Atoi(n); !ok || err != nil {
			return nil, 0, fmt.Errorf("%s:1: is %q: want %q and a number", name, strings.TrimSpace(first), cutMark)
		}
	}
	all, err := readExchanges(b, name)
	return all, last, err
}

// turns reads the turns of the recording, nil where it has no whole trace.
func (r recording) turns() (*Turns, error) {
	name := filepath.Join(r.dir, "trace.txt")
	text, file, err := openText(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// Only without a journal does the clock decide which number an inode gets.
	l, err := ReadLayout(r.first)
	if err != nil {
		return nil, err
	}
	perGroup := uint32(0)
	if l.Super.Compat&image.HasJournal == 0 {
		perGroup = l.Geometry().InodesPerGroup
	}
	return readTurns(text, name, perGroup)
}

// upTo returns the requests of the script's lines up to last. Requests are in its order.
func upTo(all []*exchange, last int) []*exchange {
	for i, x := range all {
		if x.line > last {
			return all[:i]
		}
	}
	return all
}

// CutTrace writes of a trace the requests of the script's lines up to last, and their answers, as
// requests.txt has them. Only operations with requests are named.
func CutTrace(w io.Writer, trace io.Reader, name string, last int) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s%d\n", cutMark, last)
	s := ftrace.NewScanner(trace, name)
	operation := ""
	for s.Scan() {
		e := s.Event()
		line := fmt.Sprintf("%s [000] .... 0: %s: %s\n", e.Task, e.Name, e.Text)
		switch e.Name {
		case "tracing_mark_write":
			if rest, ok := strings.CutPrefix(e.Text, "line "); ok {
				n, _, _ := strings.Cut(rest, " ")
				if at, err := strconv.Atoi(n); err == nil && at > last {
					return b.Flush()
				}
				operation = line
			}
		case "ext4_request_blocks", "ext4_allocate_blocks":
			b.WriteString(operation)
			operation = ""
			b.WriteString(line)
		}
	}
	return errors.Join(s.Err(), b.Flush())
}
