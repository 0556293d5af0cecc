package ext4

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/play"
	"mbsim/workload"
)

// TestDecisions asks single rules of ext4 for a decision, with the numbers that the rule
// weighs given. Each story in testdata/decisions says in words which rule of the kernel it
// stands for (those for placing inodes are in package placement).
//
// What a write does where space is short:
//
//	write free=N promised=N [cpus=1]
//	     whether a write promises or allocates at once, and whether it starts writeback
//	promise free=N [promised=N] [uid=N] [groups=(N,...)] [resuid=N] [resgid=N] [pool=N]
//	     whether a write of one cluster may promise it, by a process of root's or of a user, who
//	     may be named by mount options; pool is the tunable reserved_clusters
//
// When the flusher writes what, on a device of 64 MiB in blocks of 4K:
//
//	device [chunk=PAGES] [limit=BLOCKS] [cpus=1]
//	at SECONDS             sets the clock
//	do                     performs the operations of the input; prints those that fail
//	old before=SECONDS     what the flusher writes that was dirty by then
//	background keep=N      what it writes until no more than N blocks are dirty
//	commit before=SECONDS  whether the transaction that runs is committed if it began by then
//	dirty                  lists the dirty blocks of each file
//
// And what follows where no space was found, on the same device:
//
//	retry after=N [free=N]
//	     whether the operation is tried again that has been tried N times more already; free
//	     is what the counter of free clusters says, the truth without
//
// Or what a change of a later kernel does otherwise than 5.10: see scene.change.
func TestDecisions(t *testing.T) {
	datadriven.Walk(t, "testdata/decisions", func(t *testing.T, path string) {
		s := &scene{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t, s.d, s.used = t, d, make(map[string]bool)
			s.out.Reset()
			ask, ok := questions[d.Cmd]
			if !ok {
				d.Fatalf(t, "unknown command")
			}
			if s.fs == nil && d.Cmd != "device" && d.Cmd != "write" && d.Cmd != "promise" && d.Cmd != "change" {
				d.Fatalf(t, "no device yet")
			}
			ask(s)
			for _, a := range d.CmdArgs {
				if !s.used[a.Key] {
					d.Fatalf(t, "unknown argument %s", a.Key)
				}
			}
			return s.out.String()
		})
	})
}

var questions = map[string]func(*scene){
	"write": (*scene).write, "promise": (*scene).promise,
	"device": (*scene).device, "at": (*scene).at, "do": (*scene).do, "old": (*scene).old, "background": (*scene).background,
	"commit": (*scene).commit, "dirty": (*scene).dirty, "retry": (*scene).retry, "change": (*scene).change,
}

// scene is the state of one file of decisions.
type scene struct {
	t    *testing.T
	d    *datadriven.TestData
	used map[string]bool
	out  strings.Builder
	fs   *FS
	play *play.Player
	log  eventLog
	now  int64
}

func (s *scene) say(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

// text is the value of an argument, or what it is without.
func (s *scene) text(key, without string) string {
	s.used[key] = true
	for _, a := range s.d.CmdArgs {
		if a.Key == key {
			return strings.Join(a.Vals, ",")
		}
	}
	return without
}

func (s *scene) number(key string, without int64) int64 {
	v := s.text(key, "")
	if v == "" {
		return without
	}
	return s.parse(key, v)
}

func (s *scene) parse(what, text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		s.d.Fatalf(s.t, "%s: %v", what, err)
	}
	return n
}

// write asks ext4_nonda_switch, while a block of another file is dirty.
func (s *scene) write() {
	cpus := int(s.number("cpus", 1))
	fs, p := s.mount(script{size: 64 << 20, mkfs: "-b 4096", cpus: cpus})
	s.perform(p, "creat x other", "write x 0 4096")
	*fs.alloc.FreeClusters() = *allocator.NewPerCPUCounter(s.number("free", 0), cpus)
	*fs.alloc.DirtyClusters() = *allocator.NewPerCPUCounter(s.number("promised", 0), cpus)
	does := "promises"
	if fs.shortOfSpace(&task{}, nil) {
		does = "allocates at once"
	}
	if fs.dirtyBlocks == 0 {
		does += ", starts writeback"
	}
	s.say("%s", does)
}

// promise is the command of that name.
func (s *scene) promise() {
	c := script{size: 64 << 20, mkfs: "-b 4096 -m 10", cpus: 1}
	for _, name := range []string{"resuid", "resgid"} {
		if v := s.text(name, ""); v != "" {
			c.mount += "," + name + "=" + v
		}
	}
	if v := s.text("pool", ""); v != "" {
		c.tunables = map[string]uint32{reservedClusters: uint32(s.parse("pool", v))}
	}
	fs, _ := s.mount(c)
	*fs.alloc.FreeClusters() = *allocator.NewPerCPUCounter(s.number("free", 0), 1)
	*fs.alloc.DirtyClusters() = *allocator.NewPerCPUCounter(s.number("promised", 0), 1)
	var by task
	if v := s.text("uid", ""); v != "" {
		by.User = &filesystem.User{UID: uint32(s.parse("uid", v))}
		for g := range strings.FieldsFuncSeq(s.text("groups", ""), func(r rune) bool { return r == ',' }) {
			by.User.Groups = append(by.User.Groups, uint32(s.parse("groups", g)))
		}
	}
	in := &inode{}
	s.say("%s", map[errno]string{0: "promised", filesystem.ENOSPC: "no space"}[fs.reserveCluster(&by, in)])
}

// device mounts a device whose clock stands still.
func (s *scene) device() {
	s.now = 0
	c := script{size: 64 << 20, mkfs: "-b 4096", cpus: int(s.number("cpus", 1)), chunk: uint32(s.number("chunk", 0))}
	s.fs, s.play = s.mount(c)
}

func (s *scene) mount(c script) (*FS, *play.Player) {
	s.log = eventLog{}
	fs, err := c.mountWith(func(opt *Options, _ int64) {
		opt.Observer, opt.Blocks = &s.log, &s.log
		opt.DirtyBackground = s.number("limit", 0)
		opt.Clock = func() int64 { return s.now }
	})
	if err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
	return fs, &play.Player{FS: fs, CPUs: c.cpus}
}

// at is the command of that name. Times are in seconds, with as many decimals as they need.
func (s *scene) at() {
	if len(s.d.CmdArgs) != 1 {
		s.d.Fatalf(s.t, "at SECONDS")
	}
	s.used[s.d.CmdArgs[0].Key] = true
	s.now = s.seconds(s.d.CmdArgs[0].Key)
}

// seconds reads a time, which comes to ns.
func (s *scene) seconds(text string) int64 {
	whole, part, _ := strings.Cut(text, ".")
	return s.parse("time", whole)*1e9 + s.parse("time", (part + "000000000")[:9])
}

func (s *scene) do() {
	s.log.lines = nil
	s.perform(s.play, strings.Split(s.d.Input, "\n")...)
	s.sayWrites()
}

// perform performs operations.
func (s *scene) perform(p *play.Player, lines ...string) {
	for _, line := range lines {
		ops, err := workload.ParseScript(strings.NewReader(line), "decisions")
		if err != nil {
			s.d.Fatalf(s.t, "%v", err)
		}
		for i := range ops {
			ret, err := p.Do(&ops[i])
			if err != nil {
				s.d.Fatalf(s.t, "%q: %v", line, err)
			}
			if ret < 0 {
				s.say("%s: %d", line, ret)
			}
		}
	}
}

// sayWrites tells what was written back, committed and given back since the log was emptied.
func (s *scene) sayWrites() {
	for _, line := range s.log.lines {
		if strings.HasPrefix(line, "writeback") || strings.HasPrefix(line, "commit") || strings.Contains(line, "gives back") {
			s.say("%s", line)
		}
	}
	if s.out.Len() == 0 {
		s.say("nothing")
	}
}

func (s *scene) old() {
	s.log.lines = nil
	s.fs.WritebackOld(&s.play.Task, s.seconds(s.text("before", "0")))
	s.sayWrites()
	s.recount()
}

func (s *scene) background() {
	s.log.lines = nil
	s.fs.WritebackBackground(&s.play.Task, s.number("keep", 0))
	s.sayWrites()
	s.recount()
}

func (s *scene) commit() {
	s.log.lines = nil
	s.fs.CommitOld(&s.play.Task, s.seconds(s.text("before", "0")))
	s.sayWrites()
	s.recount()
}

// retry asks ext4_should_retry_alloc.
func (s *scene) retry() {
	s.log.lines = nil
	free := s.fs.alloc.FreeClusters()
	truth := *free
	*free = *allocator.NewPerCPUCounter(s.number("free", truth.Sum()), s.fs.opt.CPUs)
	retries, verdict := int(s.number("after", 0)), "gives up"
	if s.fs.shouldRetry(&s.play.Task, &retries) {
		verdict = "tries again"
	}
	*free = truth
	if s.log.lines != nil {
		s.sayWrites()
	}
	s.say("%s", verdict)
}

// recount checks the whole file system.
func (s *scene) recount() {
	if err := s.fs.Check(); err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
}

// dirty lists the dirty blocks, in the order in which the flusher meets the files.
func (s *scene) dirty() {
	for in := range s.fs.dirty.all() {
		if in.Regular {
			s.say("inode %d: %s", in.Number, in.fileMap().cache.String())
		}
	}
	s.say("%d in all", s.fs.DirtyBlocks())
}
