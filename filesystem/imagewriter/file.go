package imagewriter

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"mbsim/filesystem/image"
	"mbsim/internal/atomicfile"
)

// RefusedError says why a target is not written: the user's to change. Nothing was done.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return e.Err.Error() }
func (e *RefusedError) Unwrap() error { return e.Err }

func refusef(format string, a ...any) error { return &RefusedError{fmt.Errorf(format, a...)} }

// CheckTarget refuses a target that may not be written: with force only what is neither a file nor a
// block device, or is one of the files named in never, from which the layout comes.
func CheckTarget(path string, force bool, never ...string) error {
	st, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		// The folder of a new file must be there.
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return &RefusedError{err}
		}
		return nil
	}
	if err != nil {
		return &RefusedError{err}
	}
	for _, name := range never {
		if other, err := os.Stat(name); name != "" && err == nil && os.SameFile(st, other) {
			return refusef("%s is the starting state, which is never written to: name another target", path)
		}
	}
	device := isBlockDevice(st)
	switch {
	case !st.Mode().IsRegular() && !device:
		return refusef("%s is neither a file nor a block device", path)
	case !force && device:
		return refusef("%s is a block device, all of whose contents would be lost: --force writes to it", path)
	case !force:
		return refusef("%s exists: --force replaces it", path)
	}
	return nil
}

func isBlockDevice(st os.FileInfo) bool {
	return st.Mode()&os.ModeDevice != 0 && st.Mode()&os.ModeCharDevice == 0
}

// WriteFile writes a layout to a file, which appears whole or not at all, or to a block device. Either
// must have passed CheckTarget. The file is sparse.
func WriteFile(path string, l *image.Layout, o Options) error {
	if st, err := os.Stat(path); err == nil && isBlockDevice(st) {
		return writeDevice(path, l, o)
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	if err = f.Truncate(Size(l)); err == nil {
		err = writeTo(f.File, l, o)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", path, plain(err)), f.Abandon())
	}
	return f.Commit()
}

// plain is the reason of an error of a temporary file, whose name would say nothing to the user.
func plain(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// writeTo writes a layout to an empty target, over a copy of the image that it comes from.
func writeTo(to *os.File, l *image.Layout, o Options) error {
	if raw := l.Raw(); raw != nil {
		if err := Copy(to, raw, Size(l), o.Dense); err != nil {
			return err
		}
	}
	return Write(to, l, o)
}

// writeDevice writes a layout to a block device. Its old superblock goes first and the new one comes
// last, so that there is no file system on it that is half written.
func writeDevice(path string, l *image.Layout, o Options) (err error) {
	// With O_EXCL the system refuses a device that is mounted.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_EXCL, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if need := Size(l); size < need {
		return refusef("%s has %d bytes, and the file system needs %d", path, size, need)
	}
	if _, err := f.WriteAt(make([]byte, 4096), 0); err != nil {
		return err
	}
	o.Dense = true
	if err := writeTo(f, l, o); err != nil {
		return fmt.Errorf("%s: %w", path, plain(err))
	}
	return f.Sync()
}

const (
	seekData = 3 // lseek: the next byte that is not in a hole
	seekHole = 4 // lseek: the next hole
	copySize = 1 << 20
)

// Copy copies the first size bytes of an image. Zeros are not written unless dense says so, and holes
// of a file are not even read.
func Copy(to io.WriterAt, from io.ReaderAt, size int64, dense bool) error {
	file, offset := holder(from)
	buf := make([]byte, copySize)
	for at := int64(0); at < size; {
		if file != nil && !dense {
			next, err := file.Seek(offset+at, seekData)
			if err != nil {
				// Behind the last data, or a file system that does not know: the error is not told apart
				// from others, which reading would tell.
				if end, err := file.Seek(offset+at, seekHole); err == nil && end == offset+at {
					return nil
				}
			} else if next -= offset; next > at {
				at = next &^ (copySize - 1)
				if at >= size {
					return nil
				}
			}
		}
		n := min(copySize-at%copySize, size-at)
		if _, err := from.ReadAt(buf[:n], at); err != nil && err != io.EOF {
			return err
		}
		if dense || !allZero(buf[:n]) {
			if err := copyBlocks(to, buf[:n], at, dense); err != nil {
				return err
			}
		}
		at += n
	}
	return nil
}

// copyBlocks writes the pieces of 4 KiB that are not zeros.
func copyBlocks(to io.WriterAt, buf []byte, at int64, dense bool) error {
	const piece = 4096
	for i := 0; i < len(buf); {
		// A run of pieces to be written.
		end := i
		for end < len(buf) && (dense || !allZero(buf[end:min(end+piece, len(buf))])) {
			end = min(end+piece, len(buf))
		}
		if end > i {
			if _, err := to.WriteAt(buf[i:end], at+int64(i)); err != nil {
				return err
			}
		}
		i = end + piece
	}
	return nil
}

// holder is the file that an image is, and where in it; nil where it is none.
func holder(r io.ReaderAt) (*os.File, int64) {
	offset := int64(0)
	for {
		s, is := r.(*io.SectionReader)
		if !is {
			f, _ := r.(*os.File)
			return f, offset
		}
		outer, off, _ := s.Outer()
		r, offset = outer, offset+off
	}
}
