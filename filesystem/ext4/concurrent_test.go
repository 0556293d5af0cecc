package ext4

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/blockcache"
	"mbsim/filesystem/play"
	"mbsim/machine/cost"
	"mbsim/machine/device"
	"mbsim/machine/smp"
	"mbsim/sim"
	"mbsim/workload"
)

var (
	raceSeed = flag.Uint64("race.seed", 1, "the first seed of TestConcurrent")
	raceRuns = flag.Int("race.n", 200, "how many seeds TestConcurrent takes, a quarter under -short")
)

// TestConcurrent lets several processes perform anything in any order at once, on a
// small device that is soon full: they wait for locks and IO in the midst of their
// operations, and others go on. Whenever all have come to the end of a round nobody is
// inside an operation, and everything must add up. A failure is cut down to the
// processes and operations it takes. Run one seed again with
// go test -run TestConcurrent ./filesystem/ext4 -race.seed N -race.n 1.
func TestConcurrent(t *testing.T) {
	n := *raceRuns
	if testing.Short() {
		n /= 4
	}
	ran, failed := 0, 0
	for i := range uint64(n) {
		c := randomRace(*raceSeed + i)
		err := c.run()
		if err == errNoDevice {
			continue
		}
		ran++
		if err != nil {
			t.Logf("seed %d: %v", *raceSeed+i, err)
			t.Errorf("seed %d: %v", *raceSeed+i, c.minimize())
			if failed++; failed == 3 {
				break
			}
		}
	}
	t.Logf("%d cases", ran)
}

// race is a case with several processes. They perform rounds[i][p] at once, for each
// process p, and nobody begins a round before all have ended the one before.
type race struct {
	script
	seed      uint64 // of the machine's jitter and the flusher's moments
	medium    device.Medium
	stall     int64 // ns: the mean of how long a CPU stands still now and then
	processes int
	rounds    [][][]workload.Op
	// afterRound, if not nil, is called after each round with the time, in ns.
	afterRound func(fs *FS, now int64)
}

// randomRace draws a case.
func randomRace(seed uint64) *race {
	r := rand.New(rand.NewPCG(seed, 1))
	g := generator{Rand: r, c: &script{}}
	g.device()
	c := &race{
		seed: seed, medium: one(r, device.None, device.SSD, device.HDD),
		stall: one(r, 10*sim.Microsecond, 100*sim.Microsecond, sim.Millisecond),
	}
	c.processes = one(r, 2, 2, 3, 4, 8, 16)
	c.rounds = append(c.rounds, [][]workload.Op{{{Kind: workload.Mkdir, Path: "d"}, {Kind: workload.Mkdir, Path: "d/d"}, {Kind: workload.Mkdir, Path: "a"}}})
	for range 1 + r.IntN(6) {
		var round [][]workload.Op
		for range c.processes {
			g.c.ops = nil
			for range 5 + r.IntN(60) {
				g.concurrently()
			}
			round = append(round, g.c.ops)
		}
		c.rounds = append(c.rounds, round)
	}
	c.script = *g.c
	c.cpus = one(r, 1, 2, 4, c.processes)
	c.ops = nil
	return c
}

// concurrently draws an operation for one of several processes: more often one that makes
// a file or takes one away than operation does, and none that concerns the whole machine.
func (g *generator) concurrently() {
	before := len(g.c.ops)
	fd := one(g.Rand, "x", "y", "z")
	// Few files and one directory that everybody works on.
	file, inside := one(g.Rand, "d/a", "d/b", "c"), one(g.Rand, "e/a", "e/b")
	switch g.IntN(12) {
	case 0:
		g.add(workload.Op{Kind: workload.Creat, FD: fd, Path: g.path()})
	case 1:
		g.add(workload.Op{Kind: workload.Unlink, Path: one(g.Rand, g.path(), file)})
	case 2:
		g.scatter()
	case 3, 4:
		g.add(workload.Op{Kind: one(g.Rand, workload.Creat, workload.Open, workload.Open), FD: fd, Path: file, Direct: g.IntN(4) == 0})
	case 5:
		g.add(workload.Op{Kind: one(g.Rand, workload.Sync, workload.Fsync, workload.Fsync), FD: fd})
	case 6:
		g.add(workload.Op{Kind: one(g.Rand, workload.Ftruncate, workload.Fallocate), FD: fd, Mode: falPunchHole | falKeepSize, Len: one(g.Rand, g.offset(), g.length())})
	case 7:
		switch g.IntN(4) {
		case 0:
			g.add(workload.Op{Kind: workload.Mkdir, Path: "e"})
		case 1:
			g.add(workload.Op{Kind: workload.Unlink, Path: inside})
			g.add(workload.Op{Kind: workload.Rmdir, Path: "e"})
		case 2:
			g.add(workload.Op{Kind: workload.Creat, FD: fd, Path: inside})
		case 3:
			g.add(workload.Op{Kind: workload.Rename, Path: one(g.Rand, "e", "d/d", inside), To: one(g.Rand, "a", "d/e", inside, "e")})
		}
	default:
		g.operation()
	}
	g.c.ops = append(g.c.ops[:before], slices.DeleteFunc(g.c.ops[before:], func(op workload.Op) bool {
		return op.Kind == workload.Remount || op.Kind == workload.Stat || op.Kind == workload.CPU
	})...)
}

// scatter draws writes to every other block of a range that may be allocated already: as
// each becomes written by itself, the tree grows, and asks for blocks, while IO ends.
func (g *generator) scatter() {
	fd, at, n := one(g.Rand, "x", "y", "z"), g.offset(), 6+g.Int64N(30)
	if g.IntN(2) == 0 {
		g.add(workload.Op{Kind: workload.Fallocate, FD: fd, Mode: falKeepSize, Off: at, Len: 2 * n * g.bs})
	}
	for i := range n {
		g.add(workload.Op{Kind: workload.Write, FD: fd, Off: at + 2*i*g.bs, Len: g.bs})
	}
}

// run performs the case with a check after each round, and removes everything at the
// end. A panic, or processes that wait for each other for ever, are errors.
func (c *race) run() (err error) {
	e := sim.New()
	defer e.Close()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	fs, err := c.mount(e)
	if err != nil {
		return err
	}
	host := fs.host.(slowLocks)
	var cpus []*sim.Resource
	for i := range c.cpus {
		cpus = append(cpus, e.NewResource(fmt.Sprint("CPU ", i), 1))
	}
	players := make([]*play.Player, c.processes)
	for p := range players {
		players[p] = &play.Player{FS: fs, CPUs: c.cpus, Task: filesystem.Task{CPU: p % c.cpus, PID: p}}
	}
	moments := rand.New(rand.NewPCG(c.seed, 3))
	for i, round := range c.rounds {
		for p, ops := range round {
			e.Go(fmt.Sprint("process ", p), func(proc *sim.Process) {
				host.Run(proc, p%c.cpus, cpus[p%c.cpus])
				cpus[p%c.cpus].Acquire(proc)
				host.Scheduled()
				for k := range ops {
					host.Syscall()
					if _, e := players[p].Do(&ops[k]); e != nil {
						panic(e)
					}
				}
				cpus[p%c.cpus].Release()
			})
		}
		e.Go("flusher", func(proc *sim.Process) {
			for range 10 {
				proc.Wait(moments.Int64N(sim.Millisecond))
				host.Run(proc, 0, cpus[0])
				cpus[0].Acquire(proc)
				host.Scheduled()
				fs.WritebackBackground(&filesystem.Task{}, moments.Int64N(100))
				fs.CommitOld(&filesystem.Task{}, e.Now()-moments.Int64N(sim.Millisecond))
				cpus[0].Release()
			}
		})
		e.Run(sim.Forever)
		if u := e.Unfinished(); len(u) > 0 {
			return fmt.Errorf("round %d: processes wait for each other: %v", i+1, u)
		}
		if err := fs.Check(); err != nil {
			return fmt.Errorf("after round %d: %w", i+1, err)
		}
		if c.afterRound != nil {
			c.afterRound(fs, e.Now())
		}
	}
	e.Go("removing all", func(*sim.Process) {
		for _, p := range players[1:] {
			if err := p.CloseAll(); err != nil {
				panic(err)
			}
		}
		err = removeAll(fs, players[0])
	})
	e.Run(sim.Forever)
	return err
}

// mount mounts a fresh device on a machine of several CPUs.
func (c *race) mount(e *sim.Engine) (*FS, error) {
	dev, err := device.New(e, device.Default(c.medium), c.size)
	if err != nil {
		return nil, err
	}
	return c.mountWith(func(opt *Options, blockSize int64) {
		opt.Clock = e.Now
		// Half of the machines have so little memory that metadata is read again and again.
		if c.seed%2 == 1 {
			opt.Cache = blockcache.New(int64(c.seed % 64))
		}
		opt.Host = slowLocks{smp.New(e, smp.Config{
			CPUs: c.cpus, BlockSize: blockSize, Costs: cost.Default(), Device: dev, JournalBlock: 100, JournalBlocks: 64,
			Jitter: rand.New(rand.NewPCG(c.seed, 2)), Stall: c.stall, StallEvery: 10 * sim.Microsecond,
		})}
	})
}

// slowLocks is a machine on which taking an inode's lock takes time, so that other
// processes run at every point where the file system must expect them to.
type slowLocks struct{ *smp.Machine }

func (l slowLocks) LockInode(number uint32) {
	l.Spend(sim.Microsecond)
	l.Machine.LockInode(number)
}

// minimize drops rounds, processes and operations that the failure does not need, and
// describes what is left.
func (c *race) minimize() string {
	best, runs := *c, 0
	fails := func(c *race) bool {
		if runs++; runs > 2000 {
			return false // what is found by then is small enough to look at
		}
		err := c.run()
		return err != nil && err != errNoDevice
	}
	if !fails(&best) {
		return fmt.Sprintf("fails only sometimes\n%s", c)
	}
	for i := len(best.rounds) - 1; i >= 0; i-- {
		try := best
		try.rounds = slices.Delete(slices.Clone(best.rounds), i, i+1)
		if fails(&try) {
			best = try
		}
	}
	for i := range best.rounds {
		for p := range best.rounds[i] {
			for n := len(best.rounds[i][p]); n > 0; n /= 2 {
				for k := 0; k+n <= len(best.rounds[i][p]); {
					try := best
					try.rounds = slices.Clone(best.rounds)
					try.rounds[i] = slices.Clone(best.rounds[i])
					try.rounds[i][p] = slices.Delete(slices.Clone(best.rounds[i][p]), k, k+n)
					if fails(&try) {
						best = try
					} else {
						k++
					}
				}
			}
		}
	}
	return fmt.Sprintf("%v\n%s", best.run(), &best)
}

// String is the case in the oracle's words.
func (c *race) String() string {
	var b strings.Builder
	b.WriteString(c.script.String())
	fmt.Fprintf(&b, "# seed %d, device %v\n", c.seed, c.medium)
	for i, round := range c.rounds {
		for p, ops := range round {
			if len(ops) > 0 {
				fmt.Fprintf(&b, "# round %d, process %d\n", i+1, p)
			}
			for _, op := range ops {
				b.WriteString(workload.FormatOp(op) + "\n")
			}
		}
	}
	return b.String()
}
