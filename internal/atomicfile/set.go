package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Set is several files of a folder that get their names together, once all are whole.
// Either Commit or Abandon must be called.
type Set struct {
	dir   string
	made  bool // the folder was made for it
	temp  *Folder
	names []string
}

// Begin begins to write files into folder dir, which is made if it does not exist.
func Begin(dir string) (s *Set, err error) {
	// Together, so that an interruption finds a folder made here noted, or not made.
	err = Together(func() error {
		s, err = begun(dir)
		return err
	})
	return s, err
}

// begun is Begin, which nothing may interrupt.
func begun(dir string) (*Set, error) {
	// The files are written into a temporary folder inside dir, so that the renames stay in one
	// file system.
	_, missing := os.Stat(dir)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	temp, err := CreateFolder(dir, "")
	if err != nil {
		return nil, err
	}
	// A folder made for the set goes with it if the process is interrupted.
	if missing != nil {
		alsoRemove(temp.held.Name(), dir)
	}
	return &Set{dir: dir, made: missing != nil, temp: temp}, nil
}

// Create begins to write a file of the set; name is one without a folder. Whoever
// calls it closes the file, before Commit.
func (s *Set) Create(name string) (*os.File, error) {
	// What cannot be replaced must be known before anything is.
	if st, err := os.Lstat(filepath.Join(s.dir, name)); err == nil && st.IsDir() {
		return nil, fmt.Errorf("%s: a directory is in the way of the file", filepath.Join(s.dir, name))
	}
	f, err := os.Create(filepath.Join(s.temp.Path, name))
	if err == nil {
		s.names = append(s.names, name)
	}
	return f, err
}

// Write adds a file that holds text.
func (s *Set) Write(name string, text []byte) error {
	f, err := s.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// Commit gives the files their names, in the order in which they were created. before,
// if not nil, is called immediately before; what it does and the names are one thing
// that an interruption does not divide.
func (s *Set) Commit(before func() error) error {
	return Together(func() error {
		var err error
		if before != nil {
			err = before()
		}
		// After the first error no more files get their names.
		for _, name := range s.names {
			if err == nil {
				err = os.Rename(filepath.Join(s.temp.Path, name), filepath.Join(s.dir, name))
			}
		}
		return errors.Join(err, s.temp.Remove())
	})
}

// Abandon leaves nothing of the files, nor of a folder that was made for them.
func (s *Set) Abandon() error {
	err := s.temp.Remove()
	if s.made {
		_ = os.Remove(s.dir) // another process may have put a file there
	}
	return err
}

// WriteAll writes files, which are texts by name, into dir: all or none.
func WriteAll(dir string, files map[string][]byte) error {
	s, err := Begin(dir)
	if err != nil {
		return err
	}
	return s.Finish(files)
}

// Finish writes the last files of a set, by name, and commits it. After an error it is
// abandoned.
func (s *Set) Finish(files map[string][]byte) error {
	// Sorted, so that the order of the names does not depend on the map.
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := s.Write(name, files[name]); err != nil {
			return errors.Join(err, s.Abandon())
		}
	}
	return s.Commit(nil)
}
