package run

import (
	"fmt"

	"mbsim/filesystem"
	"mbsim/filesystem/play"
	"mbsim/scenarios"
	"mbsim/sim"
	"mbsim/workload"
)

// script performs the scenario's script.
func (r *runner) script(p *sim.Process) {
	pl := r.player(0, r.scenario.Workload.User)
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
	// The script's process ends, and with it what it has open. Then all is written.
	if err := r.closeAll(p, pl); err != nil {
		r.fail(err)
		return
	}
	r.settle(p, pl)
}

// phases performs the phases one after the other.
func (r *runner) phases(p *sim.Process) {
	pl := r.player(0, root)
	ph := r.scenario.Workload.Phases
	for i := range ph {
		if r.over() {
			break
		}
		r.phase, r.phaseStart = i, p.Now()
		r.collector.Begin(ph[i].Name, ph[i].Measure, p.Now())
		// Begin starts the population's count anew for each phase, so the operations of the
		// phase before are added up here.
		r.activities += r.population.Operations()
		// What the processes share, such as directories, is made before they start.
		workers, prepare := r.population.Begin(&ph[i], p.Now())
		if err := r.prepare(p, pl, prepare); err != nil {
			r.fail(err)
			return
		}
		r.work(p, workers)
		for _, name := range r.population.Idle() {
			r.warnings = append(r.warnings, fmt.Sprintf("class %s did nothing in phase %s: none of its operations succeeded", name, ph[i].Name))
		}
		// The check comes after the phase's sync or remount, and so sees what that did.
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
		ret, err := r.perform(p, pl, &ops[i])
		if err != nil {
			return err
		}
		if ops[i].Kind == workload.Mkdir && ret < 0 && ret != -int64(filesystem.EEXIST) {
			r.population.NotMade(ops[i].Path)
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
	// The last worker wakes this process. Without workers nobody would.
	if r.active > 0 {
		p.Park("the processes of the phase")
	}
}

// worker is one process of a class.
func (r *runner) worker(p *sim.Process, w *workload.Worker) error {
	pl := r.player(w.CPU, w.User())
	v := workload.View{Now: p.Now(), Used: r.m.used()}
	for {
		step, ok := w.Next(v)
		if !ok {
			return nil
		}
		// A pause does not reach past the end of the run: the worker wakes up there, and over ends
		// it.
		at := step.At
		if limit := r.scenario.Stop.Time; step.Begins && limit > 0 && at > limit {
			at = max(limit, p.Now())
		}
		p.WaitUntil(at)
		v = workload.View{Now: p.Now(), Used: r.m.used()}
		// The phase is over: the worker is told to end, and closes its files. A step that would
		// begin an activity is skipped; any other is still performed.
		if r.over() || r.population.Over(v.Now, v.Used) {
			v.Stop = true
			if step.Begins {
				v.Skipped = true
				continue
			}
		}
		if most, is := r.population.Unreachable(); is && r.scenario.Stop == (scenarios.Stop{}) {
			ph := &r.scenario.Workload.Phases[r.phase]
			return &StartError{fmt.Errorf("%s: phase %s ends at %d files, but the device has no space or no inode for more than %d: want a larger device, more inodes (device.mkfs.inodes), or another end",
				r.scenario.File, ph.Name, ph.Until.Files, most)}
		}
		// The next step depends on what this one returned.
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

// settle writes everything at the end of the run, and ends it. It syncs twice, as the
// recorder does, so that a recorded run can be compared with a recording of it.
func (r *runner) settle(p *sim.Process, pl *play.Player) {
	if err := r.prepare(p, pl, []workload.Op{{Kind: workload.Sync}, {Kind: workload.Sync}}); err != nil {
		r.fail(err)
		return
	}
	r.engine.Stop()
}
