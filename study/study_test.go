package study

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mbsim/metrics"
)

// tiny is a scenario whose run takes some milliseconds.
const tiny = `# Does a study lose anything?
device: {mkfs: {size: 64M}}
cpus: 2
workload:
  classes:
    - name: w
      count: 2
      think: {exponential: 1ms}
      mix: {create: 4, append: 2, delete: 1}
      file_size: {lognormal: {median: 20K, sigma: 1, max: 1M}}
      append_size: 9K
      fsync_on_close: 50%
stop: {operations: 150}
`

func writeScenario(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "tiny.yaml")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func metricNames() (names []string) {
	for _, m := range metrics.List() {
		names = append(names, m.Name)
	}
	return names
}

func plan(t testing.TB, name string, opt Options) *Plan {
	t.Helper()
	if opt.Version == "" {
		opt.Version = "test"
	}
	opt.Metrics = metricNames()
	p, err := NewPlan(name, opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// perform runs a study to its end and returns its files.
func perform(t testing.TB, dir string, p *Plan, e Executor) (json, csv string) {
	t.Helper()
	s, err := Open(dir, p)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Run(context.Background(), e, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(); err != nil {
		t.Fatal(err)
	}
	return read(t, dir, resultName), read(t, dir, csvName)
}

func read(t testing.TB, dir, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

var someSettings = Options{Sets: []string{"s_mb_stream_request=0..2", "s_mb_group_prealloc=0,64"}, Replications: 3}

// The same bytes, however many runs go on at a time, and in whatever order.
func TestAnyJobs(t *testing.T) {
	name := writeScenario(t, tiny)
	p := plan(t, name, someSettings)
	if len(p.Settings) != 6 || len(p.Tasks()) != 18 {
		t.Fatalf("%d settings, %d tasks", len(p.Settings), len(p.Tasks()))
	}
	json1, csv1 := perform(t, t.TempDir(), p, &Pool{Jobs: 1})
	for _, e := range []Executor{&Pool{Jobs: 2}, &Pool{Jobs: 7}, backwards{}} {
		json2, csv2 := perform(t, t.TempDir(), plan(t, name, someSettings), e)
		if json1 != json2 || csv1 != csv2 {
			t.Errorf("%T: other bytes than one after the other", e)
		}
	}
	if n := strings.Count(csv1, "\n"); n != 19 {
		t.Errorf("study.csv has %d lines:\n%s", n, csv1)
	}
}

// backwards performs the last task first, and each twice.
type backwards struct{}

func (backwards) Execute(ctx context.Context, s *Study, tasks []Task, _ func(float64)) error {
	for i := len(tasks) - 1; i >= 0; i-- {
		for range 2 {
			r, err := s.Plan.Perform(ctx, tasks[i], nil)
			if err == nil {
				err = s.Add(r)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// some performs the first few tasks, and then fails.
type some int

var errEnough = errors.New("enough")

func (n some) Execute(ctx context.Context, s *Study, tasks []Task, running func(float64)) error {
	if err := (&Pool{Jobs: 1}).Execute(ctx, s, tasks[:min(int(n), len(tasks))], running); err != nil {
		return err
	}
	return errEnough
}

// counts performs all tasks and notes which.
type counts map[string]int

func (c counts) Execute(ctx context.Context, s *Study, tasks []Task, running func(float64)) error {
	for _, t := range tasks {
		c[t.ID]++
	}
	return (&Pool{Jobs: 2}).Execute(ctx, s, tasks, running)
}

// A study that ended in between goes on where it stopped, also where its last
// line was torn anywhere, and ends as if nothing had happened.
func TestResume(t *testing.T) {
	name := writeScenario(t, tiny)
	opt := Options{Sets: []string{"s_mb_stream_request=0,16"}, Replications: 2}
	want, _ := perform(t, t.TempDir(), plan(t, name, opt), &Pool{Jobs: 2})

	begun := t.TempDir()
	s, err := Open(begun, plan(t, name, opt))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(context.Background(), some(2), nil); !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole := read(t, begun, runsName)
	lines := strings.SplitAfter(whole, "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines:\n%s", len(lines)-1, whole)
	}
	for cut := 0; cut <= len(lines[1]); cut += 1 + len(lines[1])/7 {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, runsName), []byte(lines[0]+lines[1][:cut]), 0o644); err != nil {
			t.Fatal(err)
		}
		performed := counts{}
		got, _ := perform(t, dir, plan(t, name, opt), performed)
		if got != want {
			t.Errorf("cut after %d bytes: another study.json", cut)
		}
		left := 3
		if cut == len(lines[1]) {
			left = 2
		}
		if len(performed) != left {
			t.Errorf("cut after %d bytes: %d runs were performed, want %d", cut, len(performed), left)
		}
	}
	// Finished altogether: nothing is performed.
	performed := counts{}
	if got, _ := perform(t, begun, plan(t, name, opt), performed); got != want || len(performed) != 2 {
		t.Errorf("%d runs performed", len(performed))
	}
	performed = counts{}
	if got, _ := perform(t, begun, plan(t, name, opt), performed); got != want || len(performed) != 0 {
		t.Errorf("a finished study performed %d runs", len(performed))
	}
}

// More settings, more replications and other code are other runs; what they share
// is kept.
func TestPlansShareRuns(t *testing.T) {
	name := writeScenario(t, tiny)
	dir := t.TempDir()
	for _, step := range []struct {
		opt     Options
		want    int // runs performed
		foreign int
	}{
		{Options{Sets: []string{"s_mb_stream_request=0,16"}, Replications: 2}, 4, 0},
		{Options{Sets: []string{"s_mb_stream_request=0,16"}, Replications: 3}, 2, 0},
		{Options{Sets: []string{"mb_stream_req=0,8,16"}, Replications: 3}, 3, 0},
		{Options{Sets: []string{"s_mb_stream_request=16,0"}, Replications: 1}, 0, 7},
		{Options{Sets: []string{"s_mb_stream_request=16,0"}, Replications: 1, Version: "newer"}, 2, 9},
	} {
		performed := counts{}
		perform(t, dir, plan(t, name, step.opt), performed)
		s, err := Open(dir, plan(t, name, step.opt))
		if err != nil {
			t.Fatal(err)
		}
		if len(performed) != step.want || s.Foreign() != step.foreign {
			t.Errorf("%v: %d runs performed, %d foreign; want %d, %d", step.opt, len(performed), s.Foreign(), step.want, step.foreign)
		}
		s.Close()
	}
}

// One study at a time runs in a folder.
func TestLock(t *testing.T) {
	p := plan(t, writeScenario(t, tiny), Options{Sets: []string{"s_mb_stream_request=0,16"}})
	dir := t.TempDir()
	s, err := Open(dir, p)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir, p)
	host, err2 := os.Hostname()
	if err2 != nil {
		t.Fatal(err2)
	}
	want := fmt.Sprintf("%s is in use by process %d on %s: one at a time writes into a folder", dir, os.Getpid(), host)
	if err == nil || err.Error() != want || !errors.As(err, new(*UserError)) {
		t.Errorf("a second study: %v, want %s", err, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(dir, p); err != nil {
		t.Fatalf("after the first: %v", err)
	}
	s.Close()
}

// What Load reads is what was written.
func TestLoad(t *testing.T) {
	name := writeScenario(t, tiny)
	dir := t.TempDir()
	p := plan(t, name, someSettings)
	s, err := Open(dir, p)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Run(context.Background(), some(11), nil); !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	part, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if part.Missing != 7 || len(part.Settings[0].Runs) != 2 || len(part.Settings[5].Runs) != 1 {
		t.Errorf("%d missing", part.Missing)
	}
	if err := s.Run(context.Background(), &Pool{Jobs: 2}, nil); err != nil {
		t.Fatal(err)
	}
	r, err := s.Write()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(normal(t, r), normal(t, again)) {
		t.Error("what was read is not what was written")
	}
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no study: there is no plan.json") {
		t.Error(err)
	}
}

// normal is a result without what JSON does not tell apart.
func normal(t *testing.T, r *Result) string {
	t.Helper()
	var b bytes.Buffer
	for _, s := range r.Settings {
		fmt.Fprintf(&b, "%s %s %+v\n", s.Name, compact(s.Config), s.Runs)
		for _, m := range r.Metrics {
			sum := s.Summary[m.Name]
			fmt.Fprintf(&b, "%s %d %v\n", m.Name, sum.N, sum.Mean)
			if d := sum.Difference; d != nil {
				fmt.Fprintf(&b, "%d %v %v\n", d.Pairs, d.Mean, d.Verdict)
			}
		}
	}
	fmt.Fprintf(&b, "%s %s %d %v %v\n", r.Baseline, r.Metric, r.Replications, r.Precise, r.Metrics)
	return b.String()
}
