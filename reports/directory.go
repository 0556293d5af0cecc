package reports

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"mbsim/internal/atomicfile"
)

// WriteDir writes files and the manifest, which will name them, into dir.
//
// A directory that does not exist appears whole: the files are written into a
// temporary one beside it, which is then renamed. Where dir exists they are
// written into a temporary one inside it; then the old manifest goes, the files
// take their places one by one, files that only the old manifest names go, and
// the new manifest comes last. Whatever else is in dir stays. If anything fails
// while files are written dir is as it was. One at a time may write into dir: the
// caller holds its lock, and has called Recover.
func WriteDir(dir string, m *Manifest, files []File) error {
	// Names go into the manifest, and are places in dir only if they are plain.
	names := make([]string, 0, len(files))
	for _, f := range files {
		if !plainName(f.Name) || f.Name == manifestName || slices.Contains(names, f.Name) {
			return fmt.Errorf("%s: cannot write a file named %q", dir, f.Name)
		}
		names = append(names, f.Name)
	}
	slices.Sort(names)
	m.Files = names
	files = append(slices.Clip(files), manifestFile(m))

	// A new directory appears whole; in one that is there files are replaced.
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return createDir(dir, files)
	case err != nil:
		return err
	case !st.IsDir():
		return fmt.Errorf("%s: a file is in the way of the directory", dir)
	}
	return replaceFiles(dir, files)
}

// createDir makes dir with the files in it: under a temporary name until all are written.
func createDir(dir string, files []File) (err error) {
	dir = filepath.Clean(dir)
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return err
	}
	tmp, err := atomicfile.CreateFolder(parent, filepath.Base(dir))
	if err != nil {
		return err
	}
	// A failure leaves nothing behind.
	defer func() {
		if err != nil {
			err = errors.Join(err, tmp.Remove())
		}
	}()
	for _, f := range files {
		out, err := os.Create(filepath.Join(tmp.Path, f.Name))
		if err == nil {
			err = f.writeTo(out)
		}
		if err != nil {
			return err
		}
	}
	return tmp.Rename(dir)
}

// replaceFiles replaces the files of the run in dir, as WriteDir describes.
func replaceFiles(dir string, files []File) error {
	set, err := prepare(dir, files)
	if err != nil {
		return err
	}
	// Find the old run's files before its manifest goes.
	stale := staleFiles(dir, files)
	// Between this and the end dir has no manifest: whoever looks in finds no run there, and
	// Recover can tell a process that was killed meanwhile.
	if err := set.Commit(func() error {
		if err := setAside(dir); err != nil {
			return err
		}
		for _, name := range stale {
			if err := remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return remove(filepath.Join(dir, replacedName))
}

// AddFiles writes files into dir, made if it does not exist, beside what is there.
// Files of the same names are replaced; each is whole or as it was. m, if not nil,
// is the manifest of the run in dir: it will name the files too.
func AddFiles(dir string, m *Manifest, files []File) error {
	// The manifest, if the files come under one, names them too.
	for _, f := range files {
		if !plainName(f.Name) || f.Name == manifestName {
			return fmt.Errorf("%s: cannot write a file named %q", dir, f.Name)
		}
		if m != nil && !slices.Contains(m.Files, f.Name) {
			m.Files = append(m.Files, f.Name)
		}
	}
	// It is written together with them.
	if m != nil {
		slices.Sort(m.Files)
		files = append(slices.Clip(files), manifestFile(m))
	}
	set, err := prepare(dir, files)
	if err != nil {
		return err
	}
	return set.Commit(nil)
}

// prepare writes files under temporary names. After it succeeded nothing is in the way of the
// places in dir where they are to appear.
func prepare(dir string, files []File) (*atomicfile.Set, error) {
	set, err := atomicfile.Begin(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		out, err := set.Create(f.Name)
		if err == nil {
			err = f.writeTo(out)
		}
		if err != nil {
			return nil, errors.Join(err, set.Abandon())
		}
	}
	return set, nil
}

// remove removes a file that may not exist.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// staleFiles are the regular files that the manifest in dir names and that are
// not among files. A manifest that cannot be read names none.
func staleFiles(dir string, files []File) (stale []string) {
	// The manifest came from disk, so that its names were tested (checkFiles).
	var old Manifest
	if load(dir, manifestName, maxManifest, old.readFiles) != nil {
		return nil
	}
	for _, name := range old.Files {
		if slices.ContainsFunc(files, func(f File) bool { return f.Name == name }) {
			continue
		}
		// Only regular files: whatever else bears the name now is not of the run.
		if st, err := os.Lstat(filepath.Join(dir, name)); err == nil && st.Mode().IsRegular() {
			stale = append(stale, name)
		}
	}
	return stale
}

// writeTo writes the file's content to out, and closes it.
func (f *File) writeTo(out *os.File) error {
	b := bufio.NewWriterSize(out, 1<<16)
	// The file is closed whether writing succeeded or not.
	err := f.Write(b)
	if err == nil {
		err = b.Flush()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	return nil
}
