// Package mballoc decides where ext4 puts blocks. It is Linux's multi-block allocator
// (fs/ext4/mballoc.c), bit for bit: the same requests on the same disk get the same
// blocks, and the same counters, as in the kernel that was chosen (Kernel).
//
// # Units
//
// A cluster is 2^ClusterBits blocks, one block without bigalloc. Bitmaps, buddies,
// free counts, goals' lengths and preallocations count clusters. Places on the
// device (pstart, goals, what NewBlocks returns) and places in a file (logical,
// lstart) count blocks. File sizes are bytes. A place inside a group is a cluster,
// from 0 to ClustersPerGroup-1. Ranges are [start, start+n).
//
// In every bitmap a set bit means in use, and so does one past the end of the disk.
// In buddy[k], k > 0, a clear bit i says that the clusters [i<<k, (i+1)<<k) are
// free and are not part of a larger free buddy. buddy[0] is a bitmap of clusters:
// a free cluster's bit is clear there whatever buddy it is in.
//
// # Structure
//
// A group has its bitmap and its descriptor's free count as they are on disk, and
// its buddy, which is made of them when a search first needs it:
//
//	buddy[0] = bitmap on disk + what is preallocated + what waits for a commit
//
// Orders go up to BlockBits+1: with 4K blocks from 1 to 8192 clusters, so that a
// group of 32768 has four of the largest. Of each group are kept the number of free
// buddies by order, free clusters, fragments (free runs), the largest order, and two
// lower bounds of the first free cluster: the kernel's, which mb_groups shows, and a
// closer one for scans to begin at. A free run has just one decomposition, the
// greedy aligned one, so that a buddy that grew by splitting and merging is the
// same as one made anew.
//
// # The way of a request
//
// NewBlocks (ext4_mb_new_blocks) takes a request through these steps.
//
// Claim: space that was not promised before is promised now, halving the request
// until it may be; space.go.
//
// Kind: metadata is served as asked. A regular file's request is cut to size if it
// ends the file and nobody has that open for writing (no preallocation), belongs to
// the CPU's locality group if the file is small, and else is a stream;
// normalize.go.
//
// Preallocations: the inode's that holds the block asked for, else of the locality
// group's those long enough, the one nearest to the goal; prealloc.go.
//
// Normalization: a stream's request becomes a window of the file whose size
// follows from the file's, cut where the file has blocks or preallocations; if it
// touches blocks the goal moves beside them. A locality group's becomes
// mb_group_prealloc clusters; normalize.go.
//
// Goal: with HintTryGoal the goal's place is taken if all of the window fits there.
// A stream's search then begins in the group where the last stream's ended, which
// is one for the whole file system, any other in its goal's group.
//
// The ladder: all groups are passed, around the disk, once with each rung of the
// kernel's ladder until one ends the search (the kernel's criteria). The rungs of 5.10
// are cr0, only for a power of two, which wants a buddy of that order and takes the first;
// cr1, which wants the mean free run as long as the window; cr2, as many free clusters;
// and cr3, anything. What a rung asks of a group is said once, by its limits; ladder.go,
// linux5_10.go. Which group comes next is the kernel's Order; order_linear.go. The search
// itself is in search.go.
//
// In a group that meets the limits, free extents are examined in order, where an extent is
// as many buddies behind each other as the window needs, not the whole free run. One of
// just the length wins at once. While all are shorter the longest is the best, then the
// shortest that is long enough. The group's end, or mb_min_to_scan extents, end the search
// with a best that is long enough; mb_max_to_scan extents end it with any; scan.go. With a
// stripe and a window of whole stripes, cr1 looks at stripes' borders only.
//
// A best that is still short when all is done is taken then, without a lock held
// in between. Where several CPUs run, another may have taken it: a lost chunk, and
// the search takes whatever comes first.
//
// Preallocation made: what was found beyond the request stays with the inode, or
// with the locality group. If it is shorter than the window it is placed in the
// file so that it ends with the window, else begins with it, else with the request.
// How those of an inode are kept is the kernel's InodePreallocs; pas_recent.go.
//
// Release: a locality group's preallocation is shortened by what was taken, and
// listed anew by log2 of what is left; above eight in a list the smallest go until
// five are left. An inode's moves to the front of its list; above 1.25 times
// mb_max_inode_prealloc those at the back go.
//
// Discard: if nothing was found, preallocations are given up, group by group from
// the first on, until as much is free as was asked for, and the search is made
// again; at most three times, discard.go.
//
// # Reading bitmaps
//
// A rung that is Cheap (cr0 and cr1) passes a group over whose buddy is not loaded, unless
// loading it costs no IO (it is uninitialized) or it is the first of its flex group.
// Searches read the bitmaps of the rest of a flex group ahead, with a cheap rung up to
// mb_prefetch_limit of them, and load the last batch at their end. With blocks of 1K the
// buddies of two groups lie in one page and are loaded together; readahead.go, group.go.
//
// # Freeing
//
// FreeBlocks frees clusters on disk at once, in the descriptor and the counters
// too. In the buddy they stay in use until Committed says that their transaction
// has committed; so that a disk may have free clusters that no search finds.
// Without a journal they are free at once; free.go.
//
// The allocator of fast-commit replay works on bitmaps alone; simple.go.
//
// # Kernels and settings
//
// A Kernel is a literal in a file of its own, and no other file names a version. It is
// made of types (how groups are met, how an inode's preallocations are kept), of lists
// (the ladder, the tunables, the lines of mb_stats), and of Quirks, one field for each
// difference of one line. docs/ADD-A-POLICY.md adds one.
//
// Tunables are the files in /sys/fs/ext4/DEV, found by field or by file name; which of
// them exist is the kernel's. mb_stats is always on.
//
// # Costs and limits
//
// A mount of a petabyte (8 million groups of 4K blocks) takes 3 to 5 ms and 7 MB,
// if the Source knows its sum of free clusters, and 0.7 s if it is asked for every
// descriptor. Groups are made 64 at a time on first touch, 0.2 KB each; bitmap and
// buddy take 3*BlockSize more, 12 KB with 4K blocks, once something in the group
// changes, or where its free space is not one run (shapes.go). A search that fails
// everywhere touches all of them.
//
// A request from a preallocation takes about 0.15 us, one from a buddy 0.4 us, each
// group that is passed over 15 ns more. NewBlocks takes no memory and looks into no
// map once its lists have grown; a test holds it to that.
//
// Group numbers have 32 bits, places in a file too. Files without extents reach
// blocks below 2^32 only.
//
// # What is not modelled
//
// Quota, IO errors, corrupt bitmaps, checksums, shrinking memory (a loaded buddy
// stays), online resize, TRIM, data=writeback (with a journal all that is freed
// waits for the commit), and the check that a block is none of the file system's
// own metadata. The kernel's lists of freed clusters are trees whose neighbours
// merge; here they are one list, with the same outcome.
//
// Locks are modelled as points where another CPU may run (Locks); who waits for
// whom, and for how long, is the engine's business. Without Locks one CPU runs at a
// time, and lost chunks do not occur.
//
// Where the kernel has a BUG_ON, this panics with the state. One that real workloads
// could reach is that of kernels without Quirks.ClampTinyGroups: with groups below 8 MB a
// window may end before the block it is for.
//
// # Checks
//
// With the build tag invariants every call ends with a recount of what it touched;
// check.go. The files in testdata/decisions are small layouts with the requests made of
// them and the decisions that follow, each checked against the kernel's source.
//
// # Read next
//
//	newblocks.go     a request from its beginning to its end
//	normalize.go     kinds and windows
//	prealloc.go      preallocations: used, made, released
//	pas_recent.go    how an inode keeps its own
//	kernel.go        what kernels differ in; linux5_10.go is one
//	search.go        the search over groups: the ladder, one pass, reading ahead
//	ladder.go        what a rung asks of a group
//	order_linear.go  how one pass meets the groups
//	scan.go          the search inside a group
//	buddy.go         splitting and merging
//	group.go         a group, and how it is loaded; readahead.go, before that is needed
//	discard.go       preallocations given up
//	free.go          freeing and commits
//	space.go         promises and counters
//	simple.go        fast-commit replay
//	observer.go      what is told to others; locks
//	tunables.go      settings; stats.go counters; view.go views that leave no trace
//
// and, above this package, filesystem/ext4, which makes the requests.
package mballoc
