package cost

import (
	"fmt"

	"mbsim/internal/nearest"
)

// Cost describes one field of a Model.
type Cost struct {
	Name    string
	Unit    string
	Default int64
	Doc     string
	Source  string // where the default comes from
	at      func(*Model) *int64
}

// Max is the largest value a cost may have, ns: a second.
const Max int64 = 1_000_000_000

const sampled = "measured here, sampling: "

var registry = []Cost{
	{"syscall", "ns/call", 180, "A system call's way into the kernel and out.",
		"measured here: getppid(2) in a loop", func(m *Model) *int64 { return &m.Syscall }},
	{"context_switch", "ns/switch", 1800, "A CPU changing from one process to another, the wakeup included.",
		"measured here: a byte through two pipes and back on one CPU, less the same without a second process",
		func(m *Model) *int64 { return &m.ContextSwitch }},
	{"lock", "ns/lock", 20, "Taking a free spinlock and giving it back.",
		"assumed: 3 ns measured here where the line is in the CPU's cache, and some of them are not",
		func(m *Model) *int64 { return &m.Lock }},
	{"lock_hand_over", "ns/hand-over", 100, "From one CPU's unlock to another CPU that spins having the lock.",
		"measured here: a cache line from CPU to CPU and back, 85 to 100 ns while both are awake",
		func(m *Model) *int64 { return &m.LockHandOver }},

	{"copy_page", "ns/page", 700, "Copying 4096 bytes between a process and a page of the cache, finding the page included.",
		"measured here: pwrite(2) of 256 KiB over pages in the cache, a 64th", func(m *Model) *int64 { return &m.CopyPage }},
	{"new_page", "ns/page", 1800, "A page that was not in the cache: allocated, added, its block promised.",
		"measured here: pwrite(2) of 4 KiB behind the end of a file, less the same over pages in the cache",
		func(m *Model) *int64 { return &m.NewPage }},
	{"submit_page", "ns/page", 510, "A dirty page made ready for writeback and added to a bio.",
		"measured here: fsync(2) of 60,000 dirty pages, a 60,000th", func(m *Model) *int64 { return &m.SubmitPage }},
	{"submit_request", "ns/request", 1100, "A bio sent through the block layer to the driver.",
		sampled + "ext4_io_submit", func(m *Model) *int64 { return &m.SubmitRequest }},

	{"group_considered", "ns/group", 90, "A group looked at without its lock: is it worth a scan?",
		sampled + "ext4_mb_good_group and ext4_mb_prefetch, a group", func(m *Model) *int64 { return &m.GroupConsidered }},
	{"group_scanned", "ns/group", 160, "Finding a group's buddy and bitmap in the cache before a scan or a use. The lock is extra.",
		sampled + "ext4_mb_load_buddy_gfp", func(m *Model) *int64 { return &m.GroupScanned }},
	{"extent_examined", "ns/extent", 70, "A free extent found, measured and compared in a scan.",
		sampled + "ext4_mb_complex_scan_group, where every other block is free", func(m *Model) *int64 { return &m.ExtentExamined }},
	{"prealloc_looked_at", "ns/preallocation", 15, "One of a file's preallocations looked at. Kernels before 6.4 keep them in a list, and walk it up to three times a request; later ones in a tree.",
		"assumed, between the 5 ns of BenchmarkPreallocations in a list of 576 and the 50 and more in one of 12,800, which no longer fits into the CPU's cache", func(m *Model) *int64 { return &m.PreallocLookedAt }},
	{"buddy_update", "ns/range", 100, "A range taken out of a group's buddy or given back, whatever its size.",
		sampled + "mb_mark_used", func(m *Model) *int64 { return &m.BuddyUpdate }},
	{"bitmap_update", "ns/range", 460, "A range marked in a block bitmap on disk: access to bitmap and descriptor from the journal, outside the group's lock.",
		sampled + "ext4_mb_mark_context, less bitmap_checksum", func(m *Model) *int64 { return &m.BitmapUpdate }},
	{"bitmap_checksum", "ns/range", 350, "The same: the checksums of bitmap and descriptor, under the group's lock.",
		sampled + "what ext4_mb_mark_context calls for them", func(m *Model) *int64 { return &m.BitmapChecksum }},
	{"bitmap_word", "ns/64 clusters", 1, "Setting or clearing 64 bits of a bitmap.",
		"assumed: a store of 8 bytes to the first cache", func(m *Model) *int64 { return &m.BitmapWord }},
	{"buddy_generated", "ns/bitmap", 800, "Making a group's buddy from its bitmap, with no free extent in it.",
		"measured here: buddies_time_used of mb_stats on an empty file system, a group", func(m *Model) *int64 { return &m.BuddyGenerated }},
	{"buddy_fragment", "ns/extent", 37, "Each free extent of a bitmap that a buddy is made from.",
		"measured here: buddies_time_used of mb_stats where every other block is free, an extent",
		func(m *Model) *int64 { return &m.BuddyFragment }},

	{"journal_start", "ns/handle", 310, "Starting a handle of the journal and stopping it.",
		sampled + "jbd2__journal_start and __ext4_journal_stop", func(m *Model) *int64 { return &m.JournalStart }},
	{"journal_commit", "ns/commit", 12000, "CPU time of committing a transaction, whatever its size.",
		"measured here: CPU time of the journal's thread, 10,000 commits of few blocks", func(m *Model) *int64 { return &m.JournalCommit }},
	{"journal_block", "ns/block", 1700, "CPU time of each block in a commit.",
		"measured here: CPU time of the journal's thread, commits of thousands of blocks", func(m *Model) *int64 { return &m.JournalBlock }},
	{"extent_tree", "ns/operation", 710, "Finding a place in a file's extent tree and inserting there.",
		sampled + "ext4_find_extent and ext4_ext_insert_extent", func(m *Model) *int64 { return &m.ExtentTree }},
	{"status_tree", "ns/operation", 880, "Inserting into a file's extent status tree.",
		sampled + "ext4_es_insert_extent", func(m *Model) *int64 { return &m.StatusTree }},
	{"inode_allocate", "ns/inode", 4900, "Finding a free inode and setting it up, its handle included.",
		sampled + "__ext4_new_inode", func(m *Model) *int64 { return &m.InodeAllocate }},
	{"inode_update", "ns/update", 580, "Copying an inode to its block, checksum included.",
		sampled + "__ext4_mark_inode_dirty", func(m *Model) *int64 { return &m.InodeUpdate }},
	{"directory_entry", "ns/entry", 6600, "Adding a name to a directory of up to 1000.",
		sampled + "ext4_add_entry", func(m *Model) *int64 { return &m.DirectoryEntry }},
}

// List describes all costs.
func List() []Cost { return append([]Cost(nil), registry...) }

// Find is the cost of that name.
func Find(name string) (Cost, error) {
	names := make([]string, len(registry))
	for i, c := range registry {
		if c.Name == name {
			return c, nil
		}
		names[i] = c.Name
	}
	// Not found: the message names the nearest name there is.
	if best, near := nearest.Of(name, names); near {
		return Cost{}, fmt.Errorf("unknown cost %q, did you mean %q?", name, best)
	}
	return Cost{}, fmt.Errorf("unknown cost %q", name)
}

// Set sets the cost of that name, in ns.
func (m *Model) Set(name string, ns int64) error {
	c, err := Find(name)
	if err != nil {
		return err
	}
	if ns < 0 || ns > Max {
		return fmt.Errorf("%s: %d ns is not between 0 and %d", name, ns, Max)
	}
	*c.at(m) = ns
	return nil
}

// Default is the model with all defaults.
func Default() Model {
	var m Model
	for _, c := range registry {
		*c.at(&m) = c.Default
	}
	return m
}
