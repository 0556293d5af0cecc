package sim

import "testing"

func TestResource(t *testing.T) {
	e := New()
	defer e.Close()
	l := &logger{e: e}
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
	if cpu.InUse() != 0 {
		t.Errorf("%d units are in use", cpu.InUse())
	}
}

func TestMutex(t *testing.T) {
	e := New()
	defer e.Close()
	l := &logger{e: e}
	m := e.NewMutex("group 3")
	for i := range 3 {
		e.Go("", func(p *Process) {
			p.Wait(int64(i))
			m.Lock(p)
			l.say("%d holds it", i)
			p.Wait(10)
			m.Unlock(p)
		})
	}
	// Handed over at this moment but not yet taken up: it is held.
	e.Go("trier", func(p *Process) {
		p.Wait(10)
		l.say("try: %v", m.TryLock(p))
		p.Wait(90)
		l.say("try: %v", m.TryLock(p))
		m.Unlock(p)
	})
	e.Run(Forever)
	l.want(t, "0 0 holds it", "10 try: false", "10 1 holds it", "20 2 holds it", "100 try: true")
}
