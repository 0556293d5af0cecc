package run

// Progress is how far a run has come.
type Progress struct {
	Done  float64 // share of the way, 0 to 1; an estimate
	Calls int64   // operations performed
	Now   int64   // simulated time, ns
	Used  float64 // share of the device in use or promised
}

// reportEvery is the number of operations between two reports of progress.
const reportEvery = 2048

// report calls Options.Progress, if there is one and enough operations have been performed
// since the last call.
func (r *runner) report() {
	if r.options.Progress == nil || r.calls-r.lastReport < reportEvery {
		return
	}
	r.lastReport = r.calls
	r.options.Progress(Progress{Done: r.share(), Calls: r.calls, Now: r.engine.Now(), Used: r.m.used()})
}

// share estimates the share of the way: the end that is nearest counts.
func (r *runner) share() float64 {
	s := &r.scenario.Stop
	best := 0.0
	// A limit of 0 does not exist. Of several limits the one that is nearest ends the run.
	consider := func(done, all float64) {
		if all > 0 {
			best = max(best, min(1, done/all))
		}
	}
	consider(float64(r.engine.Now()), float64(s.Time))
	consider(r.m.used(), s.Used)
	// A script ends with its last line, if no limit comes first.
	if sc := r.scenario.Workload.Script; sc != nil {
		consider(float64(r.calls), float64(len(sc.Ops)))
		consider(float64(r.calls), float64(s.Operations))
		return best
	}
	consider(float64(r.activities+r.population.Operations()), float64(s.Operations))
	phases := r.scenario.Workload.Phases
	// The phases count alike, however long each takes. The current one is as far as the nearest of
	// its own limits says.
	here := best
	best = 0
	u := &phases[r.phase].Until
	consider(float64(r.engine.Now()-r.phaseStart), float64(u.Time))
	consider(float64(r.population.Operations()), float64(u.Operations))
	consider(float64(r.population.Files()), float64(u.Files))
	consider(r.m.used(), u.Used)
	return max(here, (float64(r.phase)+best)/float64(len(phases)))
}
