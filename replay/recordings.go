package replay

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"mbsim/filesystem/image"
	"mbsim/filesystem/play"
)

// A case may be recorded several times with a kernel: the folders KERNEL, KERNEL.2, KERNEL.3 and
// so on. The first has all texts; another need not have one that is as the first's, and may have no
// trace.

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

// trace hands the trace of the recording to read. Without a trace the error is fs.ErrNotExist.
func (r recording) trace(read func(text io.Reader, name string) error) error {
	name := filepath.Join(r.dir, "trace.txt")
	text, file, err := openText(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return read(text, name)
}

// requests reads the requests of the recording.
func (r recording) requests() (all []*exchange, err error) {
	err = r.trace(func(text io.Reader, name string) error {
		all, err = readExchanges(text, name)
		return err
	})
	return all, err
}

// ReadTurns reads the turns that the trace of a recording shows. dir is the recording's folder.
func ReadTurns(dir string) (*Turns, error) {
	turns, err := recording{dir, dir}.turns()
	if turns == nil && err == nil {
		err = fmt.Errorf("%s: no turns are known: the recording has no trace.txt, or that shows none", dir)
	}
	return turns, err
}

// turns reads the turns of the recording, nil where it has no trace or shows none.
func (r recording) turns() (turns *Turns, err error) {
	err = r.trace(func(text io.Reader, name string) error {
		// Only without a journal does the clock decide which number an inode gets.
		l, err := ReadLayout(r.first)
		if err != nil {
			return err
		}
		perGroup := uint32(0)
		if l.Super.Compat&image.HasJournal == 0 {
			perGroup = l.Geometry().InodesPerGroup
		}
		turns, err = readTurns(text, name, perGroup)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) || err == nil && turns.empty() {
		return nil, nil
	}
	return turns, err
}
