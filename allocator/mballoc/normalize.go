package mballoc

import (
	"mbsim/allocator"
)

// logicalEnd is the block of the file behind an extent (extent_logical_end).
func (a *Allocator) logicalEnd(logical uint32, clusters int) int64 {
	return int64(logical) + int64(clusters)<<a.geo.ClusterBits
}

// chooseKind decides how a request of a file is served
// (ext4_mb_group_or_file): from the CPU's locality group if the file is small,
// as a stream if it is not, and just as asked if it ends the file and nobody has
// it open for writing.
func (a *Allocator) chooseKind(ac *allocation) {
	if ac.flags&HintData == 0 || ac.flags&HintGoalOnly != 0 {
		return
	}
	size := a.logicalEnd(ac.orig.logical, ac.orig.len)
	fileSize := (ac.inode.Size + a.geo.BlockSize() - 1) >> a.geo.BlockBits
	if size == fileSize && ac.inode.Writers == 0 {
		if !a.busy() {
			ac.flags |= HintNoPrealloc
			return
		}
		a.stats.Busy++
	}
	if a.tunables.GroupPrealloc == 0 || max(size, fileSize) > int64(a.tunables.StreamRequest) {
		ac.flags |= StreamAlloc
		return
	}
	ac.lg = &a.lgs[ac.cpu]
	ac.flags |= HintGroupAlloc
	if a.locks != nil {
		a.locks.LockLocalityGroup(ac.cpu)
	}
}

// sizeClass is one row of the table that predicts how large a file will be.
type sizeClass struct {
	limit int64 // bytes: the row is for files up to this size
	chunk int64 // or where no buddy is larger than this many blocks' kilobytes
	size  int64 // bytes of the window
	shift uint  // log2 of the window's alignment in the file
}

// windows are the rows for files larger than 1M (ext4_mb_normalize_request).
var windows = [...]sizeClass{
	{4 << 20, 2 << 10, 2 << 20, 21},
	{8 << 20, 4 << 10, 4 << 20, 22},
}

// normalize widens a request to what the file is likely to need
// (ext4_mb_normalize_request): a window of the file whose size follows from the
// file's, cut by its mapped and preallocated neighbours.
func (a *Allocator) normalize(ac *allocation, r *Request) {
	if ac.flags&HintData == 0 || ac.flags&(HintGoalOnly|HintNoPrealloc) != 0 {
		return
	}
	if ac.flags&HintGroupAlloc != 0 {
		ac.goal.len = int(a.tunables.GroupPrealloc)
		return
	}
	start, size := a.window(ac)
	bpg := int64(a.geo.BlocksPerGroup)
	if a.quirks.ClampTinyGroups {
		start = max(start, int64(ac.orig.logical)/bpg*bpg)
		if start+size > maxBlocks {
			size = maxBlocks - start
		}
	}
	if r.Pleft != 0 && start <= int64(r.Lleft) {
		size -= int64(r.Lleft) + 1 - start
		start = int64(r.Lleft) + 1
	}
	if r.Pright != 0 && start+size-1 >= int64(r.Lright) {
		size -= start + size - int64(r.Lright)
	}
	size = min(size, bpg)
	start, size = a.cutByPreallocs(ac, start, start+size)
	if o := int64(ac.orig.logical); size <= 0 || size > bpg || start > o && start+size <= o {
		panic(a.dump("normalized request does not cover the original", nil, int(start), int(size)))
	}
	ac.goal.logical = uint32(start)
	ac.goal.len = int((size + int64(a.geo.ClusterRatio()) - 1) >> a.geo.ClusterBits)
	a.mergeGoal(ac, r, start, size)
}

// maxBlocks is the number of blocks that no file exceeds (EXT_MAX_BLOCKS).
const maxBlocks = 0xffffffff

// window predicts, in blocks, the part of the file to prepare.
func (a *Allocator) window(ac *allocation) (start, size int64) {
	bits := a.geo.BlockBits
	bytes := max(a.logicalEnd(ac.orig.logical, ac.orig.len)<<bits, ac.inode.Size)
	buddy := int64(2) << bits // clusters of the largest buddy
	if bytes <= 1<<20 {
		size := int64(16 << 10)
		for size < bytes {
			size <<= 1
		}
		return 0, size >> bits
	}
	align := func(shift uint) int64 { return int64(ac.orig.logical) >> (shift - uint(bits)) << shift >> bits }
	for _, w := range windows {
		if bytes <= w.limit || buddy <= w.chunk {
			return align(w.shift), w.size >> bits
		}
	}
	if int64(ac.orig.len) <= 8<<20>>bits || buddy <= 8<<10 {
		return align(23), 8 << 20 >> bits
	}
	return int64(ac.orig.logical), int64(ac.orig.len) << a.geo.ClusterBits
}

// cutByPreallocs keeps the window [start, end) clear of what is preallocated for
// the inode already.
func (a *Allocator) cutByPreallocs(ac *allocation, start, end int64) (int64, int64) {
	o := int64(ac.orig.logical)
	for p := ac.inode.pas.head; p != nil; p = p.objNext {
		if p.deleted {
			continue
		}
		from, to := int64(p.lstart), a.logicalEnd(p.lstart, p.len)
		if o >= from && o < to {
			panic(a.dump("request inside a preallocation", nil, int(o), p.len))
		}
		if from >= end || to <= start {
			continue
		}
		if to <= o {
			start = to
		} else if from > o {
			end = from
		}
	}
	return start, end - start
}

// mergeGoal moves the goal next to the file's blocks that the window touches. The
// profile 5.10-seed tries the goal where it was, and does not ask whether the
// place beside those blocks lies on the disk.
func (a *Allocator) mergeGoal(ac *allocation, r *Request, start, size int64) {
	right := r.Pright - allocator.Block(size)
	onDisk := int64(r.Pright) >= size && right >= a.geo.FirstDataBlock
	if r.Pright != 0 && int64(r.Lright) == start+size && (onDisk || !a.quirks.MergeGoal) {
		a.aimAt(ac, right)
	}
	left := r.Pleft + 1
	if r.Pleft != 0 && int64(r.Lleft)+1 == start && (left < a.geo.Blocks || !a.quirks.MergeGoal) {
		a.aimAt(ac, left)
	}
}

// aimAt has the search try its goal, which becomes block b.
func (a *Allocator) aimAt(ac *allocation, b allocator.Block) {
	ac.flags |= HintTryGoal
	x := &ac.goal
	if !a.quirks.MergeGoal {
		x = &ac.found
	}
	id, off := a.geo.GroupOf(b)
	x.group, x.start = id, int(off)
}
