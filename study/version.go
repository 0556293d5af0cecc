package study

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"mbsim/reports"
)

// CodeVersion names the code that is running: by version and commit, or, where the commit does
// not identify the code, by the SHA-256 of the executable.
func CodeVersion() (string, error) {
	m := reports.Build()
	parts := []string{m.Version}
	if m.Revision != "" {
		parts = append(parts, m.Revision[:min(12, len(m.Revision))])
	}
	if m.Revision == "" || m.Modified {
		sum, err := hashExecutable()
		if err != nil {
			return "", err
		}
		parts = append(parts, "executable", sum)
	}
	return strings.Join(parts, " "), nil
}

// hashExecutable returns the first twelve digits of the executable's SHA-256.
func hashExecutable() (sum string, err error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:6]), nil
}
