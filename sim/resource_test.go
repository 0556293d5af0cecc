package sim

import "testing"

func TestResource(t *testing.T) {
	e := New()
	defer e.Close()
	l := &logger{engine: e}
	cpu := e.NewResource("cpu", 2)
	for i := range 5 {
		e.Go("", func(p *Process) {
			p.Wait(int64(i))
			cpu.Acquire(p)
			l.say("%d got it, %d in use, %d waiting", i, cpu.InUse(), cpu.Waiting())
			p.Wait(10)
			cpu.Release()
		})
	}
	// It comes when a unit is given back, but others came before.
	e.At(10, func() {
		if cpu.TryAcquire() {
			t.Error("a newcomer overtook those who wait")
		}
	})
	e.Run(100)
	l.want(t, "0 0 got it, 1 in use, 0 waiting", "1 1 got it, 2 in use, 0 waiting", "10 2 got it, 2 in use, 2 waiting",
		"11 3 got it, 2 in use, 1 waiting", "20 4 got it, 2 in use, 0 waiting")
	want := ResourceStats{Acquired: 5, Waited: 3, WaitTime: 8 + 8 + 16, Busy: 50, MaxQueue: 3}
	if s := cpu.Stats(); s != want {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	if cpu.Name() != "cpu" || cpu.Capacity() != 2 || cpu.InUse() != 0 {
		t.Error("it is not as it was made")
	}
}

func TestMutex(t *testing.T) {
	e := New()
	defer e.Close()
	l := &logger{engine: e}
	m := e.NewMutex("group 3")
	m.HandOver = 2
	for i := range 3 {
		e.Go("", func(p *Process) {
			p.Wait(int64(i))
			m.Lock(p)
			l.say("%d holds %s, %d waiting", i, m.Name(), m.Waiting())
			if m.Holder() != p {
				t.Error("somebody else is the holder")
			}
			p.Wait(10)
			m.Unlock(p)
		})
	}
	// Handed over but not yet taken up: it is held.
	e.Go("trier", func(p *Process) {
		p.Wait(11)
		l.say("try: %v", m.TryLock(p))
		p.Wait(89)
		l.say("try: %v", m.TryLock(p))
		m.Unlock(p)
	})
	e.Run(Forever)
	l.want(t, "0 0 holds group 3, 0 waiting", "11 try: false", "12 1 holds group 3, 1 waiting", "24 2 holds group 3, 0 waiting", "100 try: true")
	want := MutexStats{Locked: 4, Waited: 2, TryFailed: 1, WaitTime: 11 + 22, HoldTime: 10 + 12 + 12, MaxQueue: 2}
	if s := m.Stats(); s != want {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	if m.Holder() != nil {
		t.Error("it is still held")
	}
}
