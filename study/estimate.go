package study

import (
	"time"

	"mbsim/scenarios"
)

// Cost is an estimate of what runs take, one after the other.
type Cost struct {
	Time  time.Duration
	Known bool   // false where nothing tells
	Basis string // what the estimate is from
}

// What a run takes that has never been tried: an operation on two cores of 2020,
// and the rest.
const (
	operationTime = 20 * time.Microsecond
	runTime       = 200 * time.Millisecond
)

// Estimate estimates what tasks of the plan in dir will take: from finished runs of the same
// setting in dir, or of all its settings where that one has none; where no run is finished,
// from the number of operations.
func (p *Plan) Estimate(dir string, tasks []Task) (Cost, error) {
	done, err := finishedIn(dir)
	if err != nil {
		return Cost{}, err
	}
	// Sum up the times of finished runs, by setting and in all.
	sum, n := make(map[string]time.Duration), make(map[string]time.Duration) // by scenario digest
	var all, count time.Duration
	// The folder may hold runs of other plans, which say nothing of this one.
	wanted := make(map[string]bool)
	for i := range p.Settings {
		wanted[p.Settings[i].Digest] = true
	}
	for _, r := range done {
		if wanted[r.Digest] {
			sum[r.Digest] += time.Duration(r.Took)
			n[r.Digest]++
			all += time.Duration(r.Took)
			count++
		}
	}
	if count == 0 {
		return p.estimateOperations(tasks)
	}
	// The mean of the setting's own runs, or else of all.
	c := Cost{Known: true, Basis: "from runs finished before"}
	for _, t := range tasks {
		d := p.Settings[t.Setting].Digest
		if n[d] > 0 {
			c.Time += sum[d] / n[d]
		} else {
			c.Time += all / count
		}
	}
	return c, nil
}

// Finished returns how many runs of each setting are finished in dir, and the tasks that are
// left.
func (p *Plan) Finished(dir string) (bySetting []int, left []Task, err error) {
	done, err := finishedIn(dir)
	if err != nil {
		return nil, nil, err
	}
	bySetting = make([]int, len(p.Settings))
	for _, t := range p.Tasks() {
		if done[t.ID] != nil {
			bySetting[t.Setting]++
		} else {
			left = append(left, t)
		}
	}
	return bySetting, left, nil
}

// estimateOperations estimates from the number of operations that the scenarios state.
func (p *Plan) estimateOperations(tasks []Task) (Cost, error) {
	c := Cost{Known: true, Basis: "from the number of operations; the first finished run will tell better"}
	// Reading a scenario takes long, and all replications of a setting have the same.
	known := make(map[int]time.Duration)
	for _, t := range tasks {
		d, ok := known[t.Setting]
		if !ok {
			s, err := p.load(&p.Settings[t.Setting])
			if err != nil {
				return Cost{}, err
			}
			n, ok := operations(s)
			if !ok {
				return Cost{Basis: "nothing tells how many operations a run has"}, nil
			}
			d = runTime + time.Duration(n)*operationTime
			known[t.Setting] = d
		}
		c.Time += d
	}
	return c, nil
}

// operations returns how many operations a run performs at most, if the scenario limits them.
func operations(s *scenarios.Scenario) (n int64, ok bool) {
	if sc := s.Workload.Script; sc != nil {
		n = int64(len(sc.Ops))
	}
	// A phase ends by operations or by files, each of which takes one at least.
	for i := range s.Workload.Phases {
		u := &s.Workload.Phases[i].Until
		ops := max(u.Operations, u.Files)
		if ops == 0 && s.Stop.Operations == 0 {
			return 0, false
		}
		n += ops
	}
	// A limit of the whole run may be lower than what the phases add up to.
	if limit := s.Stop.Operations; limit > 0 && (n == 0 || limit < n) {
		n = limit
	}
	return n, true
}
