package mballoc

import (
	"mbsim/allocator"
)

// logicalEnd is the block of the file behind an extent (extent_logical_end).
func (a *Allocator) logicalEnd(logical uint32, clusters int) int64 {
	return int64(logical) + int64(clusters)<<a.geo.ClusterBits
}

// chooseKind decides how the request of a regular file is served (ext4_mb_group_or_file).
// A small file uses the CPU's locality group, a large one is a stream. If the request ends
// the file and nobody has that open for writing, it gets just what it asked for.
func (a *Allocator) chooseKind(ac *allocation) {
	if ac.flags&HintData == 0 || ac.flags&HintGoalOnly != 0 {
		return
	}
	// Both sizes are in blocks: where the request ends, and where the file does.
	size := a.logicalEnd(ac.orig.logical, ac.orig.len)
	fileSize := (ac.inode.Size + a.geo.BlockSize() - 1) >> a.geo.BlockBits
	// A file that ends with this request and that nobody has open for writing is not going
	// to grow, so nothing is prepared for it. Where groups' locks are contended the kernel
	// prepares all the same (ext4_fs_is_busy).
	closed := size == fileSize && ac.inode.Writers == 0
	if closed && a.busy() {
		closed = false
		a.stats.Busy++
	}
	small := a.tunables.GroupPrealloc > 0 && max(size, fileSize) <= int64(a.tunables.StreamRequest)
	if closed && !(small && a.quirks.ClosedFilesShare) {
		ac.flags |= HintNoPrealloc
		return
	}
	// A large file is a stream with preallocations of its own.
	if !small {
		ac.flags |= StreamAlloc
		return
	}
	// A small file shares the preallocations of the CPU's locality group, whose mutex is
	// held until the request is done (finish).
	ac.lg = &a.lgs[ac.cpu]
	ac.flags |= HintGroupAlloc
	if a.locks != nil {
		a.locks.LockLocalityGroup(ac.cpu)
	}
}

// sizeClass is one row of the table that predicts how large a file will be.
type sizeClass struct {
	limit int64 // bytes: the row is for files up to this size
	chunk int64 // and for all larger ones where the largest buddy has at most this many clusters
	size  int64 // bytes of the window
	shift uint  // log2 of the window's alignment in the file
}

// windows are the rows for files larger than 1M (ext4_mb_normalize_request).
var windows = [...]sizeClass{
	{limit: 4 << 20, chunk: 2 << 10, size: 2 << 20, shift: 21},
	{limit: 8 << 20, chunk: 4 << 10, size: 4 << 20, shift: 22},
}

// normalize widens a request to what the file is likely to need
// (ext4_mb_normalize_request): a window of the file whose size follows from the
// file's, cut by its mapped and preallocated neighbours.
func (a *Allocator) normalize(ac *allocation, r *Request) {
	// Metadata, and whoever asked for just this, gets no more than it asked for.
	if ac.flags&HintData == 0 || ac.flags&(HintGoalOnly|HintNoPrealloc) != 0 {
		return
	}
	// A locality group's preallocation has the same length whatever is asked for
	// (ext4_mb_normalize_group_request).
	if ac.flags&HintGroupAlloc != 0 {
		ac.goal.len = int(a.tunables.GroupPrealloc)
		return
	}
	// The window, in blocks of the file. It may neither leave the group-sized part of the
	// file that the request is in nor reach beyond the largest file.
	start, size := a.window(ac)
	bpg := int64(a.geo.BlocksPerGroup)
	if a.quirks.ClampTinyGroups {
		start = max(start, int64(ac.orig.logical)/bpg*bpg)
		if start+size > maxBlocks {
			size = maxBlocks - start
		}
	}
	// What the file has mapped on the left of the request, and on its right, is cut off.
	if r.Pleft != 0 && start <= int64(r.Lleft) {
		size -= int64(r.Lleft) + 1 - start
		start = int64(r.Lleft) + 1
	}
	if r.Pright != 0 && start+size-1 >= int64(r.Lright) {
		size -= start + size - int64(r.Lright)
	}
	// No window is longer than a group, nor may it overlap a preallocation of the file.
	size = min(size, bpg)
	start, size = a.cutByPreallocs(ac, start, start+size)
	// The kernel has a BUG_ON here.
	if o := int64(ac.orig.logical); size <= 0 || size > bpg || start > o && start+size <= o {
		panic(a.dump("normalized request does not cover the original", nil, int(start), int(size)))
	}
	// From blocks to clusters, rounded up. What the goal begins with is a block of the
	// file.
	ac.goal.logical = uint32(start)
	ac.goal.len = int((size + int64(a.geo.ClusterRatio()) - 1) >> a.geo.ClusterBits)
	ac.wish = ac.goal.len
	a.mergeGoal(ac, r, start, size)
}

// maxBlocks is the number of blocks that no file exceeds (EXT_MAX_BLOCKS).
const maxBlocks = 0xffffffff

// window predicts, in blocks, the part of the file to prepare.
func (a *Allocator) window(ac *allocation) (start, size int64) {
	bits := a.geo.BlockBits
	// The size in bytes that the file will have: with this request, or what it has already.
	bytes := max(a.logicalEnd(ac.orig.logical, ac.orig.len)<<bits, ac.inode.Size)
	buddy := int64(2) << bits // clusters of the largest buddy
	// Up to 1 MiB the window is the file, from its beginning on, rounded up to a power of
	// two of at least 16 KiB.
	if bytes <= 1<<20 {
		size := int64(16 << 10)
		for size < bytes {
			size <<= 1
		}
		return 0, size >> bits
	}
	// Above, the window is 2, 4 or 8 MiB long and begins at a multiple of its length in the
	// file. With small blocks, where no buddy is so long, a shorter one serves.
	align := func(shift uint) int64 { return int64(ac.orig.logical) >> (shift - uint(bits)) << shift >> bits }
	for _, w := range windows {
		if bytes <= w.limit || buddy <= w.chunk {
			return align(w.shift), w.size >> bits
		}
	}
	asked := int64(ac.orig.len)
	if a.quirks.WindowOfBlocks {
		asked <<= a.geo.ClusterBits
	}
	if asked <= 8<<20>>bits || buddy <= 8<<10 {
		return align(23), 8 << 20 >> bits
	}
	// A request for more than that is taken as it is.
	return int64(ac.orig.logical), int64(ac.orig.len) << a.geo.ClusterBits
}

// cutByPreallocs keeps the window [start, end) clear of what is preallocated for
// the inode already.
func (a *Allocator) cutByPreallocs(ac *allocation, start, end int64) (int64, int64) {
	o := int64(ac.orig.logical)
	looked := 0
	for p := ac.inode.pas.head; p != nil; p = p.objNext {
		looked++
		// Another process is giving this one up.
		if p.deleted {
			continue
		}
		from, to := int64(p.lstart), a.logicalEnd(p.lstart, p.len)
		if o >= from && o < to {
			panic(a.dump("request inside a preallocation", nil, int(o), p.len))
		}
		// It does not touch the window.
		if from >= end || to <= start {
			continue
		}
		// It ends before the request, so the window begins behind it; or it begins behind
		// the request, so the window ends there.
		if to <= o {
			start = to
		} else if from > o {
			end = from
		}
	}
	// The kernel looks at all of them twice: once to cut the window, and once to be sure that it
	// overlaps none.
	a.chargeLooks(ac.inode, looked, 2)
	return start, end - start
}

// mergeGoal moves the goal next to the file's blocks that the window touches. Without
// Quirks.MergeGoal the old goal is tried, and nobody asks whether the place beside those
// blocks lies on the disk.
func (a *Allocator) mergeGoal(ac *allocation, r *Request, start, size int64) {
	// The place directly before the file's next mapped blocks. The subtraction may wrap
	// around, which onDisk rules out.
	right := r.Pright - allocator.Block(size)
	onDisk := int64(r.Pright) >= size && right >= a.geo.FirstDataBlock
	if r.Pright != 0 && int64(r.Lright) == start+size && (onDisk || !a.quirks.MergeGoal) {
		a.aimAt(ac, right)
	}
	// The place directly behind the file's mapped blocks on the left. If the window touches
	// both, this one is tried.
	left := r.Pleft + 1
	if r.Pleft != 0 && int64(r.Lleft)+1 == start && (left < a.geo.Blocks || !a.quirks.MergeGoal) {
		a.aimAt(ac, left)
	}
}

// aimAt has the search try its goal, which becomes block b.
func (a *Allocator) aimAt(ac *allocation, b allocator.Block) {
	ac.flags |= HintTryGoal
	x := &ac.goal
	// The mistake of older kernels: the place goes to a field (ac_f_ex) that findByGoal
	// does not read.
	if !a.quirks.MergeGoal {
		x = &ac.found
	}
	id, off := a.geo.GroupOf(b)
	x.group, x.start = id, int(off)
}
