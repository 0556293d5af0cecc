package main

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// widthOf is how many characters a line on w may have: those of the terminal, or the environment's
// COLUMNS. It is 0, for any number, where w is a file or a pipe and nothing is said.
func widthOf(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 0
}
