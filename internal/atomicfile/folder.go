package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// Folder is a temporary folder. Either Rename or Remove must be called.
type Folder struct {
	Path string
	held *os.File
}

// CreateFolder makes a temporary folder in parent, which must exist. name says for
// what: it is part of the folder's name and may be "".
func CreateFolder(parent, name string) (*Folder, error) {
	// An open folder can be locked like a file.
	held, err := temporary(parent, name, func(name string) (*os.File, error) {
		if err := os.Mkdir(name, 0o777); err != nil {
			return nil, err
		}
		return os.Open(name)
	})
	if err != nil {
		return nil, err
	}
	return &Folder{filepath.Join(parent, filepath.Base(held.Name())), held}, nil
}

// Rename makes the folder path, which must not exist, or be empty. After an error the
// folder is as it was.
func (f *Folder) Rename(path string) error {
	return Together(func() error {
		if err := os.Rename(f.Path, path); err != nil {
			return err
		}
		// The folder has its name now, so an interruption must not remove it any more.
		forget(f.held.Name())
		return f.held.Close()
	})
}

// Remove removes the folder with all that is in it.
func (f *Folder) Remove() error {
	defer forget(f.held.Name())
	return errors.Join(os.RemoveAll(f.Path), f.held.Close())
}
