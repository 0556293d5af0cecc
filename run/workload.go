package run

import (
	"mbsim/filesystem/play"
	"mbsim/sim"
	"mbsim/workload"
)

// script performs the scenario's script.
func (r *runner) script(p *sim.Process) {
	pl := r.player(0)
	r.collector.Begin("script", true, p.Now())
	ops := r.scenario.Workload.Script.Ops
	for i := range ops {
		if r.over() {
			break
		}
		if _, err := r.perform(p, pl, &ops[i]); err != nil {
			r.fail(err)
			return
		}
	}
	if err := r.closeAll(p, pl); err != nil {
		r.fail(err)
		return
	}
	r.settle(p, pl)
}

// phases performs the phases one after the other.
func (r *runner) phases(p *sim.Process) {
	pl := r.player(0)
	ph := r.scenario.Workload.Phases
	for i := range ph {
		if r.over() {
			break
		}
		r.phase, r.phaseStart = i, p.Now()
		r.collector.Begin(ph[i].Name, ph[i].Measure, p.Now())
		// From Begin on the population counts those of the new phase only.
		r.activities += r.population.Operations()
		workers, prepare := r.population.Begin(&ph[i], p.Now())
		if err := r.prepare(p, pl, prepare); err != nil {
			r.fail(err)
			return
		}
		r.work(p, workers)
		err := r.between(p, pl, ph[i].Then)
		if err == nil {
			err = r.checkDue(CheckPhase)
		}
		if err != nil {
			r.fail(err)
			return
		}
	}
	r.settle(p, pl)
}

// prepare makes what the processes of a phase share.
func (r *runner) prepare(p *sim.Process, pl *play.Player, ops []workload.Op) error {
	for i := range ops {
		if _, err := r.perform(p, pl, &ops[i]); err != nil {
			return err
		}
	}
	return nil
}

// work lets the workers of a phase run until all have ended.
func (r *runner) work(p *sim.Process, workers []*workload.Worker) {
	for _, w := range workers {
		r.active++
		r.engine.Go(w.Name, func(wp *sim.Process) {
			if err := r.worker(wp, w); err != nil {
				r.fail(err)
			}
			r.active--
			if r.active == 0 {
				p.Wake()
			}
		})
	}
	if r.active > 0 {
		p.Park("the processes of the phase")
	}
}

// worker is one process of a class.
func (r *runner) worker(p *sim.Process, w *workload.Worker) error {
	pl := r.player(w.CPU)
	v := workload.View{Now: p.Now(), Used: r.m.used()}
	for {
		step, ok := w.Next(v)
		if !ok {
			return nil
		}
		at := step.At
		if limit := r.scenario.Stop.Time; step.Begins && limit > 0 && at > limit {
			at = max(limit, p.Now()) // do not sleep past the end
		}
		p.WaitUntil(at)
		v = workload.View{Now: p.Now(), Used: r.m.used()}
		if r.over() || r.population.Over(v.Now, v.Used) {
			v.Stop = true
			if step.Begins {
				v.Skipped = true
				continue
			}
		}
		ret, err := r.perform(p, pl, &step.Op)
		if err != nil {
			return err
		}
		v.Now, v.Ret = p.Now(), ret
	}
}

// between does what comes after a phase.
func (r *runner) between(p *sim.Process, pl *play.Player, then workload.Then) error {
	var ops []workload.Op
	switch then {
	case workload.ThenSync:
		ops = []workload.Op{{Kind: workload.Sync}}
	case workload.ThenRemount:
		ops = []workload.Op{{Kind: workload.Remount}}
	}
	return r.prepare(p, pl, ops)
}

// settle writes everything at the end of the run, and ends it.
func (r *runner) settle(p *sim.Process, pl *play.Player) {
	if err := r.prepare(p, pl, []workload.Op{{Kind: workload.Sync}, {Kind: workload.Sync}}); err != nil {
		r.fail(err)
		return
	}
	r.engine.Stop()
}
