// Package imports makes a case of what was recorded of real programs: a script in the oracle's language,
// of what they did below one folder, and a report of what is in it and what is not.
//
//	text, err := imports.Open("log.strace.xz")
//	report, err := imports.Strace(text, imports.Options{Root: "/mnt/vol"}, ops)
//
// # How
//
// The log is read twice. Both times the calls are performed on a model: processes with their tables of
// descriptors and working directories (process.go), open files with their positions, and a tree of the
// names below the root (tree.go). The first reading only learns which files were there before, and how
// large they were at least (before.go). The second one prepares these and writes the script (script.go).
//
// # Invariants
//
// Calls are performed in the order in which they end. A call that has not ended yet is performed early
// where another one shows that it has had its effect (settle in settle.go).
// Every call of the log is counted once in the report: performed, moves no block, failed, outside the
// root, cut off, or left out with a reason.
// Each operation of the script succeeds on an empty file system that is large enough.
// Memory follows what is open and what has a name, and not the length of the log.
//
// # Not modelled
//
// Hard links and symbolic links are not in the script. The model knows them, so that data goes to the
// right file and what has still a name stays. What a program stores through a mapping of a file in memory
// or through io_uring is in no log.
//
// Read next: imports/strace, the form of the log; workload, the language of scripts.
package imports
