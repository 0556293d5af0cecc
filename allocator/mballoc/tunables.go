package mballoc

import (
	"fmt"
	"strings"

	"mbsim/allocator"
	"mbsim/internal/nearest"
)

// Tunables are the settings in /sys/fs/ext4/DEV that the allocator reads. Units and
// defaults are in Kernel.Tunables.
type Tunables struct {
	MaxToScan        uint32 // checkLimits
	MinToScan        uint32 // checkLimits
	Order2Reqs       uint32 // orderOfTwo
	StreamRequest    uint32 // chooseKind
	GroupPrealloc    uint32 // chooseKind, normalize
	MaxInodePrealloc uint32 // recentFirst.excess
	Prefetch         uint32 // maybeReadAhead
	PrefetchLimit    uint32 // maybeReadAhead

	MaxLinearGroups       uint32 // listOrder, circularOrder
	BestAvailMaxTrimOrder uint32 // trims
}

// Tunable describes one field of Tunables.
type Tunable struct {
	Field   string // in struct ext4_sb_info
	Sysfs   string // file in /sys/fs/ext4/DEV
	Unit    string
	Default string // in words
	Doc     string
	at      func(*Tunables) *uint32
	// value is the default for a file system (ext4_mb_init, ext4_mb_init_backend).
	// Those before it in the kernel's list are set already.
	value func(t *Tunables, geo *allocator.Geometry, flexFeature bool) uint32
}

// always is a default that does not depend on the file system.
func always(v uint32) func(*Tunables, *allocator.Geometry, bool) uint32 {
	return func(*Tunables, *allocator.Geometry, bool) uint32 { return v }
}

// maxSegment is BLK_MAX_SEGMENT_SIZE, bytes.
const maxSegment = 65536

// lgPrealloc is s_mb_group_prealloc of a kernel that rounds it up to a multiple of what stripe
// returns, described as unit. A stripe of 0 or 1 rounds nothing.
func lgPrealloc(unit string, stripe func(*allocator.Geometry) uint32) Tunable {
	return Tunable{
		"s_mb_group_prealloc", "mb_group_prealloc", "clusters", "max(512 >> cluster bits, 32), rounded up to a multiple of " + unit,
		"Length of a locality group's preallocation; 0 lets small files be streams too.",
		func(t *Tunables) *uint32 { return &t.GroupPrealloc },
		func(_ *Tunables, geo *allocator.Geometry, _ bool) uint32 {
			n := max(uint32(512)>>geo.ClusterBits, 32)
			if s := stripe(geo); s > 1 {
				n = (n + s - 1) / s * s
			}
			return n
		},
	}
}

// The tunables that kernels have.
var (
	maxToScan = Tunable{
		"s_mb_max_to_scan", "mb_max_to_scan", "extents", "200",
		"A search that has examined more free extents than this takes the best so far (a break).",
		func(t *Tunables) *uint32 { return &t.MaxToScan }, always(200),
	}
	minToScan = Tunable{
		"s_mb_min_to_scan", "mb_min_to_scan", "extents", "10",
		"A search that has examined more free extents than this takes a sufficient best at once.",
		func(t *Tunables) *uint32 { return &t.MinToScan }, always(10),
	}
	order2Reqs = Tunable{
		"s_mb_order2_reqs", "mb_order2_req", "log2 clusters + 1", "2",
		"Requests for a power of two of clusters whose bit length is at least this begin at criteria 0, the buddy search.",
		func(t *Tunables) *uint32 { return &t.Order2Reqs }, always(2),
	}
	streamRequest = Tunable{
		"s_mb_stream_request", "mb_stream_req", "blocks", "16",
		"Files larger than this get preallocations of their own and share the stream goal; smaller ones use the CPU's locality group.",
		func(t *Tunables) *uint32 { return &t.StreamRequest }, always(16),
	}
	groupPrealloc    = lgPrealloc("the stripe", func(geo *allocator.Geometry) uint32 { return geo.Stripe })
	maxInodePrealloc = Tunable{
		"s_mb_max_inode_prealloc", "mb_max_inode_prealloc", "preallocations", "512",
		"An inode with more than 1.25 times as many preallocations loses the least recently used.",
		func(t *Tunables) *uint32 { return &t.MaxInodePrealloc }, always(512),
	}
	prefetch = Tunable{
		"s_mb_prefetch", "mb_prefetch", "groups", "8 x the groups of a flex group (32 without flex_bg), at most all",
		"How many block bitmaps a search reads ahead at a time.",
		func(t *Tunables) *uint32 { return &t.Prefetch },
		func(_ *Tunables, geo *allocator.Geometry, flexFeature bool) uint32 {
			n := uint32(32)
			if flexFeature {
				n = 8 * min(geo.FlexSize(), uint32(maxSegment>>(geo.BlockBits-9)))
			}
			return min(n, uint32(geo.Groups))
		},
	}
	maxLinearGroups = Tunable{
		"s_mb_max_linear_groups", "mb_max_linear_groups", "groups", "4, or 0 on a disk that does not rotate",
		"How many groups a cheap criterion looks at one after the other before it takes one from the lists of mb_optimize_scan.",
		func(t *Tunables) *uint32 { return &t.MaxLinearGroups }, always(4),
	}
	bestAvailMaxTrimOrder = Tunable{
		"s_mb_best_avail_max_trim_order", "mb_best_avail_max_trim_order", "powers of two", "3",
		"By how many powers of two the length of a goal may be cut down to find a group faster.",
		func(t *Tunables) *uint32 { return &t.BestAvailMaxTrimOrder }, always(3),
	}
	groupPreallocClusters = lgPrealloc("the stripe's clusters", func(geo *allocator.Geometry) uint32 {
		return (geo.Stripe + geo.ClusterRatio() - 1) >> geo.ClusterBits
	})
	prefetchLimit = Tunable{
		"s_mb_prefetch_limit", "mb_prefetch_limit", "bitmaps", "4 x mb_prefetch, at most all groups",
		"How many bitmaps a search reads ahead at criteria 0 and 1.",
		func(t *Tunables) *uint32 { return &t.PrefetchLimit },
		func(t *Tunables, geo *allocator.Geometry, _ bool) uint32 {
			return min(4*t.Prefetch, uint32(geo.Groups))
		},
	}
)

func findTunable(all []Tunable, name string) (Tunable, bool) {
	for _, t := range all {
		if t.Field == name || t.Sysfs == name {
			return t, true
		}
	}
	return Tunable{}, false
}

// Value is the tunable's value in t.
func (u *Tunable) Value(t *Tunables) uint32 { return *u.at(t) }

// SetTunable sets the tunable with this field or sysfs name. One that the kernel lacks is
// refused, with the kernels that have it.
func (k *Kernel) SetTunable(t *Tunables, name string, v uint32) error {
	u, ok := findTunable(k.Tunables, name)
	if ok {
		*u.at(t) = v
		return nil
	}
	// Another kernel may have it: the message names those.
	var have, names []string
	for _, other := range Kernels() {
		if _, ok := findTunable(other.Tunables, name); ok {
			have = append(have, other.Name)
		}
	}
	if have != nil {
		return fmt.Errorf("kernel %s has no tunable %q; these have it: %s", k.Name, name, strings.Join(have, ", "))
	}
	// Nobody has it: the message names the nearest of this kernel's.
	for _, u := range k.Tunables {
		names = append(names, u.Field, u.Sysfs)
	}
	best, _ := nearest.Of(name, names)
	return fmt.Errorf("unknown tunable %q (did you mean %q?)", name, best)
}

// DefaultTunables are the kernel's defaults for a file system. flexFeature says whether
// it has the flex_bg feature, whatever the size of its flex groups.
func (k *Kernel) DefaultTunables(geo *allocator.Geometry, flexFeature bool) Tunables {
	var t Tunables
	for i := range k.Tunables {
		u := &k.Tunables[i]
		*u.at(&t) = u.value(&t, geo, flexFeature)
	}
	return t
}
