package main

import (
	"os"
	"path/filepath"
	"slices"

	"maps"
)

// writeFolder writes files into dir. Each appears whole or not at all.
func writeFolder(dir string, files map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := createWhole(dir, name)
		if err != nil {
			return err
		}
		if _, err = f.Write(files[name]); err != nil {
			f.abandon()
			return err
		}
		if err := f.commit(); err != nil {
			return err
		}
	}
	return nil
}

// wholeFile is a file that gets its name once it is whole.
type wholeFile struct {
	*os.File
	path string
	made bool // its folder was made for it
}

// createWhole begins to write a file of dir, which it makes where there is none.
func createWhole(dir, name string) (*wholeFile, error) {
	_, missing := os.Stat(dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	tmp, err := os.CreateTemp(dir, "."+name+"-*")
	if err != nil {
		return nil, err
	}
	return &wholeFile{tmp, filepath.Join(dir, name), missing != nil}, nil
}

// commit gives the file its name.
func (f *wholeFile) commit() error {
	err := f.Chmod(0o644)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// abandon leaves nothing of the file, nor of its folder.
func (f *wholeFile) abandon() {
	f.Close()
	os.Remove(f.Name())
	if f.made {
		os.Remove(filepath.Dir(f.path))
	}
}
