// Package strace reads what strace(1) writes: lines of system calls, with or without process ids (-f),
// any of its clocks (-t, -tt, -ttt, -r, -T), descriptors with their paths (-y, -yy), and calls in two
// parts, since another process was shown in between.
//
//	r := strace.NewReader(text, "log.strace")
//	for r.Next() {
//		e := r.Event() // a call, the beginning or the end of one, or the end of a process
//	}
//	err := r.Err()
//
// # Invariants
//
// Reader keeps the calls that have begun and have not ended, and nothing else: memory follows the
// number of processes, and the length of a line.
// A line that strace does not write is an error with its line and column (LineError), never a guess.
//
// The package knows no file and no process: what calls do is for imports to say.
//
// Read next: imports.
package strace
