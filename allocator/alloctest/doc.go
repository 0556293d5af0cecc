// Package alloctest is a contract that every block allocation policy keeps,
// whatever its way of choosing, as a suite of tests that a policy's own test
// calls with an adapter:
//
//   - no block is given twice, none that is in use at mount, none of the file
//     system's own, none outside the device, and never more than were asked for;
//   - the counts of free blocks and the bitmaps are at every moment what a plain
//     recount says;
//   - a free goal is honoured where nothing is reserved;
//   - a request fails only when no block is free;
//   - blocks freed come back, all of them, and the same requests on the same disk
//     get the same blocks.
//
// What is right is decided by an Oracle, a list of who owns each block: slow,
// and too simple to be wrong.
//
// # Units
//
// Everything counts blocks; clusters are single blocks here.
//
// # Not covered
//
// Which free block a policy chooses: that is for its own tests and for the
// recordings of real kernels.
//
// Read next: allocator/mballoc and allocator/reservation, whose contract_test.go
// run the suite.
package alloctest
