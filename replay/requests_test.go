package replay

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/image"
	"mbsim/filesystem/play"
	"mbsim/kerneltext/ftrace"
	"mbsim/workload"
)

// TestRequestStreams feeds what a real kernel asked its allocator for into
// mballoc alone, with no file system above it: every request must get the same
// block and length.
//
// From the trace come the requests with all their fields and the CPU they were
// made on, the frees, the preallocations that are discarded when files are closed
// or truncated, the commits, and the clusters promised to delayed writes.
//
// Inferred from the script, because a trace does not show it, are two fields of
// the inode: how many have it open for writing (creat and open less close, until
// the operation ends), and i_size:
//   - it grows by what a write returned, when it returns;
//   - but page by page for requests while a buffered write goes on: those that the
//     write makes itself come before their page counts, and those of writeback
//     after as many pages as clusters were promised;
//   - and chunk by chunk for those of a fallocate;
//   - truncation sets it at once.
//
// Which inode number a path has follows from the first ext4_allocate_inode event
// of the creat or mkdir.
//
// testdata/requests holds the events this takes, of some cases, of the traces that
// TestRequestStreamsOfTheOracle reads as a whole.
func TestRequestStreams(t *testing.T) {
	traces, err := filepath.Glob("testdata/requests/*.txt.gz")
	if err != nil || len(traces) != 11 {
		t.Fatalf("%d traces, %v", len(traces), err)
	}
	for _, name := range traces {
		name = strings.TrimSuffix(name, ".gz")
		dir := filepath.Join("testdata", strings.TrimSuffix(filepath.Base(name), ".txt"))
		t.Run(filepath.Base(dir), func(t *testing.T) {
			if n := replayRequests(t, dir, name); n.Total < 100 || !n.whole() {
				t.Errorf("%v requests have the kernel's answer", n)
			}
		})
	}
}

// TestRequestStreamsOfTheOracle does the same with all recordings, where they are
// at hand. A request that differs ends its case, as the two disks differ from then
// on; those that follow it count as different.
func TestRequestStreamsOfTheOracle(t *testing.T) {
	dirs, _ := filepath.Glob("../../shared/oracle/cases/*/5.10")
	if len(dirs) == 0 {
		t.Skip("the recordings are not here")
	}
	if testing.Short() {
		t.Skip("long traces")
	}
	var all Tally
	for _, d := range dirs {
		dir := filepath.Dir(d)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			n := replayRequests(t, dir, filepath.Join(d, "trace.txt"))
			all.Same += n.Same
			all.Total += n.Total
		})
	}
	t.Logf("%v requests have the kernel's answer", all)
	if all.Total < 10000 || all.Same*100 < all.Total*99 {
		t.Errorf("%v requests have the kernel's answer, want 99%%", all)
	}
}

// stream is a recording being fed into an allocator.
type stream struct {
	t   testing.TB
	a   *mballoc.Allocator
	geo allocator.Geometry
	ext bool // files have extents

	ops    map[int]workload.Op // by line of the script
	rets   map[int]int64       // what they returned
	files  map[uint32]*mballoc.Inode
	paths  map[string]uint32 // inodes
	fds    map[string]uint32 // inodes
	direct map[string]bool   // descriptors opened for direct IO

	op       workload.Op // under way
	path     string      // that op makes, until its inode is known
	before   int64       // i_size of op's file when op began
	promised int64       // clusters promised to op's file since

	tid        uint64            // the running transaction, counted here
	committing map[string]uint64 // by the kernel's number
	open       map[string]*streamRequest
	tally      Tally
}

// streamRequest is a request on its way, and what the simulator answered.
type streamRequest struct {
	text   string
	r      mballoc.Request
	answer string
}

// replayRequests feeds a trace of the case in dir and counts the answers.
func replayRequests(t testing.TB, dir, trace string) Tally {
	c, err := workload.ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ReadLayout(filepath.Join(dir, "5.10"))
	if err != nil {
		t.Fatal(err)
	}
	events, err := readText(trace)
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{
		t: t, geo: l.Geometry(), ext: l.Super.Incompat&image.ExtentTree != 0, tid: 1,
		ops: make(map[int]workload.Op), rets: make(map[int]int64),
		files: make(map[uint32]*mballoc.Inode), paths: make(map[string]uint32),
		fds: make(map[string]uint32), direct: make(map[string]bool),
		committing: make(map[string]uint64), open: make(map[string]*streamRequest),
	}
	s.readScript(c, filepath.Join(dir, "5.10", "results.txt"))
	s.mount(c, l)
	s.feed(events)
	return s.tally
}

// readScript reads what each operation was and returned.
func (s *stream) readScript(c *workload.Case, name string) {
	text, err := readText(name)
	if err != nil {
		s.t.Fatal(err)
	}
	_, results, err := play.ReadResults(bytes.NewReader(text), name)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, op := range c.Ops {
		s.ops[op.Line] = op
	}
	for _, r := range results {
		s.rets[r.Line] = r.Ret
	}
}

// mount starts an allocator on the layout, as filesystem/ext4 does.
func (s *stream) mount(c *workload.Case, l *image.Layout) {
	opt := ext4.DefaultOptions(l.Super.BlockSize())
	if err := opt.Parse(c.Mount); err != nil {
		s.t.Fatal(err)
	}
	flex := l.Super.Incompat&image.FlexBG != 0
	tunables := mballoc.Linux5_10.DefaultTunables(&s.geo, flex)
	for _, u := range c.Tunables {
		n, err := strconv.ParseUint(u.Value, 0, 32)
		if err != nil {
			s.t.Fatal(err)
		}
		if err := mballoc.Linux5_10.SetTunable(&tunables, u.Name, uint32(n)); err != nil {
			s.t.Fatal(err)
		}
	}
	pool := uint64(0)
	if s.ext {
		pool = mballoc.DefaultReservePool(&s.geo)
	}
	a, err := mballoc.New(mballoc.Config{
		Geometry: s.geo, Source: l, Kernel: mballoc.Linux5_10, Tunables: tunables, CPUs: c.SMP, FlexFeature: flex,
		GroupChecksums: l.Super.ROCompat&(image.MetadataCsum|image.UninitBG) != 0,
		RootReserved:   uint64(l.Super.ReservedBlocks) >> s.geo.ClusterBits,
		ReservePool:    pool,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.a = a
}

// feed goes through the events, to the first request that differs.
func (s *stream) feed(events []byte) {
	sc := ftrace.NewScanner(bytes.NewReader(events), "trace")
	for sc.Scan() {
		e := sc.Event()
		if s.tally.whole() {
			s.event(e, e.CPU)
		} else if e.Name == "ext4_allocate_blocks" {
			s.tally.Total++
		}
	}
	if err := sc.Err(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stream) event(e *ftrace.Event, cpu int) {
	ino := uint32(e.Number("ino"))
	switch e.Name {
	case "tracing_mark_write":
		if rest, ok := strings.CutPrefix(e.Text, "line "); ok {
			number, _, _ := strings.Cut(rest, " ")
			n, _ := strconv.Atoi(number) // the guest's own marks
			s.endOp()
			s.beginOp(s.ops[n])
		}
	case "ext4_allocate_inode":
		s.newInode(e, ino)
	case "ext4_request_blocks":
		s.request(e, cpu, ino)
	case "ext4_allocate_blocks":
		s.answer(e)
	case "ext4_free_blocks":
		s.freeBlocks(e, cpu, ino)
	case "ext4_discard_preallocations":
		if s.open[e.Task] == nil { // else the allocator's own trimming
			s.a.DiscardInode(cpu, s.file(ino), uint32(e.Number("needed")))
		}
	case "ext4_da_reserve_space":
		s.a.DirtyClusters().Add(cpu, 1)
		if ino == s.fds[s.op.FD] {
			s.promised++
		}
	case "ext4_da_update_reserve_space":
		s.a.DirtyClusters().Add(cpu, -e.Number("used_blocks"))
	case "ext4_da_release_space":
		s.a.DirtyClusters().Add(cpu, -e.Number("freed_blocks"))
	case "jbd2_start_commit":
		s.committing[e.Field("transaction")] = s.tid
		s.tid++
	case "jbd2_end_commit":
		s.a.Committed(s.committing[e.Field("transaction")])
	}
}

// file is the file with this inode number; directories are made when first met.
func (s *stream) file(ino uint32) *mballoc.Inode {
	f := s.files[ino]
	if f == nil {
		f = &mballoc.Inode{Number: ino, Extents: s.ext}
		s.files[ino] = f
	}
	return f
}

// newInode is a creat or mkdir that gets its inode. Its group is no longer
// uninitialized.
func (s *stream) newInode(e *ftrace.Event, ino uint32) {
	mode, _ := strconv.ParseUint(e.Field("mode"), 8, 32)
	delete(s.files, ino)
	s.file(ino).Regular = filesystem.IsRegular(uint32(mode))
	if s.path != "" {
		s.paths[s.path] = ino
		s.path = ""
	}
	s.a.ClearBlockUninit(allocator.GroupID((ino - 1) / s.geo.InodesPerGroup))
}

// beginOp is what an operation does at once.
func (s *stream) beginOp(op workload.Op) {
	s.op, s.promised = op, 0
	f := s.files[s.fds[op.FD]]
	switch op.Kind {
	case workload.Mkdir, workload.Creat:
		s.path = op.Path
		if f := s.files[s.paths[op.Path]]; f != nil {
			s.path = ""
			f.Size = 0 // it exists: creat truncates
		}
	case workload.Ftruncate:
		f.Size = op.Len
	case workload.Unlink:
		delete(s.paths, op.Path)
	case workload.Stat: // mb_groups loads every buddy
		for id := range s.geo.Groups {
			s.a.GroupInfo(id)
		}
	}
	if f != nil {
		s.before = f.Size
	}
}

// endOp is what an operation has done when the next begins.
func (s *stream) endOp() {
	op, ret := s.op, s.rets[s.op.Line]
	s.op = workload.Op{}
	f := s.files[s.fds[op.FD]]
	switch op.Kind {
	case workload.Creat, workload.Open:
		if ret >= 0 {
			s.fds[op.FD] = s.paths[op.Path]
			s.direct[op.FD] = op.Direct
			s.files[s.paths[op.Path]].Writers++
		}
	case workload.Write:
		f.Size = max(s.before, f.Size, op.Off+max(ret, 0))
	case workload.Fallocate:
		if op.Mode&keepSize == 0 && ret >= 0 {
			f.Size = max(s.before, op.Off+op.Len)
		}
	case workload.Close:
		f.Writers--
		delete(s.fds, op.FD)
	case workload.Remount:
		s.remount()
	}
}

// keepSize is FALLOC_FL_KEEP_SIZE.
const keepSize = 1

func (s *stream) remount() {
	for _, f := range s.files {
		s.a.DiscardInode(0, f, 0)
	}
	if err := s.a.Remount(); err != nil {
		s.t.Fatal(err)
	}
}

// sizeDuring is i_size as a request of the operation's own file sees it.
func (s *stream) sizeDuring(f *mballoc.Inode, r *mballoc.Request) int64 {
	if r.Inode.Number != s.fds[s.op.FD] {
		return f.Size
	}
	const page = 4096
	at := int64(r.Logical) << s.geo.BlockBits
	switch {
	case s.op.Kind == workload.Write && r.Flags&mballoc.DelallocReserved != 0:
		at = s.op.Off&^(s.geo.BlockSize()-1) + s.promised<<s.geo.ClusterBits<<s.geo.BlockBits
		if at >= s.op.Off+s.op.Len {
			return max(s.before, s.op.Off+s.op.Len)
		}
		return max(s.before, at/page*page)
	case s.op.Kind == workload.Write && !s.direct[s.op.FD]:
		return max(s.before, at/page*page)
	case s.op.Kind == workload.Fallocate && s.op.Mode&keepSize == 0:
		if at <= s.op.Off {
			return s.before
		}
		return max(s.before, at)
	}
	return f.Size
}

// request asks the simulator what the kernel's allocator was asked. A request
// that is refused before it reaches the allocator has no answer in the trace.
func (s *stream) request(e *ftrace.Event, cpu int, ino uint32) {
	if x := s.open[e.Task]; x != nil {
		s.compare(x, "no space")
	}
	f := s.file(ino)
	x := &streamRequest{text: fmt.Sprintf("line %d (%s): %s", s.op.Line, workload.FormatOp(s.op), e.Text)}
	var err error
	if x.r, err = newRequest(e, f); err != nil {
		s.t.Fatalf("%s: %v", e.Text, err)
	}
	size := f.Size
	f.Size = s.sizeDuring(f, &x.r)
	b, ok := s.a.NewBlocks(cpu, &x.r)
	f.Size = size
	x.answer = answerText(uint64(b), int64(x.r.Len))
	if !ok {
		x.answer = answerText(0, 0)
	}
	s.open[e.Task] = x
}

// answer is the kernel's.
func (s *stream) answer(e *ftrace.Event) {
	x := s.open[e.Task]
	if x == nil {
		s.t.Fatalf("answer without a request: %s", e.Text)
	}
	delete(s.open, e.Task)
	s.compare(x, answerText(uint64(e.Number("block")), e.Number("len")))
}

// compare counts, and names a difference.
func (s *stream) compare(x *streamRequest, want string) {
	s.tally.count(x.answer == want)
	if x.answer != want {
		s.t.Logf("%s\n    kernel: %s\n    mbsim:  %s", x.text, want, x.answer)
	}
}

// freeBlocks frees what the kernel freed.
func (s *stream) freeBlocks(e *ftrace.Event, cpu int, ino uint32) {
	flags, err := freeFlags(e)
	if err != nil {
		s.t.Fatalf("%s: %v", e.Text, err)
	}
	s.a.FreeBlocks(cpu, s.file(ino), allocator.Block(e.Number("block")), uint32(e.Number("count")), flags, s.tid)
}
