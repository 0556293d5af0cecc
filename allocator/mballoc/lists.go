package mballoc

import (
	"math/bits"

	"mbsim/allocator"
)

// Orders that keep lists of groups keep two kinds: a list for each order of a group's largest
// free buddy (s_mb_largest_free_orders), and lists by its mean free fragment
// (s_mb_avg_fragment_size): one for each order of that, or, in early kernels, one for each
// length. A group whose buddy has not been made is on none.

// groupLists are numbered lists of groups. What order the groups of a list are in is up to the
// type.
type groupLists interface {
	// move takes a group from one list to another, -1 for none.
	move(id allocator.GroupID, from, to int32)
	// count is how many groups are on each list.
	count() []int
}

// meanOrder is the list for groups with free fragments of n clusters on average, and the
// first in which a goal of n clusters is looked for (mb_avg_fragment_size_order). Fragments
// of 2^(i+1) to 2^(i+2)-1 clusters are on list i; the first list has shorter ones as well,
// and the last one longer ones.
func (a *Allocator) meanOrder(n int) int {
	return min(max(bits.Len(uint(n))-2, 0), a.orders-1)
}

// relist moves a group to a list of those by largest buddies, and to one of those by mean
// fragments (mb_set_largest_free_order, mb_update_avg_fragment_size).
func (g *group) relist(id allocator.GroupID, largest, mean groupLists, toLargest, toMean int32) {
	if on := int32(g.onLargest); on != toLargest {
		largest.move(id, on, toLargest)
		g.onLargest = int8(toLargest)
	}
	if g.onMean != toMean {
		mean.move(id, g.onMean, toMean)
		g.onMean = toMean
	}
}

// meanList is the list for the group's mean fragment where there is one for each order, -1 for
// a group without fragments.
func (a *Allocator) meanList(g *group) int32 {
	if g.fragments == 0 {
		return -1
	}
	return int32(a.meanOrder(g.free / g.fragments))
}

// trims are the lengths to which a goal is cut down, one power of two after the other, from
// the first order down to the last (ext4_mb_choose_next_group_best_avail, later
// ext4_mb_scan_groups_best_avail).
type trims struct {
	first, last int
	stripe      int // clusters that lengths are rounded up to a multiple of, 0 for none
}

// trims are those for a request. No goal is trimmed by more than mb_best_avail_max_trim_order
// powers of two, to less than a stripe, nor to less than was asked for.
func (a *Allocator) trims(ac *allocation) trims {
	t := trims{first: bits.Len(uint(ac.goal.len)) - 1}
	t.last = max(t.first-int(a.tunables.BestAvailMaxTrimOrder), 0)
	if a.geo.Stripe > 0 {
		t.stripe = a.clusters(a.geo.Stripe)
		if 1<<t.last < t.stripe {
			t.last = bits.Len(uint(t.stripe)) - 1
		}
	}
	if 1<<t.last < ac.orig.len {
		t.last = bits.Len(uint(ac.orig.len))
	}
	return t
}

// length is the goal's length at an order.
func (t *trims) length(order int) int {
	n := 1 << order
	if t.stripe > 0 {
		n = (n + t.stripe - 1) / t.stripe * t.stripe
	}
	return n
}

// trimTo sets the goal's length for the rest of the pass, or until the next call.
func (s *searchPass) trimTo(n int) {
	s.ac.goal.len = n
	s.a.setLimits(&s.limits, s.rung, s.ac)
}

// untrim ends the cutting down of a goal, in vain, for the next rung. The goal gets the length
// that it was normalized to. For a locality group that is not its preallocation's, but what was
// asked for: the kernel notes the length of a window only (ac_orig_goal_len).
func (s *searchPass) untrim() { s.trimTo(s.ac.wish) }

// clusters converts a number of blocks, rounding up (EXT4_NUM_B2C).
func (a *Allocator) clusters(blocks uint32) int {
	return int((uint64(blocks) + uint64(a.geo.ClusterRatio()) - 1) >> a.geo.ClusterBits)
}
