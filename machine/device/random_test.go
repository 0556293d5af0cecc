package device

import (
	"testing"

	"pgregory.net/rapid"

	"mbsim/sim"
)

// load is what a random test submits.
type load struct {
	medium Medium
	set    map[string]int64
	plug   int // requests that a plug holds
	steps  []step
}

type step struct {
	wait    int64
	plugged bool
	unplug  bool
	block   bool // by Do, not Submit
	r       Request
}

const loadBlocks = 1 << 20

func drawLoad(t *rapid.T) load {
	l := load{medium: Medium(rapid.IntRange(0, int(media)-1).Draw(t, "medium")), set: map[string]int64{}, plug: rapid.IntRange(1, 8).Draw(t, "plug")}
	if l.medium != None {
		l.set["tags"] = rapid.Int64Range(1, 70).Draw(t, "tags")
		l.set["queue_depth"] = rapid.Int64Range(1, 8).Draw(t, "depth")
		l.set["max_request"] = rapid.Int64Range(1, 40).Draw(t, "max") * 4 * kib
	}
	if l.medium == HDD {
		l.set["queue_depth"] = 1
		l.set["write_cache"] = rapid.Int64Range(0, 100).Draw(t, "cache") * block
		l.set["read_ahead"] = rapid.Int64Range(0, 100).Draw(t, "ahead") * block
		l.set["write_expire"] = rapid.Int64Range(0, 50).Draw(t, "expire") * ms
	}
	place, last := uint64(loadBlocks/2), uint32(0)
	for range rapid.IntRange(1, 150).Draw(t, "steps") {
		s := step{
			plugged: rapid.Bool().Draw(t, "plugged"),
			unplug:  rapid.IntRange(0, 5).Draw(t, "unplug") == 0,
			block:   rapid.IntRange(0, 3).Draw(t, "block") == 0,
			r:       Request{BlockSize: block, Count: uint32(rapid.IntRange(1, 60).Draw(t, "count")), Sync: rapid.Bool().Draw(t, "sync"), CPU: rapid.IntRange(0, 9).Draw(t, "cpu")},
		}
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
			s.r.Kind = Flush
		case 1, 2, 3, 4:
			s.r.Kind = Write
		}
		switch rapid.IntRange(0, 5).Draw(t, "where") {
		case 0: // anywhere
			place = rapid.Uint64Range(10_000, loadBlocks-10_000).Draw(t, "place")
		case 1, 2: // right before the last
			place -= uint64(last + s.r.Count)
		}
		s.r.Block, last = place, s.r.Count
		place += uint64(last)
		if rapid.IntRange(0, 2).Draw(t, "pause") == 0 {
			s.wait = rapid.Int64Range(0, 20*ms).Draw(t, "wait")
		}
		l.steps = append(l.steps, s)
	}
	return l
}

// play submits a load and checks on the way what must always hold. It returns the
// engine's fingerprint.
func (l *load) play(t *rapid.T) uint64 {
	e := sim.New()
	defer e.Close()
	m := Default(l.medium)
	for name, v := range l.set {
		if err := m.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	d, err := New(e, m, loadBlocks*block)
	if err != nil {
		t.Fatal(err)
	}
	given := watch(t, d)
	asked := [kinds]int64{}
	times := make([]int, len(l.steps)) // how often each was done
	e.Go("load", func(p *sim.Process) {
		plug := d.NewPlug()
		plug.most = l.plug
		for i, s := range l.steps {
			start := e.Now()
			if s.r.Kind != Flush {
				asked[s.r.Kind] += int64(s.r.Count) * block
			}
			done := func() {
				if times[i]++; e.Now() < start {
					t.Fatal("done before it began")
				}
			}
			switch {
			case s.block:
				plug.Flush()
				if ns := d.Do(p, s.r); ns != e.Now()-start {
					t.Fatalf("%d ns since %d, at %d", ns, start, e.Now())
				}
				done()
			case s.plugged:
				plug.Submit(s.r, done)
			default:
				d.Submit(s.r, done)
			}
			if s.unplug {
				plug.Flush()
				d.Throttle(p)
			}
			p.Wait(s.wait)
		}
		plug.Flush()
	})
	e.Run(sim.Forever)
	for i, n := range times {
		if n != 1 {
			t.Fatalf("step %d was done %d times", i, n)
		}
	}
	if d.medium != nil && (given[Read] != asked[Read] || given[Write] != asked[Write]) {
		t.Fatalf("the medium was given %v bytes, of %v", given, asked)
	}
	l.settled(t, d, asked)
	return e.Fingerprint()
}

// watch checks what the medium is given, and adds up the bytes.
func watch(t *rapid.T, d *Device) *[kinds]int64 {
	given := new([kinds]int64)
	if d.medium == nil {
		return given
	}
	inside := 0
	m := &d.m
	d.medium = &watched{below: d.medium, log: func(now int64, kind Kind, from, to, end int64) {
		given[kind] += to - from
		if to-from > m.MaxRequest || now != d.e.Now() || end < now {
			t.Fatalf("%v of [%d, %d) at %d, from %d to %d", kind, from, to, d.e.Now(), now, end)
		}
		if inside++; inside > int(m.QueueDepth*m.Queues) {
			t.Fatalf("%d commands at once", inside)
		}
		d.e.AtPriority(end, -1, func() { inside-- })
	}}
	return given
}

// settled checks a device on which nothing is left to be done.
func (l *load) settled(t *rapid.T, d *Device, asked [kinds]int64) {
	s := d.Stats()
	if s.ReadBytes != asked[Read] || s.WriteBytes != asked[Write] || int(s.Reads+s.Writes+s.Flushes) != len(l.steps) || d.Outstanding() != 0 || len(d.e.Unfinished()) != 0 {
		t.Fatalf("%+v, %d outstanding, %v", s, d.Outstanding(), d.e.Unfinished())
	}
	sum, n := 0.0, int64(0)
	for _, x := range d.Latencies().Summaries() {
		sum += d.Latencies().Sum(x.Op)
		n += x.Count
	}
	if n != int64(len(l.steps)) || sum != float64(s.QueueTime) || s.Busy > s.Time || s.QueueTime < s.Busy {
		t.Fatalf("%d latencies of %v ns, but %+v", n, sum, s)
	}
	for i := range d.queues {
		q := &d.queues[i]
		if q.used != 0 || q.writes != 0 || q.inFlight != 0 || q.waiting[Read].n+q.waiting[Write].n != 0 ||
			len(q.sorted[Read])+len(q.sorted[Write]) != 0 || q.arrived[0].head != nil || q.arrived[1].head != nil || q.arrived[0].tail != nil || q.arrived[1].tail != nil {
			t.Fatalf("queue %d: %+v", i, *q)
		}
	}
}

// Whatever is submitted is done exactly once, all of it, and the same twice over.
func TestEverythingIsDone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLoad(t)
		if a, b := l.play(t), l.play(t); a != b {
			t.Fatal("two runs differ")
		}
	})
}
