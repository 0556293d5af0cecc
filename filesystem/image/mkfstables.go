package image

import (
	"mbsim/allocator"
)

// place is where the tables of one group lie.
type place struct{ blockBitmap, inodeBitmap, inodeTable allocator.Block }

// tablePlacer places bitmaps and inode tables, group after group, into the
// blocks that are free (ext2fs_allocate_group_table). It works in blocks, also
// where the file system counts clusters.
type tablePlacer struct {
	m    *mkfsState
	used runSet // blocks in use
	// tables are the blocks it placed, a subset of used.
	tables runSet
	prev   place // of the group before
}

// freeBlocks finds num free blocks in a row that begin in [start, finish), by
// the rules of ext2fs_get_free_blocks2: a finish at or before start makes it
// wrap around the end of the device.
func (t *tablePlacer) freeBlocks(start, finish, num allocator.Block) (allocator.Block, bool) {
	// 0 stands for the default of both ends, as in libext2fs.
	sb := &t.m.sb
	b := start
	if b == 0 {
		b = sb.FirstDataBlock
	}
	if finish == 0 {
		finish = start
	}
	top := allocator.Block(0) // one past the last possible beginning
	if sb.Blocks >= num {
		top = sb.Blocks - num + 1
	}
	// A range that does not wrap is searched once; one that wraps is searched to the end of
	// the device, then from its start.
	if finish > b {
		return t.scan(b, min(finish, top), num)
	}
	if found, ok := t.scan(b, top, num); ok || finish > start {
		return found, ok
	}
	return t.scan(sb.FirstDataBlock, finish, num)
}

// scan is the first b in [from, to) with [b, b+num) free.
func (t *tablePlacer) scan(from, to, num allocator.Block) (allocator.Block, bool) {
	// from is free up to the next run: it fits, or the search goes on behind that run.
	for i := t.used.find(from); from < to; i++ {
		if i == len(t.used) || t.used[i].start >= from+num {
			return from, true
		}
		from = max(from, t.used[i].end)
	}
	return 0, false
}

func (t *tablePlacer) take(b allocator.Block, n allocator.Block) {
	t.used.add(run{b, b + n})
	t.tables.add(run{b, b + n})
}

// groupRange is the first and the last block of group id.
func (m *mkfsState) groupRange(id allocator.GroupID) (first, last allocator.Block) {
	first = allocator.Block(id)*allocator.Block(m.sb.BlocksPerGroup) + m.sb.FirstDataBlock
	return first, min(first+allocator.Block(m.sb.BlocksPerGroup), m.sb.Blocks) - 1
}

// place places the tables of group id, which follows the group placed last.
func (t *tablePlacer) place(id allocator.GroupID) (place, error) {
	var p place
	var ok bool
	if t.m.sb.LogGroupsPerFlex != 0 {
		p, ok = t.placeFlex(id)
	} else {
		p, ok = t.placeAlone(id)
	}
	if !ok {
		return p, mkfsErrorf("no room for the tables of group %d", id)
	}
	t.prev = p
	return p, nil
}

// placeAlone places the tables of a group inside it: at its start, or under a
// RAID stride staggered from group to group.
func (t *tablePlacer) placeAlone(id allocator.GroupID) (p place, ok bool) {
	// With a stride, the bitmaps of group after group begin at another disk of the array,
	// behind where the inode table will be.
	first, last := t.m.groupRange(id)
	start := first
	if t.m.stride != 0 {
		if start, ok = t.freeBlocks(first, last, 1); !ok {
			return p, false
		}
		start += allocator.Block(t.m.itb)
		start += allocator.Block(t.m.stride*uint32(id)) % (last - start + 1)
		if start >= last {
			start = first
		}
	}
	// Both bitmaps from there, or anywhere in the group; then the inode table from the start
	// of the group.
	for _, b := range []*allocator.Block{&p.blockBitmap, &p.inodeBitmap} {
		if *b, ok = t.freeBlocks(start, last, 1); !ok {
			*b, ok = t.freeBlocks(first, last, 1)
		}
		if !ok {
			return p, false
		}
		t.take(*b, 1)
	}
	itb := allocator.Block(t.m.itb)
	if p.inodeTable, ok = t.freeBlocks(first, last, itb); ok {
		t.take(p.inodeTable, itb)
	}
	return p, ok
}

// placeFlex places the tables of a group with those of its flex group: the
// block bitmaps in a row, then the inode bitmaps, then the inode tables.
func (t *tablePlacer) placeFlex(id allocator.GroupID) (p place, ok bool) {
	// left is the groups of the flex group that are still to be placed, this one included.
	groups := t.m.sb.Groups()
	size := allocator.GroupID(1) << t.m.sb.LogGroupsPerFlex
	lastGroup := min(id|(size-1), groups-1)
	left := allocator.Block(lastGroup - id + 1)
	first, _ := t.m.groupRange(id)
	_, last := t.m.groupRange(lastGroup)
	begins := id%size == 0
	// How far each kind of table is from the next, seen from the first group.
	offset := allocator.Block(size)
	if begins && lastGroup == groups-1 {
		offset = allocator.Block(lastGroup&(size-1)) + 1
		if offset == 1 {
			offset = allocator.Block(size)
		}
	}
	// In the first group, each kind of table begins offset blocks behind the one before, and
	// in the other groups behind that of the group before.
	var goal allocator.Block
	if !begins {
		goal = t.prev.blockBitmap + 1
	}
	if p.blockBitmap, ok = t.bitmap(id, goal, left, first, last); !ok {
		return p, false
	}
	goal = p.blockBitmap + offset
	if !begins {
		goal = t.prev.inodeBitmap + 1
	}
	if p.inodeBitmap, ok = t.bitmap(id, goal, left, first, last); !ok {
		return p, false
	}
	itb := allocator.Block(t.m.itb)
	goal = p.inodeBitmap + offset
	if !begins {
		goal = t.prev.inodeTable + itb
	}
	start := t.flexOffset(id, goal, left, itb)
	if p.inodeTable, ok = t.freeBlocks(start, last, itb); ok {
		t.take(p.inodeTable, itb)
	}
	return p, ok
}

// bitmap places one bitmap of group id.
func (t *tablePlacer) bitmap(id allocator.GroupID, goal, left, first, last allocator.Block) (allocator.Block, bool) {
	b, ok := t.freeBlocks(t.flexOffset(id, goal, left, 1), last, 1)
	if !ok {
		b, ok = t.freeBlocks(first, last, 1)
	}
	if ok {
		t.take(b, 1)
	}
	return b, ok
}

// flexOffset finds where a table of elem blocks of group id may begin: near
// goal, else where the tables of all left groups fit, else where this one fits
// (flexbg_offset). Where nothing fits it is 0.
func (t *tablePlacer) flexOffset(id allocator.GroupID, goal, left, elem allocator.Block) allocator.Block {
	// size is the blocks that the tables of the groups left need, at most a quarter of a
	// group.
	sb := &t.m.sb
	size := min(left*elem, allocator.Block(sb.BlocksPerGroup/4))
	if goal != 0 && goal < sb.Blocks {
		if b, ok := t.freeBlocks(goal, goal+size, elem); ok {
			return b
		}
	}
	// Without a goal, or with no room there, the whole flex group is searched, first for all
	// tables, then for this one, then the device from its start.
	flex := allocator.GroupID(1) << sb.LogGroupsPerFlex
	start, _ := t.m.groupRange(id &^ (flex - 1))
	_, last := t.m.groupRange(min(id|(flex-1), sb.Groups()-1))
	for _, try := range [...]struct{ start, num allocator.Block }{{start, size}, {start, elem}, {0, elem}} {
		if b, ok := t.freeBlocks(try.start, last, try.num); ok {
			return b
		}
	}
	return 0
}

// tableMap knows where the tables of every group lie. Flex groups that look
// alike (the same copies of superblock and descriptors at the same places)
// have their tables at the same places relative to their start, so that one
// placement stands for all of them. Where a table does not fit into its flex
// group, everything is placed group after group as mke2fs does.
type tableMap struct {
	m       *mkfsState
	span    allocator.GroupID // groups that are placed together
	alike   []*flexPlan       // by the flex group's number modulo len(alike)
	special map[uint32]*flexPlan

	places []place // group by group, where tables stray
	tables runSet  // all tables, where they stray
}

// flexPlan is the placement of one flex group, relative to its first block.
type flexPlan struct {
	places []place
	tables runSet
	first  allocator.GroupID // of the flex group that the plan was made for
	taken  []metadata        // of its groups; nil for a special flex group
}

// metadata is what the file system's own metadata takes of a group.
type metadata struct {
	clusters uint32
	tables   bool // bitmaps or inode tables are among it
}

// maxEager bounds the groups that are placed one after another.
const maxEager = 1 << 23

func newTableMap(m *mkfsState) (*tableMap, error) {
	// One flex group is placed at a time; without flex_bg a flex group is one group.
	t := &tableMap{m: m, span: 1, special: map[uint32]*flexPlan{}}
	if m.sb.LogGroupsPerFlex != 0 {
		t.span = allocator.GroupID(1) << m.sb.LogGroupsPerFlex
	}
	// Two ways to place tables depend on all groups before, so every group is placed.
	if m.p.PackedMetaBlocks && m.sb.Incompat&FlexBG != 0 {
		return t, t.packed()
	}
	if m.stride != 0 && m.sb.LogGroupsPerFlex == 0 {
		return t, t.eager()
	}
	// In all other cases one plan for each kind of flex group is enough, as long as tables
	// stay in their flex groups.
	ok, err := t.plans()
	if err != nil || ok {
		return t, err
	}
	t.alike, t.special = nil, nil
	return t, t.eager()
}

// flexes is the number of flex groups.
func (t *tableMap) flexes() uint32 {
	return uint32((uint64(t.m.sb.Groups()) + uint64(t.span) - 1) / uint64(t.span))
}

// plans makes the plan of every kind of flex group. It reports false where a
// table strays.
func (t *tableMap) plans() (bool, error) {
	// Flex groups that differ from the rest are those with copies of the superblock, their
	// predecessors, and the last ones. Under meta_bg the rest repeat with a period.
	sb := &t.m.sb
	n := t.flexes()
	period := uint32(1) // of descriptor blocks under meta_bg, in flex groups
	if per := allocator.GroupID(sb.DescPerBlock()); sb.Incompat&MetaBG != 0 && per > t.span {
		period = uint32(per / t.span)
	}
	want := map[uint32]bool{0: true}
	mark := func(id allocator.GroupID) { // the flex group of id, and the one before: it sees id's prefix
		f := uint32(id / t.span)
		want[f] = true
		if f > 0 {
			want[f-1] = true
		}
	}
	if sb.Compat&SparseSuper2 != 0 {
		mark(allocator.GroupID(sb.BackupGroups[0]))
		mark(allocator.GroupID(sb.BackupGroups[1]))
	} else if sb.ROCompat&SparseSuper != 0 {
		for _, id := range powerGroups(sb.Groups()) {
			mark(id)
		}
	}
	// The last flex groups may be short, and the ones before them have a shorter neighbour.
	for f := n - min(n, period+3); f < n; f++ {
		want[f] = true
	}
	for f := range want {
		plan, inside, err := t.plan(f)
		if err != nil || !inside {
			return false, err
		}
		t.special[f] = plan
	}
	// For each phase of the period, the first flex group that is not special stands for all.
	t.alike = make([]*flexPlan, period)
	for phase := range period {
		f := phase
		for f < n && want[f] {
			f += period
		}
		if f >= n {
			continue
		}
		plan, inside, err := t.plan(f)
		if err != nil || !inside {
			return false, err
		}
		plan.first = allocator.GroupID(f) * t.span
		t.alike[phase] = plan
	}
	return true, nil
}

// plan places the tables of flex group f as if the others had stayed inside
// theirs, and reports whether its own do.
func (t *tableMap) plan(f uint32) (p *flexPlan, inside bool, err error) {
	// In use are the prefixes of its own groups and of the one behind, into which a table
	// could run.
	first := allocator.GroupID(f) * t.span
	end := min(uint64(first)+uint64(t.span), uint64(t.m.sb.Groups()))
	start, _ := t.m.groupRange(first)
	_, last := t.m.groupRange(allocator.GroupID(end - 1))
	tp := &tablePlacer{m: t.m}
	for id := first; uint64(id) < min(end+1, uint64(t.m.sb.Groups())); id++ {
		tp.addPrefix(id)
	}
	// A plan holds only if all of its tables lie inside the flex group.
	p = &flexPlan{}
	for id := first; uint64(id) < end; id++ {
		at, err := tp.place(id)
		if err != nil {
			// Alone it finds no room; with the free blocks of others it may.
			return nil, false, nil
		}
		for _, r := range [...]run{{at.blockBitmap, at.blockBitmap}, {at.inodeBitmap, at.inodeBitmap}, {at.inodeTable, at.inodeTable + allocator.Block(t.m.itb) - 1}} {
			if r.start < start || r.end > last {
				return nil, false, nil
			}
		}
		p.places = append(p.places, place{at.blockBitmap - start, at.inodeBitmap - start, at.inodeTable - start})
	}
	// Relative to the start of the flex group, so that the plan serves the others.
	for _, r := range tp.tables {
		p.tables = append(p.tables, run{r.start - start, r.end - start})
	}
	return p, true, nil
}

func (t *tablePlacer) addPrefix(id allocator.GroupID) {
	first, _ := t.m.groupRange(id)
	t.used.add(run{first, t.m.sb.prefix(id).end})
}

// eager places the tables of all groups one after another.
func (t *tableMap) eager() error {
	groups := t.m.sb.Groups()
	if groups > maxEager {
		return mkfsErrorf("%d groups whose tables do not fit their flex groups: more than %d are not laid out", groups, maxEager)
	}
	// All prefixes are in use before the first table is placed.
	tp := &tablePlacer{m: t.m}
	for id := range groups {
		tp.addPrefix(id)
	}
	t.places = make([]place, groups)
	for id := range groups {
		var err error
		if t.places[id], err = tp.place(id); err != nil {
			return err
		}
	}
	t.tables = tp.tables
	return nil
}

// packed places all tables at the start of the device
// (packed_allocate_tables in misc/mke2fs.c).
func (t *tableMap) packed() error {
	m, groups := t.m, t.m.sb.Groups()
	if groups > maxEager {
		return mkfsErrorf("%d groups are too many for packed_meta_blocks: more than %d are not laid out", groups, maxEager)
	}
	// All block bitmaps in a row, then all inode bitmaps, then all inode tables, each behind
	// the one before.
	tp := &tablePlacer{m: m}
	for id := range groups {
		tp.addPrefix(id)
	}
	t.places = make([]place, groups)
	goal := m.sb.FirstDataBlock
	mask := allocator.Block(1)<<m.sb.ClusterBits - 1
	for kind := range 2 {
		for id := range groups {
			b, ok := tp.scan(goal&^mask, m.sb.Blocks, 1)
			if !ok {
				if b, ok = tp.scan(m.sb.FirstDataBlock, goal, 1); !ok {
					return mkfsErrorf("no room for the bitmaps of group %d", id)
				}
			}
			tp.take(b, 1)
			goal = b
			if kind == 0 {
				t.places[id].blockBitmap = b
			} else {
				t.places[id].inodeBitmap = b
			}
		}
	}
	for id := range groups {
		b, ok := tp.freeBlocks(goal, m.sb.Blocks-1, allocator.Block(m.itb))
		if !ok {
			return mkfsErrorf("no room for the inode table of group %d", id)
		}
		tp.take(b, allocator.Block(m.itb))
		t.places[id].inodeTable, goal = b, b
	}
	t.tables = tp.tables
	return nil
}

// planOf is the plan of flex group f.
func (t *tableMap) planOf(f uint32) *flexPlan {
	if p, ok := t.special[f]; ok {
		return p
	}
	return t.alike[f%uint32(len(t.alike))]
}

// alikeOf is the plan that group id shares with the groups at its place in other flex groups, and
// its place; nil for a group of a special flex group.
func (t *tableMap) alikeOf(id allocator.GroupID) (*flexPlan, allocator.GroupID) {
	f := uint32(id / t.span)
	if _, special := t.special[f]; special || t.places != nil {
		return nil, 0
	}
	return t.alike[f%uint32(len(t.alike))], id % t.span
}

// at is where the tables of group id lie.
func (t *tableMap) at(id allocator.GroupID) place {
	if t.places != nil {
		return t.places[id]
	}
	// Relative places become blocks of the device.
	f := uint32(id / t.span)
	start, _ := t.m.groupRange(allocator.GroupID(f) * t.span)
	p := t.planOf(f).places[id%t.span]
	return place{p.blockBitmap + start, p.inodeBitmap + start, p.inodeTable + start}
}

// within calls f for every run of tables inside group id.
func (t *tableMap) within(id allocator.GroupID, f func(run)) {
	first, last := t.m.groupRange(id)
	if t.places != nil {
		t.tables.within(first, last+1, f)
		return
	}
	flex := uint32(id / t.span)
	start, _ := t.m.groupRange(allocator.GroupID(flex) * t.span)
	t.planOf(flex).tables.within(first-start, last+1-start, func(r run) { f(run{r.start + start, r.end + start}) })
}

// near implements tables.
func (t *tableMap) near(id allocator.GroupID) (from, to allocator.GroupID) {
	groups := t.m.sb.Groups()
	if t.places != nil {
		return 0, groups
	}
	from = id / t.span * t.span
	return from, min(from+t.span, groups)
}
