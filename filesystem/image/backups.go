package image

import "mbsim/allocator"

// HasSuper reports whether group id holds a copy of the superblock
// (ext2fs_bg_has_super, ext4_bg_has_super).
func (s *Superblock) HasSuper(id allocator.GroupID) bool {
	if id == 0 {
		return true
	}
	// sparse_super2 names its two groups, sparse_super takes powers of 3, 5 and 7, and without
	// either every group has a copy.
	if s.Compat&SparseSuper2 != 0 {
		return uint32(id) == s.BackupGroups[0] || uint32(id) == s.BackupGroups[1]
	}
	if id <= 1 || s.ROCompat&SparseSuper == 0 {
		return true
	}
	return id&1 != 0 && (isPower(id, 3) || isPower(id, 5) || isPower(id, 7))
}

func isPower(n, base allocator.GroupID) bool {
	for n%base == 0 {
		n /= base
	}
	return n == 1
}

// powerGroups are the groups below n that sparse_super gives a copy, the first
// excepted.
func powerGroups(n allocator.GroupID) []allocator.GroupID {
	var ids []allocator.GroupID
	if n > 1 {
		ids = append(ids, 1)
	}
	for _, base := range [...]uint64{3, 5, 7} {
		for p := base; p < uint64(n); p *= base {
			ids = append(ids, allocator.GroupID(p))
		}
	}
	return ids
}

// DescBlocks is the number of blocks of the whole descriptor table.
func (s *Superblock) DescBlocks() uint32 {
	return uint32(ceilDiv(uint64(s.Groups()), uint64(s.DescPerBlock())))
}

// prefix is where group id begins with copies of the superblock and of the
// descriptors, reserved ones included: a copy of the superblock at super, then
// desc blocks of descriptors. One of both may be absent
// (ext2fs_super_and_bgd_loc2, ext4_bg_num_gdb). The blocks in use are
// [start of the group, end).
type prefix struct {
	hasSuper bool
	super    allocator.Block
	gdt      allocator.Block // the first descriptor block
	gdtLen   uint32          // descriptor blocks in use
	reserved uint32          // reserved GDT blocks after them
	end      allocator.Block
}

func (s *Superblock) prefix(id allocator.GroupID) prefix {
	g := s.Groups()
	start := allocator.Block(id)*allocator.Block(s.BlocksPerGroup) + s.FirstDataBlock
	// The copy of the superblock comes first.
	first := start
	if start == 0 && s.BlockBits == 10 {
		first = 1 // 1K blocks with bigalloc: block 0 is the boot block
	}
	p := prefix{hasSuper: s.HasSuper(id), super: first, end: start}
	if p.hasSuper {
		p.end = first + 1
	}
	// Without meta_bg, or before its first group, the whole table follows each superblock,
	// and the blocks reserved for its growth follow the table.
	per := allocator.GroupID(s.DescPerBlock())
	metaBG := s.Incompat&MetaBG != 0
	if !metaBG || uint32(id/per) < s.FirstMetaBG {
		if p.hasSuper {
			p.gdt, p.gdtLen, p.reserved = first+1, uint32(ceilDiv(uint64(g), uint64(per))), uint32(s.ReservedGDT)
			if metaBG {
				p.gdtLen, p.reserved = s.FirstMetaBG, 0
			}
			p.end = min(p.gdt+allocator.Block(p.gdtLen)+allocator.Block(p.reserved), s.Blocks)
		}
	} else if r := id % per; r == 0 || r == 1 || r == per-1 {
		// The descriptors of a meta group fill one block, of which its first, second and last
		// group hold a copy.
		p.gdt, p.gdtLen = first, 1
		if p.hasSuper {
			p.gdt = first + 1
		}
		p.end = p.gdt + 1
	}
	return p
}

func (m *mkfsState) hasSuper(id allocator.GroupID) bool { return m.sb.HasSuper(id) }

// prefixBlocks is the number of blocks all groups' prefixes take.
func (s *Superblock) prefixBlocks() (n allocator.Block) {
	// at is the number of blocks of one group's prefix.
	groups := s.Groups()
	per := allocator.GroupID(s.DescPerBlock())
	at := func(id allocator.GroupID) allocator.Block {
		return s.prefix(id).end - (allocator.Block(id)*allocator.Block(s.BlocksPerGroup) + s.FirstDataBlock)
	}
	// Most groups have no prefix, so for many groups only those that may have one are
	// visited.
	sparse := s.ROCompat&SparseSuper != 0 || s.Compat&SparseSuper2 != 0
	if groups <= 1024 || !sparse {
		for id := range groups {
			n += at(id)
		}
		return n
	}
	special := map[allocator.GroupID]bool{0: true}
	if s.Compat&SparseSuper2 != 0 {
		special[allocator.GroupID(s.BackupGroups[0])] = true
		special[allocator.GroupID(s.BackupGroups[1])] = true
	} else {
		for _, id := range powerGroups(groups) {
			special[id] = true
		}
	}
	// Under meta_bg, the first, second and last group of each meta group hold a copy of its
	// block of descriptors. A meta group of one or two groups has fewer different ones.
	if s.Incompat&MetaBG != 0 {
		for mg := allocator.GroupID(s.FirstMetaBG); uint64(mg)*uint64(per) < uint64(groups); mg++ {
			last := allocator.GroupID(^uint32(0))
			for _, id := range [...]allocator.GroupID{mg * per, mg*per + 1, mg*per + per - 1} {
				if id < groups && id < mg*per+per && id != last && !special[id] {
					n += at(id)
				}
				last = id
			}
		}
	}
	for id := range special {
		n += at(id)
	}
	return n
}

// initialFree is the free-block count mke2fs begins with, before any table is
// placed; without flex groups the tables are taken off at once.
func (m *mkfsState) initialFree() uint64 {
	free := m.sb.Blocks - m.sb.FirstDataBlock - m.sb.prefixBlocks()
	if m.sb.LogGroupsPerFlex == 0 {
		free -= allocator.Block(m.sb.Groups()) * allocator.Block(2+m.itb)
	}
	return uint64(free) &^ (1<<m.sb.ClusterBits - 1)
}
