package main

import (
	"fmt"
	"os"
	"path/filepath"

	"mbsim/filesystem"
	"mbsim/imports"
	"mbsim/internal/unpack"
	"mbsim/kernels"
	"mbsim/replay"
)

// readState looks what --state names. A list stays one. With an image, or a text of dumpe2fs, the case begins
// as that file system, and what an image holds need not be made.
func (f *importFlags) readState() error {
	if f.State == "" {
		return nil
	}
	isDump, err := replay.IsDumpe2fs(f.State)
	if err != nil {
		return err
	}
	isImage, err := looksLikeImage(f.State)
	if err != nil {
		return err
	}
	if !isDump && !isImage {
		return nil
	}
	file := f.State
	if f.state, err = filepath.Abs(file); err != nil {
		return err
	}
	f.State, f.dump = "", isDump
	if isDump {
		return nil // it has no names of files
	}
	f.OnDevice, err = filesOf(file)
	return err
}

// looksLikeImage says whether a file is an image and no list: a list is a text, and has no zero byte at its
// beginning, packed or not.
func looksLikeImage(name string) (bool, error) {
	file, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer file.Close()
	text, release, err := unpack.Text(file)
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	defer release()
	// A superblock stands behind 1024 bytes, which are zero but on a disk one can boot from.
	head := make([]byte, 2048)
	n, _ := text.Read(head) // what is wrong with the file reading it will tell
	for _, c := range head[:n] {
		if c == 0 {
			return true, nil
		}
	}
	return false, nil
}

// filesOf are the files and directories of an image.
func filesOf(name string) ([]imports.Known, error) {
	sys := kernels.Default()
	layout, err := replay.OpenState(name, sys)
	if err != nil {
		return nil, err
	}
	defer layout.Close()
	m, err := sys.Mount(layout, kernels.Options{CPUs: 1})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var all []imports.Known
	for f := range m.Look() {
		dir := filesystem.IsDir(f.Mode)
		if f.Path != "." && (dir || filesystem.IsRegular(f.Mode)) {
			all = append(all, imports.Known{Path: f.Path, Dir: dir, Size: f.Size})
		}
	}
	return all, nil
}
