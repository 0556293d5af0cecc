// Package filelist reads lists of files as programs print them, and tar files themselves: which files and
// directories there are, in the order of the list, and how large.
//
//	f, ok := filelist.Recognize(firstBytes)
//	r := f.Open(text, "list.txt", false)
//	for r.Next() {
//		e := r.Entry()
//	}
//	err := r.Err()
//
// # Invariants
//
// Entries come in the order of the list, and no entry is kept: memory follows the length of a line.
// A line that is not of the format is an error with its line and column (LineError), never a guess. The
// columns of find -printf, which the user chooses, are those of the first line, and hold for all others.
//
// The package knows no tree of names: whether entries fit together is for imports to say.
//
// Read next: imports.
package filelist
