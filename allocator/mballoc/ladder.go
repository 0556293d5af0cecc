package mballoc

import "mbsim/allocator"

// Rung is one criterion of a search: which groups are worth scanning, and how a group is
// scanned. A search goes down the kernel's ladder rung by rung, and each rung asks for
// less than the one before.
type Rung struct {
	// Key names the rung in metrics and in mb_stats ("cr0").
	Key string
	// Label names it in plots and tables ("criteria 0").
	Label string
	// Traced is what the trace event ext4_mballoc_alloc calls it, empty for its place in the
	// ladder.
	Traced string
	// Doc says which groups it is for, as in "Searches that ended in LABEL, DOC."
	Doc string
	// Cheap says that it loads the bitmap of a group only where that costs no IO, or
	// where the group is the first of a flex group, and reads at most
	// mb_prefetch_limit bitmaps ahead.
	Cheap bool
	// Scan is how a group is scanned.
	Scan scanKind
	// Lists says in which lists an order that keeps some finds the groups for this rung.
	Lists listKind
	// limits sets what a group must have.
	limits func(a *Allocator, ac *allocation, l *limits)
}

// scanKind is how a group is scanned.
type scanKind uint8

const (
	scanComplex scanKind = iota // measure its free extents
	scanBuddy                   // take the first buddy that is large enough
	scanStripes                 // the same as scanComplex, or stripes where the goal is whole stripes
)

// listKind names lists of groups. NoLists is the only one that others need to know.
type listKind uint8

const (
	NoLists   listKind = iota // the groups are met one after the other
	byLargest                 // by the order of their largest free buddy
	byMean                    // by the order of their mean free fragment
	// byTrimmed is byMean for a goal that is cut down, power of two by power of two, until a
	// list has a group for it.
	byTrimmed
)

// limits is what one rung asks of a group: the only statement of whether a group is worth
// scanning. The same limits serve the test without the group's lock
// (ext4_mb_good_group_nolock), the one with it (ext4_mb_good_group), and the walk over
// many groups. They are computed once for each pass, since what they depend on does not
// change during a pass.
type limits struct {
	free  int // clusters free at least, 1 or more
	mean  int // clusters of the mean free fragment at least
	order int // of the largest free buddy at least, -1 for any
	// notFirst refuses the first group of each flex group, which is kept for metadata.
	notFirst bool
	// cheap is Rung.Cheap.
	cheap bool
	// flexMask selects the bits of a group's number that are zero in the first group of
	// a flex group. It is 0 without flex groups, where hasFlexGroups is false.
	flexMask      allocator.GroupID
	hasFlexGroups bool
}

// setLimits sets l to the limits of a rung for a request. l lies in the request: a local
// variable would be allocated for each pass, since a function value gets its address.
func (a *Allocator) setLimits(l *limits, r *Rung, ac *allocation) {
	// What any rung asks for: a free cluster.
	*l = limits{
		free: 1, order: -1, cheap: r.Cheap,
		flexMask: allocator.GroupID(a.geo.FlexSize() - 1), hasFlexGroups: a.geo.FlexBits > 0,
	}
	r.limits(a, ac, l)
}

// met says whether a group whose buddy is loaded meets the limits.
func (l *limits) met(id allocator.GroupID, g *group) bool {
	return g.free >= l.free && g.free >= l.mean*g.fragments && g.largest >= l.order &&
		!(l.notFirst && id&l.flexMask == 0)
}

// mayLoad says whether a group whose buddy is not loaded is worth loading. All that is
// known of it is the free count of its descriptor. A cheap rung loads a group only if that
// costs no IO, because its bitmap is uninitialized, or if it is the first of a flex group.
func (l *limits) mayLoad(id allocator.GroupID, g *group) bool {
	return g.free >= l.free && (!l.cheap || g.uninit || l.hasFlexGroups && id&l.flexMask == 0)
}

// The limits that rungs of several kernels share.

// wantBuddy asks for a free buddy of the goal's size. The first group of a flex group is
// kept for metadata where flex groups are large.
func wantBuddy(a *Allocator, ac *allocation, l *limits) {
	l.free = max(1, ac.goal.len)
	// The kernel makes no demand on buddies for an order above the largest. No request has
	// one: orderOfTwo gives at most the largest.
	if ac.order2 < a.orders {
		l.order = ac.order2
	}
	l.notFirst = ac.flags&HintData != 0 && a.geo.FlexSize() >= flexDirScheme
}

// wantMeanFragment asks for free fragments that are as long as the goal on average.
func wantMeanFragment(_ *Allocator, ac *allocation, l *limits) {
	l.free = max(1, ac.goal.len)
	l.mean = ac.goal.len
}

// wantFree asks for as many free clusters as the goal has.
func wantFree(_ *Allocator, ac *allocation, l *limits) { l.free = max(1, ac.goal.len) }

// wantAnything asks for a free cluster.
func wantAnything(*Allocator, *allocation, *limits) {}
