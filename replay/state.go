package replay

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"mbsim/filesystem/image"
	"mbsim/internal/input"
	"mbsim/kernels"
)

// IsDumpe2fs says whether a file, packed by gzip or not, is a text of dumpe2fs and not an image.
func IsDumpe2fs(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	text, err := input.Gunzip(f)
	if err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	head := make([]byte, 4096)
	n, _ := io.ReadFull(text, head) // what is wrong with the file reading it will tell
	return bytes.Contains(head[:n], []byte("Filesystem volume name:")), nil
}

// OpenState opens the file that a case's file system begins as: an image, or a text of dumpe2fs. Close the
// layout after use.
func OpenState(file string, sys *kernels.System) (*image.Layout, error) {
	isText, err := IsDumpe2fs(file)
	if err != nil {
		return nil, err
	}
	if !isText {
		return image.OpenAs(file, image.OpenOptions{KeepOrphans: sys.KeepsOrphans})
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return image.ReadDumpe2fs(f, file)
}
