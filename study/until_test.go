package study

import (
	"math"
	"strings"
	"testing"
	"time"

	"mbsim/study/stats"
)

// Replications are added until the rule holds, and not one round more.
func TestUntil(t *testing.T) {
	name := writeScenario(t, tiny)
	for _, c := range []struct {
		sets    []string
		until   string
		precise bool
		between [2]int // replications
	}{
		{[]string{"s_mb_group_prealloc=0,512"}, "ci=50%,metric=free_extents", true, [2]int{3, 3}},
		{[]string{"s_mb_group_prealloc=0,512"}, "ci=8%,metric=free_extents", true, [2]int{7, 60}},
		{[]string{"s_mb_group_prealloc=0,512"}, "ci=0.001%,max=9,metric=free_extents", false, [2]int{9, 9}},
		{nil, "ci=0.2%,metric=dynamic_layout_score", true, [2]int{11, 90}},
		{[]string{"s_mb_group_prealloc=0,512"}, "ci=0%,max=9,metric=files", true, [2]int{3, 3}}, // the same in both
	} {
		dir := t.TempDir()
		perform(t, dir, plan(t, name, Options{Sets: c.sets, Until: c.until, Replications: 3}), &Pool{Jobs: 2})
		r, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if r.Precise != c.precise || r.Replications < c.between[0] || r.Replications > c.between[1] || r.Missing > 0 {
			t.Errorf("%v until %s: %d replications, precise %v", c.sets, c.until, r.Replications, r.Precise)
		}
		// The rule, by hand.
		base := r.Find(r.Baseline)
		holds := func(replications int) bool {
			part := func(s *SettingResult) []Sample { return r.Samples(s)[:replications] }
			m := stats.MeanOf(Values(part(base), r.Metric))
			half := m.Half
			if len(r.Settings) == 2 {
				half = Compare(part(base), part(&r.Settings[1]), r.Metric, 0).Difference.Half
			}
			return half <= r.Until.CI*math.Abs(m.Value)
		}
		if r.Precise != holds(r.Replications) {
			t.Errorf("%v until %s: precise is %v", c.sets, c.until, r.Precise)
		}
		if round := (roundRuns + len(r.Settings) - 1) / len(r.Settings); r.Precise && r.Replications > 3 && holds(r.Replications-round) {
			t.Errorf("%v until %s: %d replications are a round too many", c.sets, c.until, r.Replications)
		}
	}
}

func TestUntilWithoutMetric(t *testing.T) {
	name := writeScenario(t, tiny)
	p := plan(t, name, Options{Replications: 2, Until: "ci=2%,metric=rsv_reqs"})
	s, err := Open(t.TempDir(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Run(t.Context(), &Pool{Jobs: 2}, nil)
	if err == nil || err.Error() != "until: some setting has no value for rsv_reqs: want another metric" {
		t.Error(err)
	}
}

// Before any run is finished, operations tell; then the runs do.
func TestEstimate(t *testing.T) {
	name := writeScenario(t, tiny)
	opt := Options{Sets: []string{"s_mb_stream_request=0,16"}, Replications: 2}
	p := plan(t, name, opt)
	dir := t.TempDir()
	c, err := p.Estimate(dir, p.Tasks())
	if err != nil || !c.Known || c.Time != 4*(runTime+150*operationTime) || !strings.HasPrefix(c.Basis, "from the number of operations") {
		t.Errorf("%+v, %v", c, err)
	}
	s, err := Open(dir, p)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tasks := p.Tasks()
	for i, took := range []time.Duration{time.Second, 3 * time.Second, 2 * time.Second} {
		r, err := p.Perform(t.Context(), tasks[i], nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Took = int64(took)
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	// The first setting took 1 s and 2 s, the second 3 s.
	if c, err = p.Estimate(dir, tasks); err != nil || c.Time != 2*(1500*time.Millisecond+3*time.Second) || c.Basis != "from runs finished before" {
		t.Errorf("%+v, %v", c, err)
	}
	timed := strings.Replace(tiny, "operations: 150", "time: 1s", 1)
	p = plan(t, writeScenario(t, timed), opt)
	if c, err = p.Estimate(t.TempDir(), p.Tasks()); err != nil || c.Known {
		t.Errorf("%+v, %v", c, err)
	}
}

// Progress never falls, but for what goes on, and ends with all.
func TestProgress(t *testing.T) {
	p := plan(t, writeScenario(t, tiny), Options{Sets: []string{"s_mb_stream_request=0,16"}, Replications: 3})
	s, err := Open(t.TempDir(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var last Progress
	err = s.Run(t.Context(), &Pool{Jobs: 1}, func(p Progress) {
		if p.Done < last.Done || p.Total != 6 || p.Running < 0 || p.Running > 1 {
			t.Errorf("%+v after %+v", p, last)
		}
		last = p
	})
	if err != nil || last.Done != 6 || last.Running != 0 {
		t.Errorf("the end is %+v, %v", last, err)
	}
}
