// Package procfs writes the allocator's state as the kernel's files in
// /proc/fs/ext4/DEV show it: mb_groups (a line a group: free clusters,
// fragments, a lower bound of the first free cluster, free buddies by order),
// mb_stats (counters since mount), and mb_structs_summary (how many groups are
// on each of the allocator's lists). The texts are byte for byte those of the
// kernel, but for the time that generating buddies took, which a simulator
// does not spend.
//
// Counts are clusters. Read next: metrics.
package procfs
