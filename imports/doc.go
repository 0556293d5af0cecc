// Package imports makes a case of what was recorded of real programs, or of a list of files: a script in the
// oracle's language of what happens below one folder, and a report of what is in it and what is not.
//
//	log, err := imports.OpenLog("log.strace.xz")
//	format, err := imports.Recognize(log)
//	report, err := format.Import([]*imports.Log{log}, imports.Options{Root: "/mnt/vol"}, create)
//
// # How
//
// Formats (format.go) are told by the first bytes. Lists of files are made in their order (list.go), logs of
// fio (fiolog.go) and its job files (fiojob.go, fiorun.go) by a builder that knows files and directories and
// nothing else (builder.go). Traces of ext4's events are filtered (ftrace.go) for package replay, and profiles
// of Geriatrix become a scenario (ages.go).
//
// A log of strace is read twice. Both times the calls are performed on a model: processes with their tables of
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
