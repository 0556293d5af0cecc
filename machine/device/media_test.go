package device

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"mbsim/machine/latency"
	"mbsim/sim"
)

// job is what fio would be told: so many processes that each send one request
// after the other.
type job struct {
	medium    Medium
	set       map[string]int64
	depth     int
	kind      Kind
	count     uint32 // blocks of 4 KiB a request
	random    bool
	from      uint64 // block at which a job that is not random begins
	within    uint64 // blocks that one that is random covers, all for 0
	n         int    // requests
	think     int64  // ns between a completion and the next request of a process
	thenFlush bool   // at the end of all
}

const terabyte = 1_000_000_000_000

// run does a job on an idle device of a terabyte, and says how many requests and
// bytes a second it made.
func (j job) run(t testing.TB) (iops, rate float64, s Stats) {
	t.Helper()
	e := sim.New()
	defer e.Close()
	m := Default(j.medium)
	for name, v := range j.set {
		if err := m.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	d, err := New(e, m, terabyte)
	if err != nil {
		t.Fatal(err)
	}
	g := rand.New(rand.NewPCG(1, 2))
	next := j.from
	if j.within == 0 {
		j.within = terabyte / block
	}
	for i := range j.depth {
		e.Go(fmt.Sprint("job ", i), func(p *sim.Process) {
			for range j.n / j.depth {
				b := next
				if next += uint64(j.count); j.random {
					b = g.Uint64N(j.within - uint64(j.count))
				}
				d.Do(p, Request{Kind: j.kind, Block: b, Count: j.count, BlockSize: block, Sync: true, CPU: i})
				p.Wait(j.think)
			}
		})
	}
	e.Run(sim.Forever)
	if j.thenFlush {
		e.Go("flush", func(p *sim.Process) { d.Do(p, Request{Kind: Flush}) })
		e.Run(sim.Forever)
	}
	n := float64(j.n / j.depth * j.depth)
	seconds := float64(e.Now()-int64(j.think)) / float64(second)
	return n / seconds, n * float64(j.count) * block / seconds, d.Stats()
}

// Each medium does what its data sheet and its parameters say. Where a figure is a
// range it is what is published of such devices.
func TestFigures(t *testing.T) {
	inner := uint64(terabyte/block) - 100_000
	for _, c := range []struct {
		what      string
		job       job
		low, high float64 // requests a second, or MB/s for a sequential job
	}{
		// A 7200 rpm SATA disk: 75 to 100 random reads a second, 150 to 200 MB/s and
		// somewhat more at the outer edge.
		{"hdd random read, depth 1", job{medium: HDD, depth: 1, count: 1, random: true, n: 2000}, 75, 85},
		{"hdd random read, depth 32", job{medium: HDD, depth: 32, count: 1, random: true, n: 3200}, 125, 200},
		{"hdd random read of 1 GB, depth 1", job{medium: HDD, depth: 1, count: 1, random: true, within: 250_000, n: 2000}, 130, 190},
		{"hdd write-through, depth 1", job{medium: HDD, set: map[string]int64{"write_cache": 0}, depth: 1, kind: Write, count: 1, random: true, n: 2000}, 68, 78},
		{"hdd random write through the cache", job{medium: HDD, depth: 1, kind: Write, count: 1, random: true, n: 20000, thenFlush: true}, 150, 250},
		{"hdd outer read", job{medium: HDD, depth: 1, count: 32, n: 5000}, 208, 211},
		{"hdd outer read, requests of 4 KiB", job{medium: HDD, depth: 1, count: 1, n: 5000}, 35, 45}, // the command takes 100 us
		{"hdd outer read, depth 32", job{medium: HDD, depth: 32, count: 32, n: 5000}, 208, 211},
		{"hdd outer read with pauses", job{medium: HDD, depth: 1, count: 32, n: 5000, think: 200 * us}, 208, 211},
		{"hdd outer write", job{medium: HDD, depth: 4, kind: Write, count: 32, n: 5000, thenFlush: true}, 205, 211},
		{"hdd inner read", job{medium: HDD, depth: 1, count: 32, n: 3000, from: inner}, 101, 103},
		{"hdd inner write", job{medium: HDD, depth: 4, kind: Write, count: 32, n: 3000, from: inner, thenFlush: true}, 99, 103},

		{"ssd random read, depth 1", job{medium: SSD, depth: 1, count: 1, random: true, n: 5000}, 12_900, 13_100},
		{"ssd random read, depth 32", job{medium: SSD, depth: 32, count: 1, random: true, n: 32000}, 96_000, 98_100},
		{"ssd random write, depth 1", job{medium: SSD, depth: 1, kind: Write, count: 1, random: true, n: 5000}, 35_800, 36_200},
		{"ssd random write, depth 32", job{medium: SSD, depth: 32, kind: Write, count: 1, random: true, n: 32000}, 87_000, 88_100},
		{"ssd read", job{medium: SSD, depth: 32, count: 32, n: 10000}, 555, 561},
		{"ssd read, depth 1", job{medium: SSD, depth: 1, count: 32, n: 5000}, 500, 560},
		{"ssd write", job{medium: SSD, depth: 32, kind: Write, count: 32, n: 10000}, 525, 531},

		{"nvme random read, depth 1", job{medium: NVMe, depth: 1, count: 1, random: true, n: 5000}, 18_900, 19_100},
		{"nvme random read, depth 32", job{medium: NVMe, depth: 32, count: 1, random: true, n: 32000}, 400_000, 600_000},
		{"nvme random read, depth 128", job{medium: NVMe, depth: 128, count: 1, random: true, n: 64000}, 570_000, 600_000},
		{"nvme random write, depth 1", job{medium: NVMe, depth: 1, kind: Write, count: 1, random: true, n: 5000}, 59_500, 60_500},
		{"nvme random write, depth 128", job{medium: NVMe, depth: 128, kind: Write, count: 1, random: true, n: 64000}, 540_000, 551_000},
		{"nvme read", job{medium: NVMe, depth: 8, count: 32, n: 20000}, 3480, 3510},
		{"nvme write", job{medium: NVMe, depth: 8, kind: Write, count: 32, n: 20000}, 3280, 3310},
	} {
		iops, rate, _ := c.job.run(t)
		got := iops
		if !c.job.random {
			got = rate / 1e6
		}
		if got < c.low || got > c.high {
			t.Errorf("%s: %.1f is not within %.0f to %.0f", c.what, got, c.low, c.high)
		}
		if testing.Verbose() {
			t.Logf("%s: %.1f", c.what, got)
		}
	}
}

// A random read takes the mean seek, half a turn, the command and the transfer, and
// the device's own account of them adds up.
func TestHDDAccountsForItsTime(t *testing.T) {
	const n = 5000
	iops, _, s := job{medium: HDD, depth: 1, count: 1, random: true, n: n}.run(t)
	mean := func(ns int64) float64 { return float64(ns) / n / float64(ms) }
	// The outer half of the cylinders holds more than half of the bytes, so seeks are
	// a little shorter than over all pairs of cylinders.
	if m := mean(s.SeekTime); math.Abs(m-8.5) > 0.25 {
		t.Errorf("seeks take %.3f ms", m)
	}
	if m := mean(s.RotationTime); math.Abs(m-4.1667) > 0.1 {
		t.Errorf("the platter takes %.3f ms to come round", m)
	}
	total := mean(s.SeekTime + s.RotationTime + s.TransferTime + n*100*us)
	if got := 1000 / iops; math.Abs(got-total) > 0.001 {
		t.Errorf("a read takes %.4f ms, its parts %.4f", got, total)
	}
	if s.Seeks != n || s.Commands != n || s.ArmMoves < n-5 || s.Busy != s.Time || math.Abs(s.QueueMean()-1) > 1e-9 {
		t.Errorf("%+v", s)
	}
}

// A write that skips no sector continues without losing a turn; one that comes too
// late for its sector waits nearly a whole one.
func TestHDDLosesTurns(t *testing.T) {
	through := map[string]int64{"write_cache": 0, "write_command": 0, "interface": 100_000_000_000}
	const n = 1000
	_, rate, s := job{medium: HDD, set: through, depth: 1, kind: Write, count: 32, n: n}.run(t)
	if rate/1e6 < 208 || s.RotationTime > 10*ms {
		t.Errorf("without any delay: %.1f MB/s, %d ns waited", rate/1e6, s.RotationTime)
	}
	_, _, s = job{medium: HDD, set: through, depth: 1, kind: Write, count: 32, n: n, think: us}.run(t)
	turn := float64(s.RotationTime) / n / float64(ms)
	if turn < 8.2 || turn > 8.34 {
		t.Errorf("a microsecond late: %.3f ms waited each time", turn)
	}
}

// The drive's own reading ahead hides pauses of a process, until it has read all it
// may; then the platter has to come round.
func TestHDDReadsAhead(t *testing.T) {
	const n, chunk = 500, 128 * kib
	transfer := float64(chunk) / 210e6 * 1e9           // ns from the medium
	held := float64(100*us) + float64(chunk)/550e6*1e9 // ns from the drive's memory
	const turn = 8.3334e6
	for _, c := range []struct {
		ahead, think int64
		low, high    float64 // ns a request with its pause
	}{
		{4 * mib, 0, transfer, transfer},
		{4 * mib, 200 * us, transfer, transfer},         // hidden
		{4 * mib, 500 * us, 500e3 + held, 500e3 + held}, // the process is slower than the medium
		{4 * mib, 4 * ms, 4e6 + held, 4e6 + held},
		// The drive is a little faster: now and then it has read all it may, and a turn
		// is longer than what it holds lasts.
		{512 * kib, 500 * us, 500e3 + held + turn/40, 500e3 + held + turn/10},
		{64 * kib, 4 * ms, 4e6 + held + turn/10, 4e6 + held + turn}, // half of it is held
		{0, us, turn, turn + transfer},                              // nothing is held: a turn is lost
	} {
		iops, _, s := job{medium: HDD, set: map[string]int64{"read_ahead": c.ahead}, depth: 1, count: uint32(chunk / block), n: n, think: c.think}.run(t)
		got := 1e9 / iops
		if got < 0.99*c.low || got > 1.01*c.high+turn/n {
			t.Errorf("read_ahead %d, pauses of %d ns: %.0f ns a request, want %.0f to %.0f", c.ahead, c.think, got, c.low, c.high)
		}
		if held := c.ahead > 0; s.CacheReads > 0 != held || held && s.CacheReads != n-1 {
			t.Errorf("read_ahead %d: %d reads from memory", c.ahead, s.CacheReads)
		}
	}
}

// Writes go to the cache at the interface's rate until it is full, a flush waits
// for all of them, and reads of what is in it do not move the arm.
func TestHDDWriteCache(t *testing.T) {
	e := sim.New()
	defer e.Close()
	d, err := New(e, Default(HDD), terabyte)
	if err != nil {
		t.Fatal(err)
	}
	write := func(b uint64) Request { return Request{Kind: Write, Block: b, Count: 1, BlockSize: block, Sync: true} }
	e.Go("", func(p *sim.Process) {
		h := d.medium.(*hdd)
		for i := range uint64(100) {
			if ns := d.Do(p, write(i*1_000_003%200_000_000)); ns > 110*us && i > 0 {
				t.Errorf("write %d took %d ns", i, ns)
			}
		}
		if ns := d.Do(p, Request{Kind: Read, Block: 99 * 1_000_003, Count: 1, BlockSize: block}); ns > 110*us {
			t.Errorf("a read of what is cached took %d ns", ns)
		}
		if len(h.cache.extents) < 80 {
			t.Errorf("%d are left in the cache", len(h.cache.extents))
		}
		if ns := d.Do(p, Request{Kind: Flush}); ns < 80*2*ms || ns > 100*20*ms || len(h.cache.extents) != 0 {
			t.Errorf("a flush took %d ns", ns)
		}
		if ns := d.Do(p, Request{Kind: Flush}); ns != 100*us {
			t.Errorf("a flush of nothing took %d ns", ns)
		}
		d.Do(p, write(5))
		p.Wait(second)
		if ns := d.Do(p, Request{Kind: Flush}); ns != 100*us {
			t.Errorf("after a second without work a flush took %d ns", ns)
		}
		p.Wait(10 * second)
		d.Do(p, write(1_000_000)) // was not written before it came
		if ns := d.Do(p, Request{Kind: Flush}); ns < 2*ms || ns > 30*ms {
			t.Errorf("a flush right after a write took %d ns", ns)
		}
		p.Wait(3 * second)
		for range 5000 { // again and again the same block: it takes the room of one
			d.Do(p, write(7))
		}
		if n := h.cache.bytes; n > block {
			t.Errorf("%d bytes are cached", n)
		}
	})
	e.Run(sim.Forever)
	if n := d.Latencies().Count(latency.DeviceFlush); n != 4 {
		t.Errorf("%d flushes recorded", n)
	}
}

// Flushes take flush_time after something was written.
func TestFlashFlush(t *testing.T) {
	for _, medium := range []Medium{SSD, NVMe} {
		e := sim.New()
		m := Default(medium)
		d, err := New(e, m, terabyte)
		if err != nil {
			t.Fatal(err)
		}
		e.Go("", func(p *sim.Process) {
			for range 2 {
				if ns := d.Do(p, Request{Kind: Flush}); ns != m.WriteCommand {
					t.Errorf("%v: a flush of nothing takes %d ns", medium, ns)
				}
			}
			d.Do(p, Request{Kind: Write, Block: 1, Count: 1, BlockSize: block})
			if ns := d.Do(p, Request{Kind: Flush}); ns != m.WriteCommand+m.FlushTime {
				t.Errorf("%v: a flush takes %d ns", medium, ns)
			}
			start, end := e.Now(), int64(0)
			d.Submit(Request{Kind: Write, Block: 1, Count: 320, BlockSize: block}, func() { end = e.Now() })
			if ns := d.Do(p, Request{Kind: Flush}); end == 0 || ns < end-start+m.FlushTime || ns > end-start+m.FlushTime+m.WriteCommand {
				t.Errorf("%v: a flush behind a write of %d ns takes %d", medium, end-start, ns)
			}
		})
		e.Run(sim.Forever)
		e.Close()
	}
}

// A read is done when its last stripe is: here that of a die that has more to do.
func TestFlashWaitsForTheBusiestDie(t *testing.T) {
	m := Default(NVMe)
	f := newFlash(&m, new(Stats))
	f.start(0, Read, m.Stripe, 2*m.Stripe)
	got := f.start(0, Read, 0, 2*m.Stripe)
	want := m.ReadCommand + 2*m.ReadDie + duration(m.Stripe, m.ReadRate)
	if got != want {
		t.Errorf("done at %d ns, want %d", got, want)
	}
}

func TestNone(t *testing.T) {
	e := sim.New()
	defer e.Close()
	d, err := New(e, Default(None), terabyte)
	if err != nil {
		t.Fatal(err)
	}
	r := Request{Kind: Read, Block: 1, Count: 1 << 20, BlockSize: block}
	var order []int
	e.Go("", func(p *sim.Process) {
		p.Wait(5)
		d.Submit(r, func() { order = append(order, 2) })
		if ns := d.Do(p, r); ns != 0 {
			t.Errorf("it takes %d ns", ns)
		}
		order = append(order, 1)
		plug := d.NewPlug()
		plug.Submit(Request{Kind: Flush}, func() { order = append(order, 3) })
		plug.Flush()
		d.Throttle(p)
	})
	e.Run(sim.Forever)
	if fmt.Sprint(order) != "[1 2 3]" || e.Now() != 5 {
		t.Errorf("order %v, at %d ns", order, e.Now())
	}
	s := d.Stats()
	if s.Reads != 2 || s.Flushes != 1 || s.ReadBytes != 2<<32 || s.Busy != 0 || d.Outstanding() != 0 {
		t.Errorf("%+v", s)
	}
}
