package mballoc

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"mbsim/allocator"
)

// TestDecisions plays the stories of testdata/decisions: a disk is laid out,
// requests are made, and the decisions printed. A place is written GROUP/START+LENGTH
// in clusters, @BLOCK says for which block of the file. Commands:
//
//	disk [block=4096] [cluster=4096] [groups=4] [clusters=32768] [last=N] [flex=1] [stripe=N]
//	     [cpus=1] [profile=5.10] [lists] [nojournal] [unprivileged] [root=N] [pool] [locks]
//	     lays out and mounts; requests are those of a process that may take root's reserve,
//	     unless it is unprivileged; lines say what is not free:
//	       group 3: used                          all of it
//	       group 3: used 0+100 200+1              these clusters
//	       group 0-2: free 5+1 0+2/8 0+1/4x10     all but these; 2 of every 8, 1 of 4 ten times
//	       group 3: uninit                        BLOCK_UNINIT
//	set TUNABLE=N ...
//	load                       loads all buddies
//	alloc [ino=12] len=N [lblk=0] [goal=G/S] [flags=(A,B)] [size=BYTES] [writers=0] [cpu=0]
//	      [left=LBLK:G/S] [right=LBLK:G/S] [indirect] [dir] [io] [steal=G/S+N]
//	      io prints bitmaps read and buddies built; steal has another CPU take a
//	      place between the search and the use of the best it found
//	free [ino=12] at=G/S+N [tid=1]
//	commit tid=N
//	discard [ino=12] [needed=0]
//	claim n=N [each] free=N[+N] promised=N[+N] [flags=(A)]
//	      promises N clusters while the counters of free and of promised clusters say so; what
//	      follows a + is in the share of CPU 0. each promises them one by one, if the cheap
//	      counters suffice for each
//	pas                        lists preallocations
//	group N                    one line of mb_groups, and the free ranges
//	counters                   what changed of the statistics since the last time
//	remount
func TestDecisions(t *testing.T) {
	datadriven.Walk(t, "testdata/decisions", func(t *testing.T, path string) {
		s := &scene{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.out.Reset()
			s.d, s.t, s.used = d, t, make(map[string]bool)
			do, ok := commands[d.Cmd]
			if !ok {
				d.Fatalf(t, "unknown command")
			}
			if s.a == nil && d.Cmd != "disk" {
				d.Fatalf(t, "no disk yet")
			}
			do(s)
			for _, a := range d.CmdArgs {
				if !s.used[a.Key] {
					d.Fatalf(t, "unknown argument %s", a.Key)
				}
			}
			return s.out.String()
		})
	})
}

var commands = map[string]func(*scene){
	"disk": (*scene).layOut, "set": (*scene).set, "load": (*scene).load, "alloc": (*scene).alloc, "free": (*scene).free,
	"commit": (*scene).commit, "discard": (*scene).discard, "claim": (*scene).claim, "pas": (*scene).listPAs, "group": (*scene).group,
	"counters": (*scene).counters, "remount": (*scene).remount,
}

// scene is one story. It observes the allocator, and is its locks.
type scene struct {
	freeLocks
	t      *testing.T
	d      *datadriven.TestData
	used   map[string]bool
	out    strings.Builder
	a      *Allocator
	inodes map[uint32]*Inode
	io     bool
	asked  Flags
	before Stats
	passes Stats
	thief  *Request

	unprivileged bool // requests are those of a process that may not take root's reserve
}

func (s *scene) say(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

// text is the value of an argument, or what it is without.
func (s *scene) text(key, without string) string {
	s.used[key] = true
	for _, a := range s.d.CmdArgs {
		if a.Key == key {
			if len(a.Vals) == 0 {
				return "yes"
			}
			return strings.Join(a.Vals, ",")
		}
	}
	return without
}

func (s *scene) has(key string) bool { return s.text(key, "") != "" }

func (s *scene) number(key string, without int) int {
	v := s.text(key, "")
	if v == "" {
		return without
	}
	return s.parse(key, v)
}

func (s *scene) parse(what, text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		s.d.Fatalf(s.t, "%s: %v", what, err)
	}
	return n
}

// log2 is the argument's log2 less bits.
func (s *scene) log2(key string, without, bits int) uint8 {
	n := s.number(key, without)
	for k := uint8(0); k < 30; k++ {
		if 1<<(int(k)+bits) == n {
			return k
		}
	}
	s.d.Fatalf(s.t, "%s=%d", key, n)
	return 0
}

// layOut is the command disk.
func (s *scene) layOut() {
	blockBits := s.log2("block", 4096, 0)
	clusterBits := uint8(0)
	if s.has("cluster") {
		clusterBits = s.log2("cluster", 4096, int(blockBits))
	}
	clusters := s.number("clusters", 8<<blockBits)
	disk := NewDisk(blockBits, clusterBits, s.log2("flex", 1, 0), uint32(clusters), allocator.GroupID(s.number("groups", 4)), uint32(s.number("last", 0)))
	disk.Geo.Stripe = uint32(s.number("stripe", 0))
	for line := range strings.Lines(s.d.Input) {
		s.layOutGroups(disk, strings.TrimSpace(line))
	}
	s.inodes = make(map[uint32]*Inode)
	s.before, s.thief = Stats{}, nil
	s.unprivileged = s.has("unprivileged")
	s.a = disk.Mount(s.t, func(cfg *Config) {
		p, err := KernelByName(s.text("profile", "5.10"))
		if err != nil {
			s.d.Fatalf(s.t, "%v", err)
		}
		cfg.Kernel, cfg.OptimizeScan = p, s.has("lists")
		cfg.Tunables = p.DefaultTunables(&cfg.Geometry, cfg.FlexFeature)
		cfg.CPUs = s.number("cpus", 1)
		cfg.ImmediateFree = s.has("nojournal")
		cfg.RootReserved = uint64(s.number("root", 0))
		if s.has("pool") {
			cfg.ReservePool = DefaultReservePool(&cfg.Geometry)
		}
		cfg.Observer = s
		if s.has("locks") || cfg.CPUs > 1 {
			cfg.Locks = s
		}
	})
}

// layOutGroups reads a line such as "group 0-2: free 5+1 0+2/8".
func (s *scene) layOutGroups(disk *Disk, line string) {
	head, what, ok := strings.Cut(strings.TrimPrefix(line, "group "), ": ")
	f := strings.Fields(what)
	if !ok || len(f) == 0 {
		s.d.Fatalf(s.t, "group line %q", line)
	}
	from, to, ok := strings.Cut(head, "-")
	if !ok {
		to = from
	}
	for id := s.parse("group", from); id <= s.parse("group", to); id++ {
		n := int(disk.Geo.ClustersIn(allocator.GroupID(id)))
		var ranges [][2]int
		for _, r := range f[1:] {
			ranges = append(ranges, s.ranges(r, n)...)
		}
		switch f[0] {
		case "uninit":
			disk.Uninit[id] = true
		case "free":
			disk.Free(allocator.GroupID(id), ranges...)
		case "used":
			if len(f) == 1 {
				ranges = [][2]int{{0, n}}
			}
			for _, r := range ranges {
				disk.Take(allocator.GroupID(id), r[0], r[1])
			}
		default:
			s.d.Fatalf(s.t, "group line %q", line)
		}
	}
}

// ranges reads "5+1", "0+2/8" (2 of every 8 up to the end n) or "0+2/8x10".
func (s *scene) ranges(text string, n int) (out [][2]int) {
	text, times, _ := strings.Cut(text, "x")
	text, step, repeated := strings.Cut(text, "/")
	from, length, _ := strings.Cut(text, "+")
	r := [2]int{s.parse("range", from), s.parse("range", length)}
	count := 1
	if repeated {
		count = n
	}
	if times != "" {
		count = s.parse("times", times)
	}
	for ; count > 0 && r[0]+r[1] <= n; count-- {
		out = append(out, r)
		if repeated {
			r[0] += s.parse("step", step)
		}
	}
	return out
}

// place reads "1/512" or "1/512+8".
func (s *scene) place(text string) (id allocator.GroupID, start, n int) {
	g, rest, _ := strings.Cut(text, "/")
	at, length, ok := strings.Cut(rest, "+")
	if ok {
		n = s.parse("length", length)
	}
	return allocator.GroupID(s.parse("group", g)), s.parse("start", at), n
}

func (s *scene) block(text string) allocator.Block {
	id, start, _ := s.place(text)
	return s.a.geo.BlockAt(id, allocator.GroupOffset(start))
}

// at writes a place.
func (s *scene) at(b allocator.Block, n uint32) string {
	id, off := s.a.geo.GroupOf(b)
	return fmt.Sprintf("%d/%d+%d", id, off, n)
}

func show(x Extent) string { return fmt.Sprintf("%d/%d+%d@%d", x.Group, x.Start, x.Len, x.Logical) }

func (s *scene) set() {
	for _, a := range s.d.CmdArgs {
		if err := s.a.kernel.SetTunable(&s.a.tunables, a.Key, uint32(s.number(a.Key, 0))); err != nil {
			s.d.Fatalf(s.t, "%v", err)
		}
	}
}

func (s *scene) load() {
	for id := range s.a.geo.Groups {
		s.a.GroupInfo(id)
	}
}

// inode is the inode an argument names, made on first use.
func (s *scene) inode() *Inode {
	n := uint32(s.number("ino", 12))
	if s.inodes[n] == nil {
		s.inodes[n] = &Inode{Number: n, Regular: true, Extents: true}
	}
	return s.inodes[n]
}

// flags reads the kernel's names of flags, without HINT_.
func (s *scene) flags() (f Flags) {
	if s.unprivileged {
		f = Unprivileged
	}
	v := s.text("flags", "")
	for _, name := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' }) {
		found := false
		for i, known := range flagNames {
			if known == name || known == "HINT_"+name {
				f |= 1 << i
				found = true
			}
		}
		if !found {
			s.d.Fatalf(s.t, "unknown flag %s", name)
		}
	}
	return f
}

// alloc is the command of that name.
func (s *scene) alloc() {
	in := s.inode()
	in.Size = int64(s.number("size", int(in.Size)))
	in.Writers = int32(s.number("writers", 0))
	in.Extents = !s.has("indirect")
	in.Regular = !s.has("dir")
	r := Request{Inode: in, Len: uint32(s.number("len", 1)), Logical: uint32(s.number("lblk", 0)), Flags: s.flags()}
	r.Goal = s.block(s.text("goal", "0/0"))
	r.Lright = r.Logical
	if v := s.text("left", ""); v != "" {
		l, p, _ := strings.Cut(v, ":")
		r.Lleft, r.Pleft = uint32(s.parse("left", l)), s.block(p)
	}
	if v := s.text("right", ""); v != "" {
		l, p, _ := strings.Cut(v, ":")
		r.Lright, r.Pright = uint32(s.parse("right", l)), s.block(p)
	}
	if v := s.text("steal", ""); v != "" {
		_, _, n := s.place(v)
		s.thief = &Request{Inode: &Inode{Number: 99, Extents: true}, Goal: s.block(v), Len: uint32(n), Flags: HintTryGoal | HintGoalOnly | DelallocReserved}
	}
	s.io = s.has("io")
	s.a.NewBlocks(s.number("cpu", 0), &r)
	s.io = false
	if s.out.Len() == 0 {
		s.say("refused: not one cluster may be promised")
	}
}

func (s *scene) free() {
	id, start, n := s.place(s.text("at", ""))
	b := s.a.geo.BlockAt(id, allocator.GroupOffset(start))
	s.a.FreeBlocks(s.number("cpu", 0), s.inode(), b, uint32(n)<<s.a.geo.ClusterBits, 0, uint64(s.number("tid", 1)))
}

func (s *scene) commit() { s.a.Committed(uint64(s.number("tid", 1))) }

func (s *scene) discard() { s.a.DiscardInode(0, s.inode(), uint32(s.number("needed", 0))) }

// claim asks ext4_claim_free_clusters.
func (s *scene) claim() {
	counter := func(key string) *allocator.PerCPUCounter {
		folded, share, _ := strings.Cut(s.text(key, "0"), "+")
		c := allocator.NewPerCPUCounter(int64(s.parse(key, folded)), s.a.cfg.CPUs)
		if share != "" {
			c.Add(0, int64(s.parse(key, share)))
		}
		return c
	}
	s.a.freeClusters, s.a.dirtyClusters = counter("free"), counter("promised")
	n, promised := int64(s.number("n", 1)), s.a.dirtyClusters.Sum()
	ok := false
	if s.has("each") {
		ok = s.a.ClaimEach(0, n)
	} else {
		ok = s.a.ClaimFree(0, n, s.flags())
	}
	if did := s.a.dirtyClusters.Sum() - promised; did != 0 && did != n || (did == n) != ok {
		s.say("%d are promised", did)
	}
	s.say("%s", map[bool]string{true: "promised", false: "not promised"}[ok])
}

func (s *scene) remount() {
	if err := s.a.Remount(); err != nil {
		s.say("%v", err)
	}
	s.before = Stats{}
}

// listPAs lists each inode's preallocations, the most recently used first, and
// each locality group's lists.
func (s *scene) listPAs() {
	for n := range uint32(100) {
		if in := s.inodes[n]; in != nil {
			for p := in.pas.head; p != nil; p = p.objNext {
				s.say("inode %d: %s@%d, %d free", n, s.at(p.pstart, uint32(p.len)), p.lstart, p.free)
			}
		}
	}
	for cpu := range s.a.lgs {
		for k := range s.a.lgs[cpu].lists {
			var list []string
			for p := s.a.lgs[cpu].lists[k].head; p != nil; p = p.objNext {
				list = append(list, s.at(p.pstart, uint32(p.len)))
			}
			if list != nil {
				s.say("CPU %d, order %d: %s", cpu, k, strings.Join(list, " "))
			}
		}
	}
}

// group is the command of that name.
func (s *scene) group() {
	if len(s.d.CmdArgs) != 1 {
		s.d.Fatalf(s.t, "one group")
	}
	key := s.d.CmdArgs[0].Key
	s.used[key] = true
	id := allocator.GroupID(s.parse("group", key))
	g := s.a.load(id)
	var ranges []string
	n := int(s.a.geo.ClustersPerGroup)
	for i := g.buddy[0].NextZero(0, n); i < n; i = g.buddy[0].NextZero(i, n) {
		end := g.buddy[0].NextSet(i, n)
		ranges = append(ranges, fmt.Sprintf("%d+%d", i, end-i))
		i = end
		if len(ranges) == 12 {
			ranges = append(ranges, "...")
			break
		}
	}
	if ranges == nil {
		ranges = []string{"none"}
	}
	s.say("%d free in %d fragments from %d on, %d on disk: %s", g.free, g.fragments, g.firstFree, g.descFree, strings.Join(ranges, " "))
	s.say("buddies by order: %v", g.counters[:s.a.orders])
}

// counters prints what changed of the statistics.
func (s *scene) counters() {
	now := s.a.Stats()
	was := s.before
	s.before = now
	for _, c := range []struct {
		name string
		n    uint64
	}{
		{"reqs", now.Requests - was.Requests}, {"success", now.Success - was.Success}, {"groups_scanned", now.GroupsScanned - was.GroupsScanned},
		{"extents_scanned", now.ExtentsScanned - was.ExtentsScanned}, {"goal_hits", now.GoalHits - was.GoalHits},
		{"2^n_hits", now.Pow2Hits - was.Pow2Hits}, {"breaks", now.Breaks - was.Breaks}, {"lost", now.Lost - was.Lost},
		{"buddies_generated", now.BuddiesGenerated - was.BuddiesGenerated}, {"preallocated", now.Preallocated - was.Preallocated},
		{"discarded", now.Discarded - was.Discarded}, {"bitmap loads", now.BitmapLoads - was.BitmapLoads},
		{"of these ahead", now.PrefetchIOs - was.PrefetchIOs}, {"discards for space", now.DiscardsForSpace - was.DiscardsForSpace},
		{"no space", now.NoSpace - was.NoSpace},
	} {
		if c.n != 0 {
			s.say("%s: %d", c.name, c.n)
		}
	}
}

// The scene observes.

func (s *scene) Request(r *Request) { s.asked, s.passes = r.Flags, s.a.Stats() }

func (s *scene) Decided(d *Decision) {
	var added string
	if f := d.Flags &^ s.asked; f != 0 {
		added = ", " + f.String()
	}
	if !d.Searched {
		kind := "inode's"
		if d.Criteria == FromGroupPA {
			kind = "locality group's"
		}
		s.say("from the %s preallocation%s", kind, added)
		return
	}
	s.say("goal %s%s", show(d.Goal), added)
	now, passes := s.a.Stats(), ""
	for cr := range now.GroupsConsidered {
		if n := now.GroupsConsidered[cr] - s.passes.GroupsConsidered[cr]; n > 0 {
			passes += fmt.Sprintf(" %s %d,", s.a.kernel.Ladder[cr].Key, n)
		}
	}
	if passes == "" {
		passes = " none, at the goal,"
	}
	s.say("groups considered:%s scanned %d, extents examined %d", passes, d.Groups, d.Found)
	if d.Result.Len > 0 {
		s.say("found %s", show(d.Result))
	}
}

func (s *scene) Allocated(r *Request, b allocator.Block) {
	if r.Len == 0 {
		s.say("no space")
		return
	}
	s.say("got %s for %d", s.at(b, r.Len), r.Logical)
}

func (s *scene) NewInodePA(inode uint32, b allocator.Block, n, logical uint32) {
	s.say("new preallocation of inode %d: %s@%d", inode, s.at(b, n), logical)
}

func (s *scene) NewGroupPA(inode uint32, b allocator.Block, n uint32) {
	s.say("new preallocation of the locality group: %s", s.at(b, n))
}

func (s *scene) ReleaseInodePA(inode uint32, b allocator.Block, n uint32) {
	s.say("a preallocation of inode %d gives back %s", inode, s.at(b, n))
}

func (s *scene) ReleaseGroupPA(b allocator.Block, n uint32) {
	s.say("a locality group's preallocation gives back %s", s.at(b, n))
}

func (s *scene) Discard(allocator.GroupID, int, int) {}

func (s *scene) DiscardForSpace(needed int) { s.say("nothing found: discard for %d", needed) }

func (s *scene) Free(_ uint32, id allocator.GroupID, start, n int) {
	s.say("freed %d/%d+%d", id, start, n)
}

func (s *scene) BitmapRead(id allocator.GroupID, ahead bool) {
	if s.io {
		s.say("read bitmap %d%s", id, map[bool]string{true: " ahead"}[ahead])
	}
}

func (s *scene) BuddyLoaded(id allocator.GroupID) {
	if s.io {
		s.say("build buddy %d", id)
	}
}

// The scene is the locks: nobody waits, but for a thief's request.

func (s *scene) LockGroup(allocator.GroupID) bool { return s.busy() }

// busy says that a CPU waited for each group lock while the command says so.
func (s *scene) busy() bool { return s.has("busy") }

func (s *scene) BeforeBest() {
	if r := s.thief; r != nil {
		s.thief = nil
		s.say("meanwhile another CPU:")
		asked, passes := s.asked, s.passes
		s.a.NewBlocks(1, r)
		s.say("back to the first:")
		s.asked, s.passes = asked, passes
	}
}
