package image

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mbsim/allocator"
)

// group reads the lines of group id.
func (d *dumpReader) group(id allocator.GroupID) error {
	for {
		if !d.next() {
			return fmt.Errorf("the text is cut short: group %d of %d is missing", id, d.sb.Groups())
		}
		if d.line != "" {
			break
		}
	}
	g := groupState{desc: allocator.GroupDesc{InodeTableBlocks: d.sb.InodeTableBlocks()}}
	if err := d.groupHead(id, &g); err != nil {
		return err
	}
	var seen uint8
	for seen != 0x3f {
		if !d.next() || strings.HasPrefix(d.line, "Group ") {
			return fmt.Errorf("the text is cut short in group %d", id)
		}
		part, err := d.groupLine(id, &g, strings.TrimSpace(d.line))
		if err != nil {
			return fmt.Errorf("group %d: %w", id, err)
		}
		if seen&part != 0 && part != 0 {
			return fmt.Errorf("group %d: %.40q stands twice", id, strings.TrimSpace(d.line))
		}
		if part != 0 {
			d.told = d.n
		}
		seen |= part
	}
	d.state.groups = append(d.state.groups, g)
	return d.checkGroup(id, &g)
}

// groupHead reads "Group 0: (Blocks 0-32767) csum 0xd243 [ITABLE_ZEROED]".
func (d *dumpReader) groupHead(id allocator.GroupID, g *groupState) error {
	geo := d.sb.Geometry()
	first := geo.GroupStart(id)
	last := min(first+allocator.Block(geo.BlocksPerGroup), geo.Blocks) - 1
	want := fmt.Sprintf("Group %d: (Blocks %d-%d)", id, first, last)
	if !strings.HasPrefix(d.line, want) {
		return fmt.Errorf("want a line that begins with %q, have %.60q", want, d.line)
	}
	if _, list, ok := strings.Cut(d.line, "["); ok {
		for _, f := range strings.Split(strings.TrimSuffix(list, "]"), ", ") {
			switch strings.TrimSpace(f) {
			case "INODE_UNINIT":
				g.flags |= bgInodeUninit
			case "BLOCK_UNINIT":
				g.flags |= bgBlockUninit
			case "ITABLE_ZEROED":
				g.flags |= bgItableZeroed
			default:
				return fmt.Errorf("group %d: unknown flag %.40q", id, f)
			}
		}
	}
	g.desc.InodeUninit, g.desc.BlockUninit = g.flags&bgInodeUninit != 0, g.flags&bgBlockUninit != 0
	return nil
}

// groupLine reads one line of a group and reports which of the six needed parts
// it held.
func (d *dumpReader) groupLine(id allocator.GroupID, g *groupState, line string) (part uint8, err error) {
	switch {
	case strings.HasPrefix(line, "Block bitmap at "):
		part = 1
		g.desc.BlockBitmap, err = firstBlock(line[len("Block bitmap at "):])
		if _, rest, ok := strings.Cut(line, "Inode bitmap at "); ok && err == nil { // older versions: one line
			part |= 2
			g.desc.InodeBitmap, err = firstBlock(rest)
		}
	case strings.HasPrefix(line, "Inode bitmap at "):
		part = 2
		g.desc.InodeBitmap, err = firstBlock(line[len("Inode bitmap at "):])
	case strings.HasPrefix(line, "Inode table at "):
		part = 4
		g.desc.InodeTable, err = firstBlock(line[len("Inode table at "):])
	case strings.Contains(line, " free inodes, "):
		part = 8
		err = counts(line, &g.desc)
	case strings.HasPrefix(line, "Free blocks:"):
		part = 16
		geo := d.sb.Geometry()
		g.blocks.runs, err = freeRuns(line[len("Free blocks:"):], uint64(geo.GroupStart(id)), d.sb.ClusterBits, geo.ClustersIn(id))
	case strings.HasPrefix(line, "Free inodes:"):
		part = 32
		g.inodes.runs, err = freeRuns(line[len("Free inodes:"):], uint64(id)*uint64(d.sb.InodesPerGroup)+1, 0, d.sb.InodesPerGroup)
	case strings.HasPrefix(line, "Primary superblock at "), strings.HasPrefix(line, "Backup superblock at "),
		strings.HasPrefix(line, "Group descriptor at "), strings.HasPrefix(line, "Reserved GDT blocks at "), strings.HasPrefix(line, "Checksum 0x"):
	default:
		err = fmt.Errorf("unknown line %.60q", line)
	}
	return part, err
}

// firstBlock reads the number that s begins with.
func firstBlock(s string) (allocator.Block, error) {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	b, err := strconv.ParseUint(s[:n], 10, 48)
	if err != nil {
		return 0, fmt.Errorf("want a block number, have %.40q", s)
	}
	return allocator.Block(b), nil
}

// counts reads "26081 free blocks, 20469 free inodes, 2 directories, 20469 unused inodes".
func counts(line string, g *allocator.GroupDesc) error {
	for _, p := range strings.Split(line, ", ") {
		number, what, _ := strings.Cut(p, " ")
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return fmt.Errorf("want a count, have %.40q", p)
		}
		switch what {
		case "free blocks", "free clusters":
			g.FreeClusters = uint32(n)
		case "free inodes":
			g.FreeInodes = uint32(n)
		case "directories":
			g.UsedDirs = uint32(n)
		case "unused inodes":
			g.UnusedInodes = uint32(n)
		default:
			return fmt.Errorf("unknown count %.40q", p)
		}
	}
	return nil
}

// freeRuns reads "5, 7-9": numbers from base on, in steps of 2^shift, of n
// units. It returns pairs of first unit and length.
func freeRuns(s string, base uint64, shift uint8, n uint32) ([]uint32, error) {
	var runs []uint32
	next := uint64(0)
	s = strings.TrimSpace(s)
	for s != "" {
		var word string
		word, s, _ = strings.Cut(s, ",")
		word = strings.TrimSpace(word)
		a, b, two := strings.Cut(word, "-")
		from, err := strconv.ParseUint(a, 10, 63)
		to := from
		if err == nil && two {
			to, err = strconv.ParseUint(b, 10, 63)
		}
		if err != nil {
			return nil, fmt.Errorf("want a range of free numbers, have %.40q", word)
		}
		if from < base || to < from || (from-base)&(1<<shift-1) != 0 || (to-base)&(1<<shift-1) != 0 {
			return nil, fmt.Errorf("%.40q is no range of this group", word)
		}
		from, to = (from-base)>>shift, (to-base)>>shift
		if to >= uint64(n) {
			return nil, fmt.Errorf("%.40q ends past the group", word)
		}
		if from < next {
			return nil, fmt.Errorf("%.40q does not follow the range before it", word)
		}
		runs = append(runs, uint32(from), uint32(to-from+1))
		next = to + 1
	}
	return runs, nil
}

// checkGroup compares a group's counts with its ranges.
func (d *dumpReader) checkGroup(id allocator.GroupID, g *groupState) error {
	geo := d.sb.Geometry()
	if n := g.blocks.count(geo.ClustersIn(id)); n != g.desc.FreeClusters {
		return fmt.Errorf("group %d: %d free blocks (clusters) by its count, %d by its ranges", id, g.desc.FreeClusters, n)
	}
	if n := g.inodes.count(d.sb.InodesPerGroup); n != g.desc.FreeInodes {
		return fmt.Errorf("group %d: %d free inodes by its count, %d by its ranges", id, g.desc.FreeInodes, n)
	}
	if g.desc.UnusedInodes > d.sb.InodesPerGroup || g.desc.UsedDirs > d.sb.InodesPerGroup {
		return fmt.Errorf("group %d: unused inodes or directories exceed its %d inodes", id, d.sb.InodesPerGroup)
	}
	return nil
}

// check compares all groups with the superblock.
func (d *dumpReader) check() error {
	for id := range d.state.groups {
		if err := d.state.checkTables(uint32(id)); err != nil {
			return err
		}
	}
	if err := d.state.addTables(); err != nil {
		return err
	}
	if err := d.state.checkReserved(); err != nil {
		return err
	}
	if d.state.groups[0].desc.UsedDirs == 0 {
		return fmt.Errorf("group 0: no directories, and the root is one")
	}
	var free, inodes uint64
	for id := range d.state.groups {
		if err := d.state.checkStatic(allocator.GroupID(id)); err != nil {
			return err
		}
		free += uint64(d.state.groups[id].desc.FreeClusters) << d.sb.ClusterBits
		inodes += uint64(d.state.groups[id].desc.FreeInodes)
	}
	if free != uint64(d.sb.FreeBlocks) && !d.live {
		return fmt.Errorf("%d free blocks by the superblock, %d by the groups", d.sb.FreeBlocks, free)
	}
	if inodes != uint64(d.sb.FreeInodes) && !d.live {
		return fmt.Errorf("%d free inodes by the superblock, %d by the groups", d.sb.FreeInodes, inodes)
	}
	return nil
}

// guessFiles finds the files mke2fs makes, where they must lie if mke2fs made
// the file system, and keeps those whose blocks are in use. It returns what
// could not be told.
func (s *readState) guessFiles() (notes []string) {
	var zero allocator.Block
	jBlocks := uint32(0)
	if s.sb.Compat&HasJournal != 0 && s.sb.JournalInode == JournalInode && s.sb.JournalBlocks <= maxJournalBlocks {
		jBlocks = s.sb.JournalBlocks
	}
	var best []Inode
	for _, goal := range []*allocator.Block{nil, &zero} {
		f := newFiles{sb: s.sb, static: s, tables: s, journalBlocks: jBlocks, journalGoal: goal}
		if s.sb.Compat&OrphanFile != 0 {
			m := mkfsState{sb: *s.sb, p: &MkfsParams{}}
			if m.orphanSize() == nil {
				f.orphanBlocks = m.orphan
			}
		}
		if err := f.make(); err != nil {
			continue
		}
		missing := s.keepUsed(&f)
		if best == nil || missing == "" {
			best = f.files
			if notes = nil; missing != "" {
				notes = []string{missing}
			}
		}
		if missing == "" {
			break
		}
	}
	s.files = best
	if i := slices.IndexFunc(best, func(in Inode) bool { return in.Number == s.sb.FirstInode }); i >= 0 && !s.hasLost() {
		s.files = slices.Delete(best, i, i+1)
		s.files[0].Links-- // the root comes first
		notes = append(notes, "there is no lost+found")
	}
	return notes
}

// hasLost reports whether there may be a directory lost+found where mke2fs makes
// it: its inode is in use, and its group has a directory beside the root.
func (s *readState) hasLost() bool {
	id, i := s.inodeAt(s.sb.FirstInode)
	dirs := s.groups[id].desc.UsedDirs
	if id == 0 {
		dirs--
	}
	return dirs > 0 && !s.groups[id].inodes.anyFree(i, i+1)
}

// keepUsed drops the blocks of files that are not in use.
func (s *readState) keepUsed(f *newFiles) (missing string) {
	for i := range f.files {
		in := &f.files[i]
		ok := true
		for _, e := range in.Extents {
			ok = ok && s.inUse(e.Physical, e.Len)
		}
		for _, m := range in.Meta {
			ok = ok && s.inUse(m.Block, 1)
		}
		if !ok {
			in.Extents, in.Meta = nil, nil
			missing = fmt.Sprintf("inode %d is not where mke2fs puts it: its blocks are not known", in.Number)
		}
	}
	return missing
}
