package mballoc

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/internal/nearest"
)

// Tunables are the settings in /sys/fs/ext4/DEV that the allocator reads. Units and
// defaults are in List.
type Tunables struct {
	MaxToScan        uint32 // s_mb_max_to_scan, mb_max_to_scan; checkLimits
	MinToScan        uint32 // s_mb_min_to_scan, mb_min_to_scan; checkLimits
	Order2Reqs       uint32 // s_mb_order2_reqs, mb_order2_req; orderOfTwo
	StreamRequest    uint32 // s_mb_stream_request, mb_stream_req; chooseKind
	GroupPrealloc    uint32 // s_mb_group_prealloc, mb_group_prealloc; chooseKind, normalize
	MaxInodePrealloc uint32 // s_mb_max_inode_prealloc, mb_max_inode_prealloc; trimInode
	Prefetch         uint32 // s_mb_prefetch, mb_prefetch; prefetch
	PrefetchLimit    uint32 // s_mb_prefetch_limit, mb_prefetch_limit; searchGroups
}

// Tunable describes one field of Tunables.
type Tunable struct {
	Field   string // in struct ext4_sb_info
	Sysfs   string // file in /sys/fs/ext4/DEV
	Unit    string
	Default string
	Doc     string
	at      func(*Tunables) *uint32
}

var registry = []Tunable{
	{"s_mb_max_to_scan", "mb_max_to_scan", "extents", "200",
		"A search that has examined more free extents than this takes the best so far (a break).",
		func(t *Tunables) *uint32 { return &t.MaxToScan }},
	{"s_mb_min_to_scan", "mb_min_to_scan", "extents", "10",
		"A search that has examined more free extents than this takes a sufficient best at once.",
		func(t *Tunables) *uint32 { return &t.MinToScan }},
	{"s_mb_order2_reqs", "mb_order2_req", "log2 clusters + 1", "2",
		"Requests for a power of two of clusters whose bit length is at least this begin at criteria 0, the buddy search.",
		func(t *Tunables) *uint32 { return &t.Order2Reqs }},
	{"s_mb_stream_request", "mb_stream_req", "blocks", "16",
		"Files larger than this get preallocations of their own and share the stream goal; smaller ones use the CPU's locality group.",
		func(t *Tunables) *uint32 { return &t.StreamRequest }},
	{"s_mb_group_prealloc", "mb_group_prealloc", "clusters", "max(512 >> cluster bits, 32), rounded up to a multiple of the stripe",
		"Length of a locality group's preallocation; 0 lets small files be streams too.",
		func(t *Tunables) *uint32 { return &t.GroupPrealloc }},
	{"s_mb_max_inode_prealloc", "mb_max_inode_prealloc", "preallocations", "512",
		"An inode with more than 1.25 times as many preallocations loses the least recently used.",
		func(t *Tunables) *uint32 { return &t.MaxInodePrealloc }},
	{"s_mb_prefetch", "mb_prefetch", "groups", "8 x the groups of a flex group (32 without flex_bg), at most all",
		"How many block bitmaps a search reads ahead at a time.",
		func(t *Tunables) *uint32 { return &t.Prefetch }},
	{"s_mb_prefetch_limit", "mb_prefetch_limit", "bitmaps", "4 x mb_prefetch, at most all groups",
		"How many bitmaps a search reads ahead at criteria 0 and 1.",
		func(t *Tunables) *uint32 { return &t.PrefetchLimit }},
}

// List describes all tunables.
func List() []Tunable { return registry }

// Find is the tunable with this field or sysfs name.
func Find(name string) (Tunable, bool) {
	for _, t := range registry {
		if t.Field == name || t.Sysfs == name {
			return t, true
		}
	}
	return Tunable{}, false
}

// nearestTunable is the field or sysfs name with the fewest edits from name.
func nearestTunable(name string) string {
	names := make([]string, 0, 2*len(registry))
	for i := range registry {
		names = append(names, registry[i].Field, registry[i].Sysfs)
	}
	best, _ := nearest.Of(name, names)
	return best
}

// Value is the tunable's value in t.
func (u *Tunable) Value(t *Tunables) uint32 { return *u.at(t) }

// Set sets the tunable with this field or sysfs name.
func (t *Tunables) Set(name string, v uint32) error {
	u, ok := Find(name)
	if !ok {
		return fmt.Errorf("unknown tunable %q (did you mean %q?)", name, nearestTunable(name))
	}
	*u.at(t) = v
	return nil
}

// maxSegment is BLK_MAX_SEGMENT_SIZE, bytes.
const maxSegment = 65536

// DefaultTunables are the kernel's defaults for a file system (ext4_mb_init,
// ext4_mb_init_backend). flex says whether it has the flex_bg feature.
func DefaultTunables(geo *allocator.Geometry, flex bool) Tunables {
	t := Tunables{
		MaxToScan: 200, MinToScan: 10, Order2Reqs: 2, StreamRequest: 16, MaxInodePrealloc: 512,
		GroupPrealloc: max(uint32(512)>>geo.ClusterBits, 32),
		Prefetch:      32,
	}
	if s := geo.Stripe; s > 1 {
		t.GroupPrealloc = (t.GroupPrealloc + s - 1) / s * s
	}
	if flex {
		t.Prefetch = 8 * min(geo.FlexSize(), uint32(maxSegment>>(geo.BlockBits-9)))
	}
	t.Prefetch = min(t.Prefetch, uint32(geo.Groups))
	t.PrefetchLimit = min(4*t.Prefetch, uint32(geo.Groups))
	return t
}
