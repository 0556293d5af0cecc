// Package replay performs a case of the oracle, a script of operations on a
// file system, and writes what the recorder writes of a real kernel: files.txt,
// mb_groups.txt, mb_stats.txt, mb_groups.log and results.txt. It also compares
// the two, and says in plain words where they first differ.
//
// Run reads the case and its starting layout, and nothing else of a recording.
// Verify reads the recording, and nothing of it reaches Run.
//
// Read next: filesystem/play, which performs operations.
package replay
