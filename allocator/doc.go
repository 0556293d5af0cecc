// Package allocator is the vocabulary that every block allocation policy of
// mbsim shares: the geometry of a file system, the units blocks are counted in,
// and where the state found on disk at mount comes from.
//
// # Units
//
// A Block is a file-system block, numbered from the start of the device. A
// cluster is 2^ClusterBits blocks; without the bigalloc feature the two are the
// same. Bitmaps and buddies count clusters; extents, goals and the journal count
// blocks. Ranges are [start, start+n).
//
// Nothing below allocator/ knows time, files, YAML or printing. Policies return
// decisions together with what the search cost; where several simulated CPUs
// run, they wait for locks through an interface that the engine implements.
//
// Read next: allocator/bitmap (raw bits), allocator/mballoc (ext4),
// allocator/reservation (ext2).
package allocator
