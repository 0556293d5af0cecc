package ext4

import (
	"cmp"
	"math"
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

// ioOrder says when IO ends among what left together.
type ioOrder struct {
	request allocator.Block // where the last of its requests begins
	block   allocator.Block // where its part of that request begins
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
	// What was mapped together ends together.
	for i, j := 0, 0; i < len(leaving); i = j {
		for j = i; j < len(leaving) && leaving[j].group == leaving[i].group; j++ {
		}
		p.setOrder(leaving[i:j])
	}
	slices.SortFunc(leaving, endsBefore)
}

// endsBefore compares conversions by when their IO ends: of requests the highest first, of what
// lies in one request, or was mapped together, the lowest blocks first.
func endsBefore(a, b conversion) int {
	if a.ends.request != b.ends.request {
		return cmp.Compare(b.ends.request, a.ends.request)
	}
	if a.ends.block != b.ends.block {
		return cmp.Compare(a.ends.block, b.ends.block)
	}
	return cmp.Compare(a.lblk, b.lblk)
}

// setOrder notes when a group of conversions ends: with the request that ends last, which is the
// one with the lowest blocks. The parts of one request end from its start on.
func (p *plug) setOrder(group []conversion) {
	last := ioOrder{request: math.MaxUint64}
	for _, c := range group {
		if c.request == noRequest {
			continue
		}
		start := p.held[c.request].start
		if start < last.request || start == last.request && c.pblk > last.block {
			last = ioOrder{start, c.pblk}
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
		if c.in.brief.state != notBrief {
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
