// Package fio reads what fio(1) reads and writes: job files, and logs of its requests (write_iolog).
//
//	jobs, err := fio.ParseJobs(text, "job.fio", fio.Options{...}) // every job with all its settings
//
//	log := fio.NewIolog(text, "job.iolog")
//	for log.Next() {
//		r := log.Request()
//	}
//	err := log.Err()
//
// # Invariants
//
// A key of a job file has an effect (keys.go), is known to move no block (harmless), is known and not kept
// (notKept), or is unknown: the last two are told to the caller, never passed over in silence.
// A value that fio would not take is an error with its line and column.
// A job has the settings that all sections [global] before it and its own section give, the last one of each
// key.
// Sizes are powers of 1024, as with fio's kb_base=1024: 4k and 4kb are 4096 bytes, and 4ki is 4000.
//
// The package knows no file: which requests a job makes is for imports to say.
//
// Read next: imports.
package fio
