// Package shell writes what a POSIX shell reads.
package shell

import "strings"

// Quote is a word that a shell takes for s, whatever s holds but for a zero byte, which
// no shell can hold. Words of plain letters stay as they are.
func Quote(s string) string {
	if s != "" && strings.IndexFunc(s, special) < 0 {
		return s
	}
	// Within single quotes nothing is special but the quote: it is written outside them.
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// special says whether a character may mean something to a shell.
func special(c rune) bool {
	return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune("-_./=,:+@%", c)
}

// Line is a command line.
func Line(args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = Quote(a)
	}
	return strings.Join(words, " ")
}
