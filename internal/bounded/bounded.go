// Package bounded opens files that somebody else has written: regular files of at
// most a given size. A pipe, a device or a file that was filled up by mistake is
// refused at once, instead of being waited for or read without end.
package bounded

import (
	"fmt"
	"io"
	"os"
)

// Open opens a regular file of at most limit bytes for reading. No more than limit
// bytes can be read, even if the file grows meanwhile. The errors of a file that
// cannot be opened are those of os.Open; others name the file.
func Open(path string, limit int64) (io.ReadCloser, error) {
	// Before it is opened, since opening a pipe waits for a writer.
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	if st.Size() > limit {
		return nil, fmt.Errorf("%s: it has %d bytes: at most %d are read", path, st.Size(), limit)
	}
	// The file may have grown since, so reading has the limit too.
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return file{io.LimitReader(f, limit), f}, nil
}

// file reads from one and closes the other.
type file struct {
	io.Reader
	io.Closer
}

// ReadFile is the content of a regular file of at most limit bytes. Its errors are
// those of Open.
func ReadFile(path string, limit int64) (text []byte, err error) {
	f, err := Open(path, limit)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
