package image

import (
	"mbsim/allocator"
	"mbsim/filesystem"
)

// filePlacer gives blocks to the files mke2fs makes, as libext2fs allocates: the
// first free cluster at or after a goal.
type filePlacer struct {
	sb     *Superblock
	static staticMap
	files  runSet // blocks of files, whole clusters
	ratio  allocator.Block

	cached allocator.GroupID // the group whose runs are in used
	valid  bool
	used   runSet
}

// staticMap knows the blocks that hold the file system's own metadata: copies
// of superblock and descriptors, bitmaps and inode tables.
type staticMap interface {
	// static calls f for every run of them inside group id.
	static(id allocator.GroupID, f func(run))
}

func newFilePlacer(sb *Superblock, s staticMap) *filePlacer {
	return &filePlacer{sb: sb, static: s, ratio: allocator.Block(1) << sb.ClusterBits}
}

func (a *filePlacer) group(b allocator.Block) allocator.GroupID {
	return allocator.GroupID((b - a.sb.FirstDataBlock) / allocator.Block(a.sb.BlocksPerGroup))
}

// roundOut widens a run to whole clusters.
func (a *filePlacer) roundOut(r run) run {
	if a.ratio == 1 {
		return r
	}
	return run{r.start &^ (a.ratio - 1), (r.end + a.ratio - 1) &^ (a.ratio - 1)}
}

// load makes used the static runs of the group of b.
func (a *filePlacer) load(b allocator.Block) (end allocator.Block) {
	// Groups are loaded one at a time, since the search goes through them in order.
	id := a.group(b)
	if !a.valid || a.cached != id {
		a.used = a.used[:0]
		a.static.static(id, func(r run) { a.used.add(a.roundOut(r)) })
		a.cached, a.valid = id, true
	}
	start := allocator.Block(id)*allocator.Block(a.sb.BlocksPerGroup) + a.sb.FirstDataBlock
	return min(start+allocator.Block(a.sb.BlocksPerGroup), a.sb.Blocks)
}

// firstZero is the first free block in [b, end).
func (a *filePlacer) firstZero(b, end allocator.Block) (allocator.Block, bool) {
	// b moves behind a run of metadata, then behind a run of files, until it stays.
	for b < end {
		groupEnd := a.load(b)
		for b < groupEnd {
			next := b
			if i := a.used.find(b); i < len(a.used) && a.used[i].start <= b {
				next = a.used[i].end
			}
			if i := a.files.find(next); i < len(a.files) && a.files[i].start <= next {
				next = a.files[i].end
			}
			if next == b {
				return b, b < end
			}
			b = next
		}
	}
	return 0, false
}

// firstSet is the first block in use in [b, end), or end.
func (a *filePlacer) firstSet(b, end allocator.Block) allocator.Block {
	// The nearest run of files bounds the search; in each group the nearest run of metadata.
	if i := a.files.find(b); i < len(a.files) {
		end = min(end, max(b, a.files[i].start))
	}
	for b < end {
		groupEnd := a.load(b)
		if i := a.used.find(b); i < len(a.used) {
			return min(end, max(b, a.used[i].start))
		}
		b = groupEnd
	}
	return end
}

// alloc takes the first free cluster at or after goal, wrapping around
// (ext2fs_new_block3), and returns its first block.
func (a *filePlacer) alloc(goal allocator.Block) (allocator.Block, error) {
	if goal == 0 || goal >= a.sb.Blocks {
		goal = a.sb.FirstDataBlock
	}
	// From the start of the goal's cluster to the end of the device, then from the start of
	// the device to the goal.
	goal &^= a.ratio - 1
	b, ok := a.firstZero(max(goal, a.sb.FirstDataBlock), a.sb.Blocks)
	if !ok {
		if b, ok = a.firstZero(a.sb.FirstDataBlock, goal); !ok {
			return 0, mkfsErrorf("no room for the files of a new file system")
		}
	}
	a.claim(run{b, b + 1})
	return b, nil
}

func (a *filePlacer) claim(r run) { a.files.add(a.roundOut(r)) }

// inodeGoal is where blocks of inode n go that has none: the start of its flex
// group (ext2fs_find_inode_goal).
func (a *filePlacer) inodeGoal(n uint32) allocator.Block {
	id := (n - 1) / a.sb.InodesPerGroup
	id &^= 1<<a.sb.LogGroupsPerFlex - 1
	return allocator.Block(id)*allocator.Block(a.sb.BlocksPerGroup) + a.sb.FirstDataBlock
}

func (a *filePlacer) clusterSectors() int64 { return int64(a.ratio) * a.sb.BlockSize() / 512 }

// appendBlock adds one block at the end of a file's extents.
func appendBlock(in *Inode, logical uint64, b allocator.Block) {
	if n := len(in.Extents); n > 0 {
		if l := &in.Extents[n-1]; l.Logical+l.Len == logical && l.Physical+allocator.Block(l.Len) == b {
			l.Len++
			return
		}
	}
	in.Extents = append(in.Extents, filesystem.Extent{Logical: logical, Len: 1, Physical: b})
}

// rootAndLost makes the root directory and lost+found, which mke2fs grows to at
// least 16 KB and two blocks, at most twelve.
func (a *filePlacer) rootAndLost(lost uint32) (root, lf Inode, err error) {
	// The root has one block. Its ".", its ".." and the ".." of lost+found are three links.
	flags := uint32(0)
	if a.sb.Incompat&ExtentTree != 0 {
		flags = ExtentsFlag
	}
	root = Inode{Number: RootInode, Mode: 0o040755, Links: 3, Flags: flags}
	if err = a.mkdir(&root, a.inodeGoal(RootInode)); err != nil {
		return root, lf, err
	}
	lf = Inode{Number: lost, Mode: 0o040700, Links: 2, Flags: flags}
	// lost+found starts with a block of its own, or in its inode.
	bs := a.sb.BlockSize()
	inline := a.sb.Incompat&InlineData != 0 // the directory begins in the inode: its first expansion makes a block
	if !inline {
		if err = a.mkdir(&lf, a.inodeGoal(lost)); err != nil {
			return root, lf, err
		}
	}
	// Then it grows, block by block, so that e2fsck need not allocate when it links files
	// there.
	for size := bs; (size < 16*1024 || size < 2*bs) && size < 12*bs; size += bs {
		if lf.Size == 0 {
			err = a.mkdir(&lf, 0)
		} else {
			err = a.expand(&lf)
		}
		if err != nil {
			return root, lf, err
		}
	}
	return root, lf, nil
}

// mkdir gives a directory its first block.
func (a *filePlacer) mkdir(in *Inode, goal allocator.Block) error {
	b, err := a.alloc(goal)
	if err != nil {
		return err
	}
	appendBlock(in, 0, b)
	in.Size, in.Sectors = a.sb.BlockSize(), a.clusterSectors()
	return nil
}

// expand gives a directory one block more (ext2fs_expand_dir): the next of its
// cluster, else the first free after its last.
func (a *filePlacer) expand(in *Inode) error {
	// b is the last block of the directory; the search for the next begins there.
	e := in.Extents[len(in.Extents)-1]
	b := e.Physical + allocator.Block(e.Len) - 1
	if b&^(a.ratio-1) == (b+1)&^(a.ratio-1) {
		b++
	} else {
		var err error
		if b, err = a.alloc(b); err != nil {
			return err
		}
		in.Sectors += a.clusterSectors()
	}
	appendBlock(in, uint64(in.Size>>a.sb.BlockBits), b)
	in.Size += a.sb.BlockSize()
	return nil
}

// resizeInode makes the inode that owns the reserved descriptor blocks
// (ext2fs_create_resize_inode): one double-indirect block of its own, under
// which the reserved blocks of the first group are the indirect blocks and
// those of the backups the data. Only its own block is listed.
func (a *filePlacer) resizeInode() (Inode, error) {
	// The search begins behind the first group's descriptors and tables.
	sb := a.sb
	in := Inode{Number: ResizeInodeNum, Mode: 0o100600, Links: 1}
	super := sb.FirstDataBlock
	if sb.BlockBits == 10 && super == 0 {
		super = 1
	}
	goal := super + allocator.Block(sb.DescBlocks()) + allocator.Block(sb.ReservedGDT) + 2 + allocator.Block(sb.InodeTableBlocks())
	b, err := a.alloc(goal)
	if err != nil {
		return in, err
	}
	// The size reaches to the end of the double-indirect tree. The sectors count the inode's
	// own block, and each reserved block with its copies in the backups.
	per := sb.BlockSize() / 4
	in.Size = (per*per + per + 12) * sb.BlockSize()
	in.Meta = []MetaBlock{{Block: b, Depth: 2, Entries: sb.ReservedGDT, Logical: uint32(12 + per)}}
	backups := int64(0)
	if sb.Compat&SparseSuper2 != 0 {
		for _, id := range sb.BackupGroups {
			if id != 0 && id < uint32(sb.Groups()) {
				backups++
			}
		}
	} else {
		backups = int64(len(powerGroups(sb.Groups())))
	}
	in.Sectors = (1 + int64(sb.ReservedGDT)*(1+backups)) * a.clusterSectors()
	return in, nil
}

// journal makes the journal of n blocks at goal.
func (a *filePlacer) journal(n uint32, goal allocator.Block) (Inode, error) {
	// Without extents, the journal is mapped block by block.
	in := Inode{Number: JournalInode, Mode: 0o100600, Links: 1, Size: int64(n) << a.sb.BlockBits}
	if a.sb.Incompat&ExtentTree == 0 {
		return in, a.indirect(&in, n)
	}
	in.Flags = ExtentsFlag
	tree := newTreeGrower(a, &in)
	// The goal moves to the first free block, at the start of its cluster.
	if goal >= a.sb.FirstDataBlock { // below, mke2fs's search fails and leaves the goal
		if b, ok := a.firstZero(goal, a.sb.Blocks); ok {
			goal = b
		}
	}
	goal &^= a.ratio - 1
	// An extent holds whole clusters, at most EXT_INIT_MAX_LEN blocks.
	longest := allocator.Block(32768) &^ (a.ratio - 1) // EXT_INIT_MAX_LEN
	for done := uint32(0); done < n; {
		// Each extent is the first free run behind the one before.
		want := min(allocator.Block(n-done), longest)
		got, err := a.newRange(goal, want)
		if err != nil {
			return in, err
		}
		a.claim(got)
		in.Sectors += int64((got.len()+a.ratio-1)/a.ratio) * a.clusterSectors()
		if err := tree.insert(done, got); err != nil {
			return in, err
		}
		done += uint32(got.len())
		goal = got.end
		if goal >= a.sb.Blocks {
			goal = a.sb.FirstDataBlock
		}
		goal &^= a.ratio - 1
	}
	return in, nil
}

// newRange is the first free run at or after goal, at most want blocks of it
// (ext2fs_new_range without flags).
func (a *filePlacer) newRange(goal, want allocator.Block) (run, error) {
	// The run ends at the first block in use, or after want blocks.
	if goal == 0 || goal >= a.sb.Blocks {
		goal = a.sb.FirstDataBlock
	}
	b, ok := a.firstZero(goal, a.sb.Blocks)
	if !ok {
		if b, ok = a.firstZero(a.sb.FirstDataBlock, a.sb.Blocks); !ok {
			return run{}, mkfsErrorf("no room for the journal")
		}
	}
	return run{b, a.firstSet(b, min(b+want, a.sb.Blocks))}, nil
}

// midpoint is the goal of the journal: near the middle of the device, the group
// with the most free blocks of two or three (get_midpoint_journal_block). free
// gives a group's free count as mke2fs has it then.
func (a *filePlacer) midpoint(free func(allocator.GroupID) uint32) allocator.Block {
	// The choice begins at the first group of the middle's flex group that has free blocks,
	// or, without flex groups, at the group before the middle. It ends behind the middle.
	groups := a.sb.Groups()
	g := a.group((a.sb.Blocks - a.sb.FirstDataBlock) / 2)
	flex := allocator.GroupID(1) << a.sb.LogGroupsPerFlex
	start := g
	if a.sb.LogGroupsPerFlex != 0 && g > flex {
		for g &^= flex - 1; g < groups && free(g) == 0; g++ {
		}
		if g == groups {
			g = 0
		}
		start = g
	} else if g > 0 {
		start = g - 1
	}
	// The first of those with the most free blocks wins.
	best := start
	for i := start + 1; i <= min(g+1, groups-1); i++ {
		if free(i) > free(best) {
			best = i
		}
	}
	return allocator.Block(best)*allocator.Block(a.sb.BlocksPerGroup) + a.sb.FirstDataBlock
}

// orphanFile makes the orphan file of n blocks (ext2fs_create_orphan_file).
func (a *filePlacer) orphanFile(number, n uint32) (Inode, error) {
	// Blocks follow each other: the next block of the cluster, else the first free cluster
	// behind the last block.
	in := Inode{Number: number, Mode: 0o100600, Links: 1, Size: int64(n) << a.sb.BlockBits}
	extents := a.sb.Incompat&ExtentTree != 0
	if extents {
		in.Flags = ExtentsFlag
	}
	last := allocator.Block(0)
	next := func(first bool) (allocator.Block, error) {
		if !first && last&^(a.ratio-1) == (last+1)&^(a.ratio-1) {
			last++
			return last, nil
		}
		b, err := a.alloc(last)
		if err == nil {
			last = b
			in.Sectors += a.clusterSectors()
		}
		return b, err
	}
	// Without extents, depths are the indirect blocks that block l is the first to need, the
	// upper one first.
	per := uint32(a.sb.BlockSize() / 4)
	for l := range n {
		var depths []uint8
		switch {
		case extents || l < 12:
		case l == 12:
			depths = []uint8{1}
		case l >= 12+per && (l-12)%per == 0:
			depths = []uint8{1}
			if l == 12+per {
				depths = []uint8{2, 1}
			}
		}
		for _, d := range depths {
			b, err := next(false)
			if err != nil {
				return in, err
			}
			in.Meta = append(in.Meta, MetaBlock{Block: b, Depth: d, Logical: l})
		}
		// The data block follows them.
		b, err := next(l == 0)
		if err != nil {
			return in, err
		}
		appendBlock(&in, uint64(l), b)
	}
	countPointers(&in, n, per)
	return in, nil
}

// quotaOrder are the blocks of a new file of quota in the order in which they are written, in the
// 1024 bytes that its format counts in: the header, then the way from the root of its tree to the
// entry of root, but that the root of the tree comes last.
var quotaOrder = [...]uint64{0, 2, 3, 4, 5, 1}

// quotaFile makes a file of quota that has one entry, that of root (quota_file_create).
func (a *filePlacer) quotaFile(number uint32) (Inode, error) {
	in := Inode{Number: number, Mode: 0o100600, Links: 1, Flags: immutableFlag, Size: int64(len(quotaOrder)) << 10}
	if a.sb.Incompat&ExtentTree != 0 {
		in.Flags |= ExtentsFlag
	}
	placed := make(map[uint64]allocator.Block) // by logical block
	last := a.inodeGoal(number)
	clusterMask := uint64(a.ratio) - 1
	for _, kib := range quotaOrder {
		l := kib << 10 >> a.sb.BlockBits
		if _, has := placed[l]; has {
			continue
		}
		// A block whose cluster is there already lies in it.
		b := allocator.Block(0)
		for other, at := range placed {
			if other&^clusterMask == l&^clusterMask {
				b = at + allocator.Block(l) - allocator.Block(other)
			}
		}
		if b == 0 {
			var err error
			if b, err = a.alloc(last); err != nil {
				return in, err
			}
			in.Sectors += a.clusterSectors()
			b += allocator.Block(l & clusterMask)
		}
		placed[l], last = b, b
	}
	for l := uint64(0); l<<a.sb.BlockBits < uint64(in.Size); l++ {
		// Block 1 is put behind block 0 when block 2 has its extent already: these two stay apart.
		if l == 2 && a.sb.BlockBits == 10 {
			in.Extents = append(in.Extents, filesystem.Extent{Logical: l, Len: 1, Physical: placed[l]})
			continue
		}
		appendBlock(&in, l, placed[l])
	}
	return in, nil
}
