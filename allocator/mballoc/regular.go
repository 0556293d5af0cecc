package mballoc

import (
	"math/bits"

	"mbsim/allocator"
)

// flexDirScheme is the size of flex groups from which on their first group is
// kept for metadata (EXT4_FLEX_SIZE_DIR_ALLOC_SCHEME).
const flexDirScheme = 4

// search looks for the goal (ext4_mb_regular_allocator): at the goal itself, then
// group after group, by criteria that ask for less and less: a buddy of just
// the size (0), long enough fragments on average (1), enough free clusters (2),
// anything (3).
func (a *Allocator) search(c *context) {
	a.findByGoal(c)
	if c.status == statusFound || c.flags&HintGoalOnly != 0 {
		return
	}
	c.order2 = a.orderOfTwo(c.g.len)
	if c.flags&StreamAlloc != 0 {
		if a.locks != nil {
			a.locks.StreamGoal()
		}
		c.g.group, c.g.start = a.lastGroup, a.lastStart
	}
	first := 1
	if c.order2 > 0 {
		first = 0
	}
	p := prefetcher{}
	for {
		a.searchGroups(c, first, &p)
		if c.b.len == 0 || c.status == statusFound || c.flags&HintFirst != 0 {
			break
		}
		if a.locks != nil {
			a.locks.BeforeBest()
		}
		a.tryBest(c)
		if c.status == statusFound {
			break
		}
		// Another CPU took it between the scan and now.
		a.stats.Lost++
		c.b.group, c.b.start, c.b.len = 0, 0, 0
		c.status = statusContinue
		c.flags |= HintFirst
		first = 3
	}
	if c.status == statusFound {
		a.stats.CrHits[c.criteria]++
	}
	if p.nr > 0 {
		a.prefetchEnd(p.next, p.nr)
	}
}

// orderOfTwo is ac_2order: log2 of n where n is a power of two that the buddies are worth
// searching for, 0 otherwise.
func (a *Allocator) orderOfTwo(n int) int {
	i := bits.Len(uint(n))
	if i < int(a.t.Order2Reqs) || i > int(a.geo.BlockBits)+2 || n&(n-1) != 0 {
		return 0
	}
	return i - 1
}

// searchGroups walks all groups with each criteria from first on (the loops of
// ext4_mb_regular_allocator).
func (a *Allocator) searchGroups(c *context, first int, p *prefetcher) {
	n := a.geo.Groups
	if !c.inode.Extents {
		n = a.blockfileGroups
	}
	for cr := first; cr < 4 && c.status == statusContinue; cr++ {
		c.criteria = cr
		i := a.pass(c, cr, n, p)
		if i == n {
			a.stats.UselessLoops[cr]++
		}
		a.worked(Work{Considered: int(min(i+1, n))})
	}
}

// pass walks n groups with one criteria. It returns how many it passed over before
// the one that ended the search, n if none did.
func (a *Allocator) pass(c *context, cr int, n allocator.GroupID, p *prefetcher) allocator.GroupID {
	id := c.g.group
	p.next = id
	w := a.wants(c, cr)
	for i := allocator.GroupID(0); i < n; {
		if id >= n {
			id = 0
		}
		if p.next == id && (cr > 1 || p.ios < a.t.PrefetchLimit) {
			a.prefetch(id, p)
		}
		if c.flags&StrictCheck == 0 {
			most := min(n-id, n-i, groupsPerPage-id%groupsPerPage)
			if p.next > id {
				most = min(most, p.next-id)
			}
			k := a.passOver(id, most, &w)
			a.stats.GroupsConsidered[cr] += uint64(k)
			i += k
			id += k
			if k == most {
				continue
			}
		}
		a.stats.GroupsConsidered[cr]++
		g := a.at(id)
		sure := cr > 0 && !g.needInit && c.flags&StrictCheck == 0 // passOver saw all there is
		if (sure || a.goodEnough(c, id, g, cr)) && a.scanGroup(c, id, g, cr) {
			return i
		}
		i++
		id++
	}
	return n
}

// wants is what a criteria wants of a group whose buddy is loaded.
type wants struct {
	free  int // clusters
	mean  int // clusters of the mean fragment
	order int // of the largest buddy
	// Of a group that is not: that loading it costs no IO, or that its number
	// ends in zeros where flex has ones, or nothing.
	loads bool
	flex  allocator.GroupID
}

// wants are the wishes of one criteria, as far as passOver knows them.
func (a *Allocator) wants(c *context, cr int) wants {
	w := wants{free: 1, order: -1, loads: cr >= 2, flex: allocator.GroupID(a.geo.FlexSize() - 1)}
	if w.flex == 0 {
		w.flex--
	}
	if cr <= 2 {
		w.free = max(1, c.g.len)
	}
	switch {
	case cr == 0 && c.order2 < a.orders:
		w.order = c.order2
	case cr == 1:
		w.mean = c.g.len
	}
	return w
}

// passOver counts the groups from id on, of the next few in its page, that goodEnough
// would refuse, until one needs its closer look. Most of a search is done here.
func (a *Allocator) passOver(id, few allocator.GroupID, w *wants) allocator.GroupID {
	p := a.pages[id/groupsPerPage]
	if p == nil {
		p = a.makePage(id)
	}
	free, mean, order, loads, flex := w.free, w.mean, w.order, w.loads, w.flex
	for x := id; x < id+few; x++ {
		g := &p.groups[x%groupsPerPage]
		if g.free < free {
			continue
		}
		if g.needInit {
			if loads || g.uninit || x&flex == 0 {
				return x - id
			}
		} else if g.free >= mean*g.fragments && g.largest >= order {
			return x - id
		}
	}
	return few
}

// scanGroup scans one group if it is still good when it is locked. It reports
// whether the search is over.
func (a *Allocator) scanGroup(c *context, id allocator.GroupID, g *group, cr int) bool {
	a.lockGroup(id)
	if a.locks != nil && !a.good(c, id, g, cr) {
		a.unlockGroup(id)
		return false
	}
	c.scanned++
	before := c.found
	switch {
	case cr == 0:
		a.scanSimple(c, id, g)
	case cr == 1 && a.geo.Stripe != 0 && c.g.len%int(a.geo.Stripe) == 0:
		a.scanAligned(c, id, g)
	default:
		a.scanComplex(c, id, g)
	}
	a.worked(Work{Scanned: 1, Examined: c.found - before})
	a.unlockGroup(id)
	return c.status != statusContinue
}

// goodEnough says whether a group is worth locking (ext4_mb_good_group_nolock).
// A group not loaded yet is loaded, but not for the cheap criteria unless that
// costs no IO or it is the first of a flex group.
func (a *Allocator) goodEnough(c *context, id allocator.GroupID, g *group, cr int) bool {
	free := g.free
	if c.flags&StrictCheck != 0 {
		a.lockGroup(id)
		free = g.free
		a.unlockGroup(id)
	}
	if free == 0 || cr <= 2 && free < c.g.len {
		return false
	}
	if g.needInit {
		flex := a.geo.FlexSize()
		firstOfFlex := a.geo.FlexBits > 0 && uint32(id)&(flex-1) == 0
		if cr < 2 && !firstOfFlex && !g.uninit {
			return false
		}
		a.initGroup(id)
	}
	return a.good(c, id, g, cr)
}

// good says whether a group meets the criteria (ext4_mb_good_group).
func (a *Allocator) good(c *context, id allocator.GroupID, g *group, cr int) bool {
	if g.free == 0 || g.fragments == 0 {
		return false
	}
	switch cr {
	case 0:
		flex := a.geo.FlexSize()
		if c.flags&HintData != 0 && flex >= flexDirScheme && uint32(id)%flex == 0 {
			return false
		}
		if g.free < c.g.len {
			return false
		}
		return c.order2 >= a.orders || g.largest >= c.order2
	case 1:
		return g.free >= c.g.len*g.fragments // their mean is that long
	case 2:
		return g.free >= c.g.len
	}
	return true
}

// prefetcher is how far reading bitmaps ahead has come in one search.
type prefetcher struct {
	next allocator.GroupID // the group from which to read ahead next
	nr   uint32            // groups in the last batch, 0 if none was read
	ios  uint32
}

// prefetch reads the bitmaps of the rest of id's flex group.
func (a *Allocator) prefetch(id allocator.GroupID, p *prefetcher) {
	p.nr = a.t.Prefetch
	if a.cfg.FlexFeature {
		flex := a.geo.FlexSize()
		p.nr = min(flex-uint32(id)&(flex-1), a.t.Prefetch)
	}
	next, ios := a.readAhead(id, p.nr)
	p.next = next
	p.ios += ios
	if ios == 0 {
		p.nr = 0
	}
}

// prefetchEnd loads the buddies of the nr groups before id, for which the bitmaps
// were read ahead (ext4_mb_prefetch_fini). As in the kernel, whether a group is
// worth it is read off the descriptor of the one behind it.
func (a *Allocator) prefetchEnd(id allocator.GroupID, nr uint32) {
	for range nr {
		desc := a.at(id)
		if id == 0 {
			id = a.geo.Groups
		}
		id--
		if a.at(id).needInit && desc.descFree > 0 && !desc.uninit {
			a.initGroup(id)
		}
	}
}
