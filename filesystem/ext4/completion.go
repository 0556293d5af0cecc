package ext4

import (
	"cmp"
	"slices"

	"mbsim/allocator"
)

// In which order IO ends, and so in which order extents become written. The kernel leaves that
// to the device. Here it is as with the recorder's (virtio-blk of QEMU, which sorts what it is
// sent together by place, hands it to threads, and looks for finished ones from the newest to
// the oldest): of what left together the highest blocks end first.
//
// The order matters where kernels split unwritten extents only after their IO
// (Quirks.SplitAfterIO): how many entries a tree needs on the way to its last state, and so
// whether it needs a block for them, depends on it.
//
// Deviates from the recorder's device: that finishes some requests before it has looked at all,
// so that the lower part may end before the higher one (docs/MODEL.md, Races).

// ioOrder says when IO ends among what left together: what has the larger one ends later.
type ioOrder uint64

// endOf is the order of what begins at block, or has gone up to there, in a request that begins
// at request. The lower a request lies the later it ends, and its parts end from its start on. No
// request is as long as 2^16 blocks, and no device as 2^48.
func endOf(request, block allocator.Block) ioOrder {
	const last = 1<<48 - 1
	return ioOrder((last-request)<<16 | (max(block, request) - request))
}

// order puts the conversions of all that leaves now, and is complete with it, into the order in
// which their IO ends. Where processes run at once a model of the device decides instead.
func (p *plug) order() {
	if p.fs.host != nil || p.fs.turns != nil || p.sent >= p.group {
		return
	}
	leaving := p.fs.conversions[p.sent:p.group]
	if leaving[0].group == leaving[len(leaving)-1].group {
		return
	}
	// A brief file changes its state and nothing else: among such files the order is of no account.
	if !slices.ContainsFunc(leaving, conversion.ofTree) {
		return
	}
	// What was mapped together ends together.
	for i, j := 0, 0; i < len(leaving); i = j {
		for j = i; j < len(leaving) && leaving[j].group == leaving[i].group; j++ {
		}
		p.setOrder(leaving[i:j])
	}
	slices.SortFunc(leaving, endsBefore)
}

// endsBefore compares conversions by when their IO ends. What was mapped together ends together,
// and is converted by rising blocks of the file.
func endsBefore(a, b conversion) int {
	if a.ends != b.ends {
		return cmp.Compare(a.ends, b.ends)
	}
	return cmp.Compare(a.lblk, b.lblk)
}

// setOrder notes when a group of conversions ends: with the part that ends last.
func (p *plug) setOrder(group []conversion) {
	var last ioOrder
	for _, c := range group {
		if c.request != noRequest {
			last = max(last, endOf(p.held[c.request].start, c.pblk))
		}
	}
	for i := range group {
		group[i].ends = last
	}
}

// byFile puts the conversions of each file together, in the order of the first of each: the
// worker does all of a file at once (ext4_do_flush_completed_IO). first is a map to use, whose
// content is lost.
func byFile(all []conversion, first map[*inode]int) {
	// Mostly those of a file follow each other already, and a brief file has only one.
	clear(first)
	apart := false
	for i, c := range all {
		if !c.ofTree() {
			continue
		}
		at, seen := first[c.in]
		if !seen {
			first[c.in] = i
		} else if all[i-1].in != c.in && at < i {
			apart = true
		}
	}
	if !apart {
		return
	}
	// Now every file needs the place of its first one.
	for i, c := range slices.Backward(all) {
		first[c.in] = i
	}
	slices.SortStableFunc(all, func(a, b conversion) int { return cmp.Compare(first[a.in], first[b.in]) })
}
