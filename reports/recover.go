package reports

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mbsim/internal/atomicfile"
)

// replacedName is the name of the old manifest while the files of a run are replaced.
// Where it is there the process that replaced them was killed.
const replacedName = "." + manifestName + ".replaced"

// setAside begins to replace the files of a run: dir has no manifest from here on, and
// what it was is kept for Recover.
func setAside(dir string) error {
	from, to := filepath.Join(dir, manifestName), filepath.Join(dir, replacedName)
	err := os.Rename(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.WriteFile(to, nil, 0o644) // there was no run
	}
	return err
}

// Recover removes what processes that were killed have left in dir: temporary files,
// and where one was killed while it replaced the files of a run, those of the old and
// of the new one, which are a mixture that nobody can use. The caller holds the folder's
// lock. A folder that is not there has nothing.
func Recover(dir string) error {
	if err := removeMixture(dir); err != nil {
		return fmt.Errorf("%s: a killed process has left files that cannot be removed: %w", dir, err)
	}
	return atomicfile.Clean(dir)
}

// removeMixture removes the files of a run whose replacement did not come to its end.
func removeMixture(dir string) error {
	// Without the mark no replacement was going on.
	mark := filepath.Join(dir, replacedName)
	if _, err := os.Lstat(mark); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// With a manifest all files were in their places, and only the mark was left.
	if _, err := os.Lstat(filepath.Join(dir, manifestName)); errors.Is(err, fs.ErrNotExist) {
		// The new manifest, which comes last, is still where it was written.
		names := namedBy(mark)
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".tmp-") {
				names = append(names, namedBy(filepath.Join(dir, e.Name(), manifestName))...)
			}
		}
		// Only regular files: nothing else was written.
		for _, name := range names {
			path := filepath.Join(dir, name)
			if st, err := os.Lstat(path); err == nil && st.Mode().IsRegular() {
				if err := remove(path); err != nil {
					return err
				}
			}
		}
	}
	return remove(mark)
}

// namedBy are the files that a manifest names. One that cannot be read names none.
func namedBy(path string) []string {
	var m Manifest
	if load(filepath.Dir(path), filepath.Base(path), maxManifest, m.readFiles) != nil {
		return nil
	}
	return m.Files
}
