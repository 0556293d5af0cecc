package image

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mbsim/allocator"
	"mbsim/internal/input"
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
	var places []allocator.Block // of a group in another language
	// The first line of a group says which flags it has.
	g := groupState{desc: allocator.GroupDesc{InodeTableBlocks: d.sb.InodeTableBlocks()}}
	if err := d.groupHead(id, &g); err != nil {
		return err
	}
	// Six parts must follow, each once, one bit of seen for each: two bitmaps, the inode
	// table, counts, free blocks, free inodes.
	var seen uint8
	for seen != 0x3f {
		if !d.next() || groupHeadText.MatchString(d.line) {
			return fmt.Errorf("the text is cut short in group %d", id)
		}
		if err := d.joinLines(); err != nil {
			return err
		}
		var part uint8
		var err error
		if d.foreign {
			part, err = d.foreignLine(id, &g, d.line, seen, &places)
		} else {
			part, err = d.groupLine(id, &g, d.line)
		}
		if err != nil {
			return fmt.Errorf("group %d: %w", id, err)
		}
		if seen&part != 0 && part != 0 {
			return fmt.Errorf("group %d: %.40q stands twice", id, d.line)
		}
		if part != 0 {
			d.lastUseful = d.lineNumber
		}
		seen |= part
	}
	d.state.groups = append(d.state.groups, g)
	return d.checkGroup(id, &g)
}

// joinLines joins a line that ends with a comma with those that go on with it, as a mail
// program breaks them.
func (d *dumpReader) joinLines() error {
	line := d.line
	for strings.HasSuffix(line, ",") && d.next() {
		if len(line)+len(d.line) > maxDumpLine {
			return fmt.Errorf("lines that go on for more than %s", input.Bytes(maxDumpLine))
		}
		line += " " + d.line
	}
	d.line = line
	return nil
}

// groupHead reads "Group 0: (Blocks 0-32767) csum 0xd243 [ITABLE_ZEROED]".
func (d *dumpReader) groupHead(id allocator.GroupID, g *groupState) error {
	if err := d.joinLines(); err != nil {
		return err
	}
	// The range of blocks must be the one that follows from the superblock.
	geo := d.sb.Geometry()
	first := geo.GroupStart(id)
	last := min(first+allocator.Block(geo.BlocksPerGroup), geo.Blocks) - 1
	m := groupHeadText.FindStringSubmatch(d.line)
	ok := m != nil
	for i, want := range [...]uint64{uint64(id), uint64(first), uint64(last)} {
		if ok {
			n, err := parseNumber(m[2+i], 64)
			ok = err == nil && n == want
		}
	}
	if !ok {
		return fmt.Errorf("want a line that begins with \"Group %d: (Blocks %d-%d)\", have %.60q", id, first, last, d.line)
	}
	d.foreign = d.foreign || m[1] != "Group"
	// Flags that decide something; any other is refused, since it might.
	if _, list, ok := strings.Cut(m[5], "["); ok {
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
	case line == "", strings.HasPrefix(line, "Primary superblock at "), strings.HasPrefix(line, "Backup superblock at "),
		strings.HasPrefix(line, "Group descriptor at "), strings.HasPrefix(line, "Reserved GDT blocks at "), strings.HasPrefix(line, "Checksum 0x"):
	default:
		err = fmt.Errorf("unknown line %.60q", line)
	}
	return part, err
}

// foreignLine reads one line of a group in another language than English, by its place
// among the others: the places of the two bitmaps and of the inode table, then the counts,
// which begin with a number, then the free blocks, then the free inodes. What the checks of
// a group compare (counts, ranges, places) shows any mistake. seen are the parts that were
// read before, places the blocks that were found before the counts.
func (d *dumpReader) foreignLine(id allocator.GroupID, g *groupState, line string, seen uint8, places *[]allocator.Block) (part uint8, err error) {
	const counted = 8
	switch {
	case line == "":
		return 0, nil
	// Before the counts: any places of bitmaps and tables.
	case seen&counted == 0 && (line[0] < '0' || line[0] > '9'):
		for _, m := range placeText.FindAllStringSubmatch(line, 4) {
			b, err := firstBlock(m[1])
			if err != nil {
				return 0, err
			}
			*places = append(*places, b)
		}
		return 0, nil
	case seen&counted == 0:
		if len(*places) != 3 {
			return 0, fmt.Errorf("want the places of two bitmaps and of the inode table before %.40q, found %d", line, len(*places))
		}
		g.desc.BlockBitmap, g.desc.InodeBitmap, g.desc.InodeTable = (*places)[0], (*places)[1], (*places)[2]
		return 1 | 2 | 4 | counted, foreignCounts(line, &g.desc)
	}
	// Behind the counts, each line has a name and a list.
	_, list, ok := strings.Cut(line, ":")
	switch {
	case !ok:
		return 0, fmt.Errorf("unknown line %.60q", line)
	case seen&16 == 0:
		return d.groupLine(id, g, "Free blocks:"+list)
	}
	return d.groupLine(id, g, "Free inodes:"+list)
}

// foreignCounts reads counts in any language, in the order of the English ones.
func foreignCounts(line string, g *allocator.GroupDesc) error {
	words := [...]string{" free blocks", " free inodes", " directories", " unused inodes"}
	parts := strings.Split(line, ",")
	if len(parts) < 3 || len(parts) > len(words) {
		return fmt.Errorf("want three or four counts, have %.60q", line)
	}
	// The number of each part, with the English words behind it.
	for i, p := range parts {
		p = strings.TrimSpace(p)
		end := strings.IndexFunc(p, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(p)
		}
		parts[i] = p[:end] + words[i]
	}
	return counts(strings.Join(parts, ", "), g)
}

// firstBlock reads the number that s begins with.
func firstBlock(s string) (allocator.Block, error) {
	// It ends where no digit follows; hexadecimal ones begin with 0x.
	digits := "0123456789"
	n := 0
	if strings.HasPrefix(s, "0x") {
		digits, n = "0123456789abcdefABCDEF", 2
	}
	for n < len(s) && strings.IndexByte(digits, s[n]) >= 0 {
		n++
	}
	b, err := parseNumber(s[:n], 48)
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
	// The ranges must be in order, inside the group, and begin and end at a unit.
	next := uint64(0)
	s = strings.TrimSpace(s)
	for s != "" {
		var word string
		word, s, _ = strings.Cut(s, ",")
		word = strings.TrimSpace(word)
		a, b, two := strings.Cut(word, "-")
		from, err := parseNumber(a, 63)
		to := from
		if err == nil && two {
			to, err = parseNumber(b, 63)
		}
		if err != nil {
			return nil, fmt.Errorf("want a range of free numbers, have %.40q", word)
		}
		if from < base || to < from || (from-base)&(1<<shift-1) != 0 || (to-base)&(1<<shift-1) != 0 {
			return nil, fmt.Errorf("%.40q is no range of this group", word)
		}
		// From numbers of blocks or inodes to units of the group.
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
	// Places first: tables inside the device, none twice, then what must be in use.
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
	// A mounted file system writes the sums of its superblock late, so that they may be old.
	// The kernel counts the groups (ext4_count_free_clusters), and so does everybody here.
	d.notes = append(d.notes, d.sb.recount(free, inodes)...)
	return nil
}

// recount puts the groups' counts of free blocks and inodes into the superblock, and says
// so where it had others.
func (s *Superblock) recount(blocks, inodes uint64) (notes []string) {
	if blocks != uint64(s.FreeBlocks) || inodes != uint64(s.FreeInodes) {
		notes = append(notes, fmt.Sprintf("the superblock counts %d free blocks and %d free inodes, the groups %d and %d, which count", s.FreeBlocks, s.FreeInodes, blocks, inodes))
	}
	s.FreeBlocks, s.FreeInodes = allocator.Block(blocks), uint32(inodes)
	return notes
}

// guessFiles finds the files mke2fs makes, where they must lie if mke2fs made
// the file system, and keeps those whose blocks are in use. It returns what
// could not be told.
func (s *readState) guessFiles() (notes []string) {
	var zero allocator.Block
	// A journal in another inode, or of an impossible size, is not one that mke2fs made.
	jBlocks := uint32(0)
	if s.sb.Compat&HasJournal != 0 && s.sb.JournalInode == JournalInode && s.sb.JournalBlocks <= maxJournalBlocks {
		jBlocks = s.sb.JournalBlocks
	}
	var best []Inode
	// Two places for the journal are tried: the middle of the device, and its start with
	// packed_meta_blocks.
	for _, goal := range []*allocator.Block{nil, &zero} {
		f := newFiles{sb: s.sb, static: s, tables: s, journalBlocks: jBlocks, journalGoal: goal}
		for i, n := range s.sb.QuotaInodes {
			f.quotas[i] = n != 0
		}
		if s.sb.Compat&OrphanFile != 0 {
			m := mkfsState{sb: *s.sb, p: &MkfsParams{}}
			if m.orphanSize() == nil {
				f.orphanBlocks = m.orphan
			}
		}
		if err := f.make(); err != nil {
			continue
		}
		// The guess is right if all of its blocks are in use; otherwise the first one counts.
		missing := s.keepUsed(&f)
		if best == nil || missing == "" {
			best = f.files
			notes = nil
			if missing != "" {
				notes = []string{missing}
			}
		}
		if missing == "" {
			break
		}
	}
	s.files = best
	// lost+found may have been removed: then its blocks belong to nobody.
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
		// A file whose blocks are not all in use lies elsewhere.
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
