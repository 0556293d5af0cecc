package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Clean removes from a folder all that killed processes have left there, whatever it
// was to become. A folder that is not there has nothing.
func Clean(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		// A temporary name is ".tmp-NUMBER" or ".NAME.tmp-NUMBER". Others are somebody else's.
		name := e.Name()
		i := strings.LastIndex(name, "tmp-")
		if i < 1 || name[0] != '.' || name[i-1] != '.' || !isNumber(name[i+len("tmp-"):]) {
			continue
		}
		if err := removeUnheld(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
