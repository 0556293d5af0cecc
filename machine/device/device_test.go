package device

import (
	"testing"

	"mbsim/machine/latency"
	"mbsim/sim"
)

func TestDoneMaySubmit(t *testing.T) {
	e := sim.New()
	defer e.Close()
	d, err := New(e, Default(HDD), loadBlocks*block)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var again func()
	again = func() {
		if n++; n < 100 {
			d.Submit(Request{Kind: Read, Block: uint64(n), Count: 1, BlockSize: block}, again)
		}
	}
	again()
	e.Run(sim.Forever)
	if s := d.Stats(); n != 100 || s.Reads != 99 || s.Merged != 0 {
		t.Errorf("%d, %+v", n, s)
	}
}

// A process that is woken by others while it waits goes on waiting.
func TestDoIsNotFooled(t *testing.T) {
	e := sim.New()
	defer e.Close()
	d, err := New(e, Default(HDD), loadBlocks*block)
	if err != nil {
		t.Fatal(err)
	}
	p := e.Go("reader", func(p *sim.Process) {
		if ns := d.Do(p, Request{Kind: Read, Block: 1000, Count: 1, BlockSize: block}); ns < ms {
			t.Errorf("done after %d ns", ns)
		}
	})
	e.After(100, func() { p.Wake() })
	e.Run(sim.Forever)
	if n := d.Latencies().Count(latency.DeviceRead); n != 1 {
		t.Errorf("%d reads", n)
	}
}

// Close ends processes that wait for the device.
func TestClose(t *testing.T) {
	e := sim.New()
	d, err := New(e, Default(HDD), loadBlocks*block)
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	for range 3 {
		e.Go("", func(p *sim.Process) {
			defer func() { ended++ }()
			d.Do(p, Request{Kind: Read, Block: 1000, Count: 1, BlockSize: block})
			t.Error("it went on")
		})
	}
	e.Run(1000)
	e.Close()
	if ended != 3 {
		t.Errorf("%d have ended", ended)
	}
}

// Throttle holds back who submits more than there are tags for.
func TestThrottle(t *testing.T) {
	e := sim.New()
	defer e.Close()
	m := Default(SSD)
	d, err := New(e, m, loadBlocks*block)
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	e.Go("flusher", func(p *sim.Process) {
		for i := range uint64(2000) {
			d.Submit(Request{Kind: Write, Block: i * 3, Count: 1, BlockSize: block}, nil)
			most = max(most, d.Outstanding())
			d.Throttle(p)
		}
	})
	e.Run(sim.Forever)
	if s := d.Stats(); most != int(3*m.Tags/4)+1 || s.Writes != 2000 || d.Outstanding() != 0 {
		t.Errorf("at most %d outstanding, %+v", most, s)
	}
	if n := d.Latencies().Count(latency.DeviceWriteback); n != 2000 {
		t.Errorf("%d recorded", n)
	}
}

func TestStats(t *testing.T) {
	e := sim.New()
	defer e.Close()
	m := Default(SSD)
	d, err := New(e, m, loadBlocks*block)
	if err != nil {
		t.Fatal(err)
	}
	d.medium = &watched{service: 10, log: func(int64, Kind, int64, int64, int64) {}}
	e.At(100, func() {
		d.Submit(Request{Kind: Read, Block: 10, Count: 1, BlockSize: block}, nil)
		d.Submit(Request{Kind: Write, Block: 5, Count: 2, BlockSize: block}, nil)
	})
	e.Run(150)
	before := d.Stats()
	want := Stats{Reads: 1, Writes: 1, ReadBytes: block, WriteBytes: 2 * block, Commands: 2, Seeks: 2, Distance: (10 + 6) * block,
		Time: 150, Busy: 10, QueueTime: 20, MaxQueue: 2}
	if before != want {
		t.Errorf("got  %+v\nwant %+v", before, want)
	}
	d.Submit(Request{Kind: Write, Block: 7, Count: 1, BlockSize: block}, nil)
	e.Run(250)
	s := d.Stats().Since(before)
	want = Stats{Writes: 1, WriteBytes: block, Commands: 1, Time: 100, Busy: 10, QueueTime: 10, MaxQueue: 2}
	if s != want {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	if s.Utilization() != 0.1 || s.QueueMean() != 0.1 {
		t.Errorf("utilization %v, queue %v", s.Utilization(), s.QueueMean())
	}
}

func TestRefuses(t *testing.T) {
	e := sim.New()
	defer e.Close()
	for _, size := range []int64{0, -1, pebi + 1} {
		if _, err := New(e, Default(HDD), size); err == nil {
			t.Errorf("a device of %d bytes", size)
		}
	}
	if _, err := New(e, Model{Medium: HDD}, 1<<30); err == nil {
		t.Error("a model of zeros")
	}
	d, err := New(e, Default(SSD), 100*block)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []Request{
		{Block: 99, Count: 2, BlockSize: block},
		{Block: 1 << 63, Count: 1, BlockSize: block},
		{Block: 1, Count: 0, BlockSize: block},
		{Block: 1, Count: 1},
		{Kind: 7, Count: 1, BlockSize: block},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was taken", r)
				}
			}()
			d.Submit(r, nil)
		}()
	}
	// The largest drive there is, and one that grows to the file system's size.
	for _, size := range []int64{pebi, 3 * terabyte} {
		d, err := New(e, Default(HDD), size)
		if err != nil {
			t.Fatal(err)
		}
		e.Go("", func(p *sim.Process) {
			if ns := d.Do(p, Request{Block: uint64(size)/block - 1, Count: 1, BlockSize: block}); ns < 10*ms || ns > 30*ms {
				t.Errorf("%d bytes: the last block takes %d ns", size, ns)
			}
		})
		e.Run(sim.Forever)
	}
}
