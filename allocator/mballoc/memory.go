package mballoc

import "mbsim/allocator"

// LeastMemory is how much memory an allocator takes at least, in bytes, once it has
// looked into every group, as it does where mb_groups is read: the buddies of a group
// are two bits a cluster, and what else it needs was never seen below a kilobyte (9.5
// to 14 KB in all for groups of 32768 clusters).
func LeastMemory(g *allocator.Geometry) int64 {
	const rest = 1 << 10
	return int64(g.Groups) * (2*int64(g.ClustersPerGroup)/8 + rest)
}
