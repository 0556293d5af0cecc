package image

import (
	"slices"

	"mbsim/allocator"
)

// tables knows where bitmaps and inode tables lie.
type tables interface {
	at(id allocator.GroupID) place
	// within calls f for every run of tables inside group id.
	within(id allocator.GroupID, f func(run))
	// near is the range of groups whose tables may lie in group id.
	near(id allocator.GroupID) (from, to allocator.GroupID)
}

// newFiles makes the files of a new file system, once its tables are placed.
type newFiles struct {
	sb            *Superblock
	static        staticMap
	tables        tables
	journalBlocks uint32
	journalGoal   *allocator.Block // nil: near the middle
	orphanBlocks  uint32
	quotas        [3]bool // files of users', groups' and projects' quota

	files []Inode // by number
	used  runSet  // their blocks, whole clusters
	inUse uint32  // inodes in use: the first inUse
}

// make makes the files in the order of mke2fs: root, lost+found, resize inode,
// journal, the block of multiple-mount protection, the files of quota, the orphan file.
func (f *newFiles) make() error {
	sb := f.sb
	// The inodes before FirstInode are reserved, and lost+found is the first other one.
	a := newFilePlacer(sb, f.static)
	f.inUse = sb.FirstInode
	if f.inUse > sb.Inodes {
		return mkfsErrorf("no inode for lost+found")
	}
	root, lf, err := a.rootAndLost(sb.FirstInode)
	if err != nil {
		return err
	}
	f.files = []Inode{root}
	if sb.Compat&ResizeInode != 0 {
		in, err := a.resizeInode()
		if err != nil {
			return err
		}
		f.files = append(f.files, in)
	}
	// The journal, at the goal given or near the middle of the device.
	if f.journalBlocks > 0 {
		var goal allocator.Block
		if f.journalGoal != nil {
			goal = *f.journalGoal
		} else {
			goal = a.midpoint(func(id allocator.GroupID) uint32 { return f.rawFree(a, id) })
		}
		in, err := a.journal(f.journalBlocks, goal)
		if err != nil {
			return err
		}
		f.files = append(f.files, in)
	}
	f.files = append(f.files, lf)
	// The block of multiple-mount protection belongs to no inode.
	if sb.Incompat&MMP != 0 {
		if _, err := a.alloc(0); err != nil {
			return err
		}
	}
	if err := f.makeQuotas(a); err != nil {
		return err
	}
	// The orphan file takes the next free inode.
	if f.orphanBlocks > 0 {
		if f.inUse == sb.Inodes {
			return mkfsErrorf("no inode for the orphan file")
		}
		f.inUse++
		in, err := a.orphanFile(f.inUse, f.orphanBlocks)
		if err != nil {
			return err
		}
		f.files = append(f.files, in)
	}
	f.used = a.files
	return nil
}

// makeQuotas makes the files of quota: those of users and groups in inodes of their own, that of
// projects in the next free one.
func (f *newFiles) makeQuotas(a *filePlacer) error {
	for i, has := range f.quotas {
		if !has {
			continue
		}
		number := UserQuotaInode + uint32(i)
		if i == 2 {
			if f.inUse == f.sb.Inodes {
				return mkfsErrorf("no inode for the file of projects' quota")
			}
			f.inUse++
			number = f.inUse
		}
		in, err := a.quotaFile(number)
		if err != nil {
			return err
		}
		f.sb.QuotaInodes[i] = number
		// Files are in the order of their numbers.
		at := slices.IndexFunc(f.files, func(o Inode) bool { return o.Number > number })
		if at < 0 {
			at = len(f.files)
		}
		f.files = slices.Insert(f.files, at, in)
	}
	return nil
}

// rawFree is the free count of group id as mke2fs has it while it works: in
// clusters or, with bigalloc, in a mixture of blocks and clusters that it puts
// right at the end (fix_cluster_bg_counts).
func (f *newFiles) rawFree(a *filePlacer, id allocator.GroupID) uint32 {
	// Blocks of the group, less prefix, tables and files.
	first := allocator.Block(id)*allocator.Block(f.sb.BlocksPerGroup) + f.sb.FirstDataBlock
	end := min(first+allocator.Block(f.sb.BlocksPerGroup), f.sb.Blocks)
	itb := f.sb.InodeTableBlocks()
	n := int64(end-first) - int64(f.sb.prefix(id).end-first)
	switch {
	case f.sb.LogGroupsPerFlex == 0:
		n -= int64(2 + itb)
	case f.sb.ClusterBits == 0:
		f.tables.within(id, func(r run) { n -= int64(r.len()) })
	default: // one for a bitmap, whole clusters for each piece of an inode table
		from, to := f.tables.near(id)
		for ; from < to; from++ {
			p := f.tables.at(from)
			for _, b := range [...]allocator.Block{p.blockBitmap, p.inodeBitmap} {
				if b >= first && b < end {
					n--
				}
			}
			if s, e := max(p.inodeTable, first), min(p.inodeTable+allocator.Block(itb), end); s < e {
				n -= int64((e - s) >> f.sb.ClusterBits)
			}
		}
	}
	// libext2fs takes one off for each cluster of a file. The count has 16 bits in a small
	// descriptor.
	a.files.within(first, end, func(r run) { n -= int64(r.len() / a.ratio) })
	if f.sb.DescSize < 64 {
		return uint32(uint16(n))
	}
	return uint32(n)
}
