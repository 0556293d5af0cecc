// Package play performs the operations of a script on a mounted file system, as
// the oracle's guest program performs them on a real one, and writes what came
// of them in the form in which the oracle records it: results.txt and files.txt.
// It knows no policy; ext2 and ext4 are played alike.
//
// # Units
//
// Sizes and offsets are bytes, extents are file-system blocks.
//
// # Not modelled
//
// Time: an operation is over when Do returns. The engine (run) plays the
// same operations in simulated time.
//
// Read next: filesystem, the operations; workload, where scripts come from.
package play
