package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// File is a file that gets its name once it is whole. Either Commit or Abandon must
// be called.
type File struct {
	*os.File
	path string
}

// Create begins to write the file path, whose folder must exist.
func Create(path string) (*File, error) {
	dir := filepath.Dir(path)
	f, err := temporary(dir, filepath.Base(path), func(name string) (*os.File, error) {
		return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	})
	if err != nil {
		return nil, err
	}
	return &File{f, path}, nil
}

// Commit gives the file its name. After an error nothing of the file is left.
func (f *File) Commit() error {
	return Together(func() error {
		// The data is complete before the name is: the rename is the moment at which the file
		// appears.
		defer forget(f.Name())
		err := f.Close()
		if err == nil {
			err = os.Rename(f.Name(), f.path)
		}
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
		return err
	})
}

// Abandon leaves nothing of the file.
func (f *File) Abandon() error {
	defer forget(f.Name())
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// Write makes the file path hold text.
func Write(path string, text []byte) error { return write(path, text, false) }

// WriteDurable is Write for what must be there even if the machine stops.
func WriteDurable(path string, text []byte) error { return write(path, text, true) }

func write(path string, text []byte, durable bool) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	// The data must be on the disk before the rename is, and the rename before this returns.
	_, err = f.Write(text)
	if err == nil && durable {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Abandon())
	}
	if err = f.Commit(); err == nil && durable {
		err = syncFolder(filepath.Dir(path))
	}
	return err
}

// Place renames a file, which its caller wrote under another name, to path, so that it is
// there even if the machine stops. It closes the file. After an error the file keeps the
// name it had.
func Place(f *os.File, path string) error {
	err := errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	return err
}

// syncFolder writes the names in a folder to the disk (fsync of the directory).
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
