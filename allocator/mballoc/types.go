package mballoc

import (
	"strings"

	"mbsim/allocator"
)

// Flags are a request's hints and the allocator's own marks (EXT4_MB_*).
type Flags uint32

// The flags, in the kernel's order.
const (
	HintMerge        Flags = 1 << iota // merge with what lies at the goal, even if short; no caller
	_                                  // HINT_RESV, which the kernel does not use
	_                                  // HINT_MDATA, which the kernel does not use
	HintFirst                          // take the first extent found
	_                                  // HINT_BEST, which the kernel does not use
	HintData                           // blocks of a regular file
	HintNoPrealloc                     // give what was asked, prepare nothing
	HintGroupAlloc                     // a small file: use the CPU's locality group
	HintGoalOnly                       // the goal or nothing; no caller
	HintTryGoal                        // the goal's place is meaningful: try it first
	DelallocReserved                   // the space was reserved when it was written
	StreamAlloc                        // a large file: go on where the last stream ended
	UseRootBlocks                      // may take root's reserve
	UseReserved                        // may take the reserved pool
	StrictCheck                        // look at free counts under the group lock
)

// Unprivileged says that the process that asks may not take root's reserve. It is no flag of the
// kernel's, which looks at the current process instead, and so has no name in traces.
const Unprivileged Flags = 1 << 31

var flagNames = [...]string{
	"HINT_MERGE", "HINT_RESV", "HINT_MDATA", "HINT_FIRST", "HINT_BEST", "HINT_DATA", "HINT_NOPREALLOC",
	"HINT_GRP_ALLOC", "HINT_GOAL_ONLY", "HINT_TRY_GOAL", "DELALLOC_RESV", "STREAM_ALLOC", "USE_ROOT_BLKS",
	"USE_RESV", "STRICT_CHECK",
}

// String names the flags as the kernel's trace events do.
func (f Flags) String() string {
	var names []string
	for i, n := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, "|")
}

// Request asks for blocks (struct ext4_allocation_request).
type Request struct {
	Inode   *Inode
	Goal    allocator.Block // where they should lie
	Logical uint32          // block of the file that the first one is for
	// Len is the number of clusters asked for, and on return of those given.
	Len uint32
	// Lleft and Lright are the file's nearest mapped blocks on both sides, and
	// Pleft and Pright where they lie; 0 where there is none.
	Lleft, Lright uint32
	Pleft, Pright allocator.Block
	Flags         Flags
}

// Inode is what the allocator keeps and needs to know of a file. The file
// system embeds it in its own inode and keeps the exported fields current.
type Inode struct {
	Number  uint32
	Writers int32 // handles open for writing (i_writecount)
	Size    int64 // i_size, bytes

	pas    paList // preallocations, the most recently used first
	active int32  // of these, not yet deleted (i_prealloc_active)

	Regular bool // a regular file: only these have preallocations
	Extents bool // mapped by extents, so that blocks may lie anywhere
}

// freeExtent is a range of clusters of a group, for a range of a file
// (struct ext4_free_extent). Lengths and starts are clusters, logical is in blocks.
type freeExtent struct {
	logical uint32
	start   int
	group   allocator.GroupID
	len     int
}

// status is how far a search has come (AC_STATUS_*).
type status uint8

const (
	statusContinue status = iota + 1
	statusFound
	statusBreak
)

// Criteria that Decision.Criteria holds beside the rungs of the ladder, counted from 0.
const (
	FromInodePA = 10 // served from one of the inode's preallocations
	FromGroupPA = 20 // served from a locality group's
)

// allocation is the state of one request while it is served
// (struct ext4_allocation_context).
type allocation struct {
	inode *Inode
	pa    *prealloc
	lg    *localityGroup

	cpu      int
	orig     freeExtent // as asked (ac_o_ex)
	goal     freeExtent // after normalization (ac_g_ex)
	wish     int        // the length of the window that normalization gave, else that asked for (ac_orig_goal_len)
	best     freeExtent // the best found (ac_b_ex)
	found    freeExtent // the best as it was before preallocation changed it (ac_f_ex)
	flags    Flags
	status   status
	criteria int  // the rung of the ladder, FromInodePA or FromGroupPA
	order2   int  // log2 of the goal's length if that is a power of two worth a buddy search
	examined int  // free extents examined (ac_found)
	scanned  int  // groups scanned
	tail     int  // what the first split of a buddy left, clusters
	buddy    int  // order of that buddy
	searched bool // a search was made (ac_op is HISTORY_ALLOC)

	pass  searchPass // the pass that is under way
	ahead prefetcher // how far its search has read bitmaps ahead
}
