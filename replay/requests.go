package replay

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/image"
	"mbsim/internal/crash"
	"mbsim/kerneltext/ftrace"
)

// A recording of ext4's trace events holds every request for blocks and the kernel's answer. Decide asks the
// allocator of mbsim the same, with no file system above it: it answers whether another kernel, or other
// settings, would have decided the same.
//
// Two fields of an inode decide too, and are in no event: how many have it open for writing, and i_size.
// observed (observed.go) infers them from the events.
//
// Where an answer differs, the two disks differ from then on. mbsim goes on with its own blocks: a request
// for less than the kernel gave is repeated until it has as many, what is too much is given back at once, and
// what the kernel frees or names as a goal is taken to be mbsim's block in the place of the kernel's.

// Difference is a request that mbsim answers otherwise.
type Difference struct {
	Line     int    // of the trace
	Request  string // its fields
	Kernel   string // the kernel's answer, such as "block 5 len 1" or "no space"
	Decision string // how the kernel found it, where the trace tells
	Mbsim    string
}

// maxDifferences is how many differences are kept, the first ones.
const maxDifferences = 100

// Decisions is what a replay of requests comes to.
type Decisions struct {
	Tally
	// Of the requests that differ: Elsewhere begin at another block, as long; Shorter and Longer are so.
	// NoSpace are those that only one of the two found no space for.
	Elsewhere, Shorter, Longer, NoSpace int
	Pieces                              int // further requests, where an answer was shorter
	BeforeFirst                         int // requests before the first difference
	Differences                         []Difference
	// Unknown are frees of blocks that are free already: the starting state is not the recording's.
	Unknown int
	// Again are requests for blocks that the file has already: events of truncations are missing.
	Again int
	// NoCommits says that the trace has no event of the journal: what is freed was free at once then.
	NoCommits bool
}

// decider is a recording being fed into an allocator.
type decider struct {
	a   *mballoc.Allocator
	geo allocator.Geometry
	ext bool // files have extents
	cpu int  // the highest number of a CPU

	name     string
	observed observed
	open     map[string]*pendingRequest // by task
	// moved are the kernel's blocks that mbsim has put elsewhere.
	moved map[allocator.Block]allocator.Block

	tid        uint64            // the running transaction, counted here
	committing map[string]uint64 // by the kernel's number
	commits    bool
	out        Decisions
}

// pendingRequest is a request whose answer the trace has not shown yet.
type pendingRequest struct {
	event    ftrace.Event
	decision *ftrace.Event // ext4_mballoc_alloc or ext4_mballoc_prealloc
}

// Decide replays the requests of a trace of one file system, which began as cfg's layout. name is its name in
// errors. An error of the recording or the case is
// a *CaseError.
func Decide(cfg Config, trace io.Reader, name string) (out *Decisions, err error) {
	err = crash.Guard(func() error {
		out, err = decide(cfg, trace, name)
		return err
	})
	return out, err
}

func decide(cfg Config, trace io.Reader, name string) (*Decisions, error) {
	m, err := mount(&cfg, nil)
	if err != nil {
		return nil, err
	}
	if m.Allocator == nil {
		return nil, caseErrorf("%s: %s has no allocator that ext4's events are about", name, cfg.Kernel)
	}
	d := &decider{
		a: m.Allocator, geo: cfg.Layout.Geometry(), ext: cfg.Layout.Super.Incompat&image.ExtentTree != 0,
		cpu: cfg.Case.SMP - 1, name: name,
		open: make(map[string]*pendingRequest), moved: make(map[allocator.Block]allocator.Block), tid: 1, committing: make(map[string]uint64),
	}
	d.observed = newObserved(&d.geo, d.ext)
	s := ftrace.NewScanner(trace, name)
	for s.Scan() {
		if err := d.event(s.Event()); err != nil {
			return nil, err
		}
	}
	if s.Err() != nil {
		return nil, &CaseError{s.Err()}
	}
	// Requests without an answer have found no space. They end in the order of the tasks' names.
	for _, task := range slices.Sorted(maps.Keys(d.open)) {
		if err := d.expire(task); err != nil {
			return nil, err
		}
	}
	if d.out.Total == 0 {
		return nil, caseErrorf("%s: no request for blocks is in it: want the events ext4_request_blocks and ext4_allocate_blocks", name)
	}
	d.out.NoCommits = !d.commits
	return &d.out, nil
}

// event performs one event.
func (d *decider) event(e *ftrace.Event) error {
	cpu := min(e.CPU, d.cpu)
	ino := uint32(e.Number("ino"))
	if inodes := uint64(d.geo.Groups) * uint64(d.geo.InodesPerGroup); uint64(e.Number("ino")) > inodes || ino == 0 && e.Field("ino") != "" {
		return d.errorf(e.Line, fmt.Errorf("inode %s: the file system of the case has %d", e.Field("ino"), inodes))
	}
	switch e.Name {
	case "ext4_allocate_inode":
		mode, _ := strconv.ParseUint(e.Field("mode"), 8, 32)
		d.discard(cpu, ino)
		d.observed.made(ino, filesystem.IsRegular(uint32(mode)))
		d.a.ClearBlockUninit(allocator.GroupID((ino - 1) / d.geo.InodesPerGroup))
	case "ext4_free_inode":
		d.discard(cpu, ino)
		d.observed.forget(ino)
	case "ext4_request_blocks":
		if err := d.expire(e.Task); err != nil {
			return err
		}
		d.open[e.Task] = &pendingRequest{event: *e}
	case "ext4_mballoc_alloc", "ext4_mballoc_prealloc":
		if x := d.open[e.Task]; x != nil {
			copied := *e
			x.decision = &copied
		}
	case "ext4_allocate_blocks":
		x := d.open[e.Task]
		delete(d.open, e.Task)
		if x == nil {
			return nil // the trace begins in the middle of it
		}
		return d.request(x, allocator.Block(e.Number("block")), uint32(e.Number("len")))
	case "ext4_free_blocks":
		return d.free(e, cpu, ino)
	case "ext4_discard_preallocations":
		if d.open[e.Task] == nil { // else it is the allocator's own trimming
			d.a.DiscardInode(cpu, d.observed.file(ino), uint32(e.Number("needed")))
			d.observed.got(ino).clear()
		}
	case "ext4_da_reserve_space":
		d.promise(cpu, ino, max(e.Number("reserve_blocks"), e.Number("nr_resv"), 1))
	case "ext4_da_update_reserve_space":
		d.promise(cpu, ino, -e.Number("used_blocks"))
	case "ext4_da_release_space":
		d.promise(cpu, ino, -e.Number("freed_blocks"))
	case "jbd2_start_commit":
		d.commits = true
		d.committing[e.Field("transaction")] = d.tid
		d.tid++
	case "jbd2_end_commit":
		if tid, ok := d.committing[e.Field("transaction")]; ok {
			delete(d.committing, e.Field("transaction"))
			d.a.Committed(tid)
		}
	default:
		d.observed.event(e, ino)
	}
	return nil
}

// promise counts clusters that delayed writes are promised, or are promised no more. What was promised before
// the trace began is not known, so that the count may not go below 0.
func (d *decider) promise(cpu int, ino uint32, n int64) {
	f := d.observed.get(ino)
	n = min(max(n, -f.delayed), int64(d.geo.Blocks))
	f.delayed += n
	d.a.DirtyClusters().Add(cpu, n)
}

// discard gives back what is preallocated for an inode that ends, or begins anew: the kernel has done so.
func (d *decider) discard(cpu int, ino uint32) {
	if d.observed.files[ino] != nil {
		d.a.DiscardInode(cpu, d.observed.file(ino), 0)
	}
}

// expire ends a request that found no space: a refused one has no event of its own.
func (d *decider) expire(task string) error {
	x := d.open[task]
	if x == nil {
		return nil
	}
	delete(d.open, task)
	return d.request(x, 0, 0)
}

// newRequest is a request as an event of ext4_request_blocks shows it.
func newRequest(e *ftrace.Event, f *mballoc.Inode) (r mballoc.Request, err error) {
	r = mballoc.Request{
		Inode: f, Goal: allocator.Block(e.Number("goal")), Logical: uint32(e.Number("lblk")), Len: uint32(e.Number("len")),
		Lleft: uint32(e.Number("lleft")), Lright: uint32(e.Number("lright")),
		Pleft: allocator.Block(e.Number("pleft")), Pright: allocator.Block(e.Number("pright")),
	}
	r.Flags, err = requestFlags(e)
	return r, err
}

// requestFlags reads "flags HINT_DATA|USE_RESV len 1", where none may be named.
func requestFlags(e *ftrace.Event) (flags mballoc.Flags, err error) {
	_, text, _ := strings.Cut(e.Text, "flags ")
	text, _, _ = strings.Cut(text, "len ")
	for name := range strings.SplitSeq(strings.TrimSpace(text), "|") {
		f := mballoc.Flags(1)
		for f != 0 && f.String() != name {
			f <<= 1
		}
		if f == 0 && name != "" {
			return 0, fmt.Errorf("unknown flag %q of a request for blocks", name)
		}
		flags |= f
	}
	return flags, nil
}

// freeFlags reads the flags of ext4_free_blocks.
func freeFlags(e *ftrace.Event) (flags mballoc.FreeFlags, err error) {
	for name := range strings.SplitSeq(e.Field("flags"), "|") {
		switch name {
		case "METADATA":
			flags |= mballoc.FreeMetadata
		case "FORGET":
			flags |= mballoc.FreeForget
		case "1ST_CLUSTER":
			flags |= mballoc.FreeKeepFirstCluster
		case "LAST_CLUSTER":
			flags |= mballoc.FreeKeepLastCluster
		case "VALIDATED", "NO_QUOT", "RERESERVE", "":
		default:
			err = errors.Join(err, fmt.Errorf("unknown flag %q of freed blocks", name))
		}
	}
	return flags, err
}

// errorf is an error of the recording at a line.
func (d *decider) errorf(line int, err error) error {
	return caseErrorf("%s:%d:1: %w", d.name, line, err)
}

// request asks mbsim what the kernel's allocator was asked, and compares with its answer: n blocks from b on,
// 0 for no space.
func (d *decider) request(x *pendingRequest, b allocator.Block, n uint32) error {
	e := &x.event
	f := d.observed.file(uint32(e.Number("ino")))
	r, err := newRequest(e, f)
	if err == nil {
		err = d.checkRequest(&r, b, n)
	}
	if err != nil {
		return d.errorf(e.Line, err)
	}
	d.observed.prepare(f, &r, x.decision)
	cpu := min(e.CPU, d.cpu)
	// Blocks of a file are asked for once, until a truncation gives preallocations back. Where the trace lacks
	// that, it is done here: the allocator would take a second request for damage.
	if r.Flags&mballoc.HintData != 0 {
		got := d.observed.got(f.Number)
		if got.overlap(r.Logical, r.Len) {
			d.a.DiscardInode(cpu, f, 0)
			got.clear()
			d.out.Again++
		}
		got.add(r.Logical, n)
	}
	// What the kernel's blocks around the goal are on mbsim's disk.
	r.Goal, r.Pleft, r.Pright = d.own(r.Goal), d.own(r.Pleft), d.own(r.Pright)
	first := r
	own, ok := d.a.NewBlocks(cpu, &r)
	got := r.Len
	if !ok {
		got = 0
	}
	d.compare(x, b, n, own, got)
	// mbsim's blocks take the place of the kernel's.
	done := d.take(cpu, f, b, n, own, got)
	for done < n && got > 0 {
		next := first
		next.Logical += done
		next.Len = n - done
		next.Goal = own + allocator.Block(got)
		if own, ok = d.a.NewBlocks(cpu, &next); !ok {
			break
		}
		d.out.Pieces++
		got = next.Len
		done += d.take(cpu, f, b+allocator.Block(done), n-done, own, got)
	}
	d.observed.given(f, &first, n)
	return nil
}

// checkRequest refuses what no kernel asks or answers: the starting state is of another device then, or the
// text is damaged.
func (d *decider) checkRequest(r *mballoc.Request, b allocator.Block, n uint32) error {
	const most = 1 << 32 // blocks of a file
	switch end := max(r.Goal, r.Pleft, r.Pright, b+allocator.Block(n)); {
	case r.Len == 0 || uint64(r.Logical)+uint64(r.Len) >= most:
		return fmt.Errorf("a request for %d blocks of a file from its block %d on", r.Len, r.Logical)
	case end > d.geo.Blocks || b+allocator.Block(n) < b || n > 0 && b < d.geo.FirstDataBlock:
		return fmt.Errorf("block %d: the device of the case has %d blocks", end, d.geo.Blocks)
	case r.Pleft > 0 && r.Lleft >= r.Logical, r.Pright > 0 && r.Lright <= r.Logical:
		return fmt.Errorf("a request from block %d of a file on, with neighbours at its blocks %d and %d", r.Logical, r.Lleft, r.Lright)
	case n > r.Len:
		return fmt.Errorf("the answer has %d blocks, and the request asks for %d", n, r.Len)
	}
	return nil
}

// take lets own blocks stand for the kernel's, gives back what is too much, and returns how many of the
// kernel's n blocks it has.
func (d *decider) take(cpu int, f *mballoc.Inode, b allocator.Block, n uint32, own allocator.Block, got uint32) uint32 {
	use := min(n, got)
	for i := range allocator.Block(use) {
		if b+i != own+i {
			d.moved[b+i] = own + i
		} else {
			delete(d.moved, b+i)
		}
	}
	// Only whole clusters can be given back, and none that lie in a preallocation, which has its own count of
	// them.
	if keep := d.clusters(use); got > keep {
		d.a.DiscardInode(cpu, f, 0)
		d.a.FreeBlocks(cpu, f, own+allocator.Block(keep), got-keep, 0, d.tid)
	}
	return use
}

// clusters rounds a number of blocks up to whole clusters.
func (d *decider) clusters(n uint32) uint32 {
	ratio := uint32(d.geo.ClusterRatio())
	return (n + ratio - 1) / ratio * ratio
}

// own is mbsim's block in the place of the kernel's.
func (d *decider) own(b allocator.Block) allocator.Block {
	if o, ok := d.moved[b]; ok {
		return o
	}
	return b
}

func answerText(b uint64, n int64) string {
	if n == 0 {
		return "no space"
	}
	return fmt.Sprintf("block %d len %d", b, n)
}

// compare counts an answer, and keeps the first ones that differ.
func (d *decider) compare(x *pendingRequest, b allocator.Block, n uint32, own allocator.Block, got uint32) {
	same := n == got && (n == 0 || b == own)
	d.out.count(same)
	if same {
		if len(d.out.Differences) == 0 {
			d.out.BeforeFirst++
		}
		return
	}
	switch {
	case n == 0 || got == 0:
		d.out.NoSpace++
	case got < n:
		d.out.Shorter++
	case got > n:
		d.out.Longer++
	default:
		d.out.Elsewhere++
	}
	if len(d.out.Differences) < maxDifferences {
		diff := Difference{Line: x.event.Line, Request: x.event.Text, Kernel: answerText(uint64(b), int64(n)), Mbsim: answerText(uint64(own), int64(got))}
		if x.decision != nil {
			diff.Decision = explain(x.decision)
		}
		d.out.Differences = append(d.out.Differences, diff)
	}
}

// free frees what the kernel freed, run by run of mbsim's blocks. What is free already was not there when the
// recording began: it is counted and left alone, as the allocator takes a second free for damage.
func (d *decider) free(e *ftrace.Event, cpu int, ino uint32) error {
	flags, err := freeFlags(e)
	if err != nil {
		return d.errorf(e.Line, err)
	}
	// Before a file's own blocks are freed the kernel gives its preallocations back. Where the trace does not
	// show that, it is done here.
	f := d.observed.file(ino)
	if flags&mballoc.FreeMetadata == 0 {
		d.a.DiscardInode(cpu, f, 0)
		d.observed.got(ino).clear()
	}
	b, n := allocator.Block(e.Number("block")), allocator.Block(e.Number("count"))
	if b+n > d.geo.Blocks || b+n < b {
		d.out.Unknown++
		return nil
	}
	for n > 0 {
		own := d.own(b)
		run := allocator.Block(1)
		for run < n && d.own(b+run) == own+run {
			run++
		}
		for i := range run {
			delete(d.moved, b+i)
		}
		// The clusters at both ends are kept at the ends of the whole range alone.
		now := flags
		if run < n {
			now &^= mballoc.FreeKeepLastCluster
		}
		flags &^= mballoc.FreeKeepFirstCluster
		if d.used(own, run, now) {
			d.a.FreeBlocks(cpu, f, own, uint32(run), now, d.tid)
		} else {
			d.out.Unknown++
		}
		b, n = b+run, n-run
	}
	// Without events of the journal nothing tells when freed blocks can be allocated again.
	if !d.commits {
		d.a.Committed(d.tid)
		d.tid++
	}
	return nil
}

// used says whether all clusters that a free of n blocks from b on would free are in use on disk.
func (d *decider) used(b, n allocator.Block, flags mballoc.FreeFlags) bool {
	// A cluster of which only a part is freed counts unless it is kept.
	ratio := allocator.Block(d.geo.ClusterRatio())
	end := b + n
	if flags&mballoc.FreeKeepFirstCluster != 0 {
		b += ratio - 1
	}
	if flags&mballoc.FreeKeepLastCluster == 0 {
		end += ratio - 1
	}
	for i := b &^ (ratio - 1); i+ratio <= end; i += ratio {
		if i < d.geo.FirstDataBlock {
			return false
		}
		id, off := d.geo.GroupOf(i)
		if bits := d.a.BitmapOf(id); bits[off/64]>>(off%64)&1 == 0 {
			return false
		}
	}
	return true
}
