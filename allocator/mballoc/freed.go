package mballoc

import "mbsim/allocator"

// freedRange is clusters freed by a transaction that has not committed
// (struct ext4_free_data).
type freedRange struct {
	group    allocator.GroupID
	start, n int // n is 0 for a range that another one has absorbed
	tid      uint64
}

// freedRanges are the ranges freed and not committed, in the order in which they come back.
//
// The kernel merges ranges of one transaction that touch: the younger one absorbs the others,
// and comes back at its own place in the order (ext4_try_merge_freed_extent). What the buddies
// hold afterwards is the same. Only lists that remember when a group joined them tell the
// difference, so that ranges are merged where an order keeps such lists.
type freedRanges struct {
	list []freedRange
	// merge says whether ranges are merged. before is how many ranges have left the list at
	// its front; byStart and byEnd are the ranges by where they begin and where they end, as
	// numbers from the first that ever was on the list.
	merge          bool
	before         int
	byStart, byEnd map[clusterAt]int
}

// clusterAt is a cluster of a group.
type clusterAt struct {
	group   allocator.GroupID
	cluster int
}

// mergeRanges has ranges merged from now on.
func (f *freedRanges) mergeRanges() {
	f.merge = true
	f.byStart, f.byEnd = make(map[clusterAt]int), make(map[clusterAt]int)
}

// add puts a range at the end of the order.
func (f *freedRanges) add(r freedRange) {
	if f.merge {
		f.absorb(&r, f.byEnd, clusterAt{r.group, r.start})
		f.absorb(&r, f.byStart, clusterAt{r.group, r.start + r.n})
		i := f.before + len(f.list)
		f.byStart[clusterAt{r.group, r.start}] = i
		f.byEnd[clusterAt{r.group, r.start + r.n}] = i
	}
	f.list = append(f.list, r)
}

// absorb takes into r the range that an index has at this place, if it is of the same
// transaction.
func (f *freedRanges) absorb(r *freedRange, index map[clusterAt]int, at clusterAt) {
	i, ok := index[at]
	if !ok {
		return
	}
	old := &f.list[i-f.before]
	if old.tid != r.tid {
		return
	}
	f.forget(old)
	r.start = min(r.start, old.start)
	r.n += old.n
	old.n = 0
}

// forget takes a range out of the indexes.
func (f *freedRanges) forget(r *freedRange) {
	delete(f.byStart, clusterAt{r.group, r.start})
	delete(f.byEnd, clusterAt{r.group, r.start + r.n})
}

// take gives the first range that transaction tid or an earlier one has freed, and counts it
// in k, the number of those given. The ranges stay in the list until drop.
func (f *freedRanges) take(k *int, tid uint64) (freedRange, bool) {
	for *k < len(f.list) && f.list[*k].tid <= tid {
		r := f.list[*k] // not a pointer: while its user waits for a lock others may add
		*k++
		if r.n == 0 {
			continue
		}
		if f.merge {
			f.forget(&r)
		}
		return r, true
	}
	return freedRange{}, false
}

// drop removes the first k ranges.
func (f *freedRanges) drop(k int) {
	f.before += k
	f.list = f.list[:copy(f.list, f.list[k:])]
}
