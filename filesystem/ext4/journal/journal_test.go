package journal

import (
	"fmt"
	"iter"
	"slices"
	"testing"

	"mbsim/filesystem"
)

// TestWithoutHost: transactions follow each other, and tell in order what becomes of them.
func TestWithoutHost(t *testing.T) {
	var log []string
	say := func(what string) func(uint64) {
		return func(tid uint64) { log = append(log, fmt.Sprint(what, " ", tid)) }
	}
	now := int64(7)
	var j *Journal
	j = New(Config{
		Clock: func() int64 { return now }, Began: func() { say("began")(j.Current()) },
		Closed: say("closed"), Written: say("written"),
	})
	// Nothing runs yet.
	j.Commit()
	if j.Running() || j.Runs(1) || j.BeganBy(100) || j.Current() != 1 {
		t.Errorf("a transaction runs in a new journal: %+v", j)
	}
	// Changes join the transaction that the first of them begins.
	j.Start()
	j.Start()
	j.Note(InodeTable, 3)
	if !j.Running() || !j.Runs(1) || j.Runs(2) || !j.BeganBy(7) || j.BeganBy(6) {
		t.Errorf("transaction 1 began at 7: %+v", j)
	}
	j.Commit()
	j.Commit()
	j.Await(1)
	now = 9
	j.Start()
	if j.Runs(1) || !j.Runs(2) || j.BeganBy(8) {
		t.Errorf("transaction 2 began at 9: %+v", j)
	}
	// A transaction in which nothing has changed is not committed at the unmount.
	j.Unmount()
	j.Commit()
	if j.Running() || j.Current() != 2 {
		t.Errorf("after unmount: %+v", j)
	}
	want := []string{"began 1", "closed 1", "written 1", "began 2"}
	if !slices.Equal(log, want) {
		t.Errorf("%q, want %q", log, want)
	}
}

// TestNone: a nil journal has no transactions.
func TestNone(t *testing.T) {
	var j *Journal
	j.Start()
	j.Note(BlockBitmap, 1)
	j.Commit()
	j.Await(1)
	j.Unmount()
	if j.Running() || j.Runs(0) || j.BeganBy(1) || j.Current() != 0 {
		t.Error("a file system without a journal has a transaction")
	}
}

// host runs processes in turn: each goes on until it waits in a method of Host.
type host struct {
	log    []string
	yield  func(struct{}) bool // of the process that runs
	number int                 // of the process that runs
}

func (h *host) say(format string, args ...any) {
	h.log = append(h.log, fmt.Sprintf("%d: ", h.number)+fmt.Sprintf(format, args...))
}

func (h *host) pause() {
	number, yield := h.number, h.yield
	yield(struct{}{})
	h.number, h.yield = number, yield
}

func (h *host) Commit(blocks int) { h.say("writes %d blocks", blocks); h.pause() }
func (h *host) AwaitCommit()      { h.say("waits"); h.pause() }
func (h *host) CommitEnded()      { h.say("ended") }

// process makes a process that can be let run until it waits the next time.
func (h *host) process(number int, work func()) (run func() bool, stop func()) {
	next, stop := iter.Pull(func(yield func(struct{}) bool) {
		h.number, h.yield = number, yield
		work()
	})
	return func() bool { _, more := next(); return more }, stop
}

// TestWaits: while one transaction is written the next may run, and who commits that one waits;
// who has waited while another process committed it waits for that end only.
func TestWaits(t *testing.T) {
	var h host
	j := New(Config{
		Host:    &h,
		Closed:  func(tid uint64) { h.say("closed %d", tid) },
		Written: func(tid uint64) { h.say("written %d", tid) },
	})
	change := func(blocks ...uint64) {
		j.Start()
		for _, b := range blocks {
			j.Note(MappingBlock, b)
		}
	}
	first, stop1 := h.process(1, func() { change(1, 2, 2); j.Commit() })
	second, stop2 := h.process(2, func() { change(5); j.Commit(); h.say("done") })
	third, stop3 := h.process(3, func() { j.Commit(); h.say("done") })
	fsync, stop4 := h.process(4, func() { j.Await(1); h.say("done") })
	defer func() { stop1(); stop2(); stop3(); stop4() }()
	// Process 1 commits, and takes its time. Meanwhile 2 and 3 want the next commit, and 4
	// awaits this one.
	steps := []struct {
		run  func() bool
		more bool
	}{
		{first, true}, {second, true}, {third, true}, {fsync, true},
		{first, false}, {fsync, false},
		// Process 2 commits transaction 2 itself, and 3 waits for that.
		{second, true}, {third, true}, {second, false}, {third, false},
	}
	for i, s := range steps {
		if more := s.run(); more != s.more {
			t.Fatalf("step %d: goes on %t, want %t: %q", i, more, s.more, h.log)
		}
	}
	want := []string{
		"1: closed 1", "1: writes 2 blocks", "2: waits", "3: waits", "4: waits", "1: written 1", "1: ended", "4: done",
		"2: closed 2", "2: writes 1 blocks", "3: waits", "2: written 2", "2: ended", "2: done", "3: done",
	}
	if !slices.Equal(h.log, want) {
		t.Errorf("%q\nwant %q", h.log, want)
	}
}

// TestTouched: a group and each of its bitmaps count once a transaction, from when it is closed on.
func TestTouched(t *testing.T) {
	j := New(Config{})
	j.Start()
	j.TouchBlocks(0)
	j.TouchBlocks(0)
	j.TouchInodes(0)
	j.TouchInodes(70000) // on a page far behind
	if got := j.Transactions(); got != (filesystem.Transactions{}) {
		t.Errorf("a transaction that runs is counted: %+v", got)
	}
	j.Commit()
	want := filesystem.Transactions{Commits: 1, Groups: 2, BlockBitmaps: 1, InodeBitmaps: 2}
	if got := j.Transactions(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	// The next transaction counts the same group anew, and what is touched again needs no memory.
	j.Start()
	if n := testing.AllocsPerRun(100, func() { j.TouchBlocks(0); j.TouchInodes(70000) }); n != 0 {
		t.Errorf("%v allocations to touch a group", n)
	}
	j.Commit()
	want.Add(&filesystem.Transactions{Commits: 1, Groups: 2, BlockBitmaps: 1, InodeBitmaps: 1})
	if got := j.Transactions(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	// Without a journal there is nothing to count.
	var none *Journal
	none.TouchBlocks(1)
	none.TouchInodes(1)
	if got := none.Transactions(); got != (filesystem.Transactions{}) {
		t.Errorf("without a journal: %+v", got)
	}
}
