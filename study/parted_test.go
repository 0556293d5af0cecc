package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// looking is a scenario whose processes look at how full the device is, if target says so.
func looking(t *testing.T, target string) *Result {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "looking.yaml")
	text := `
device: {mkfs: {size: 64M}}
workload:
  classes:
    - {name: p, count: 2, mix: {create: 5, append: 3, delete: 2}, file_size: {uniform: {min: 1K, max: 300K}}, append_size: 10K` + target + `}
stop: {operations: 2000}
`
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(path, Options{Sets: []string{"mount=delalloc|nodelalloc"}, Replications: 3, MinEffect: DefaultMinEffect, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(filepath.Join(dir, "out"), p)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Run(t.Context(), &Pool{Jobs: 1}, nil); err != nil {
		t.Fatal(err)
	}
	r, err := s.Result()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestParted: settings whose workloads part, since these look at the outcome, are no pairs,
// and the study says so. Where nothing looks at the outcome the workloads are the same.
func TestParted(t *testing.T) {
	r := looking(t, ", target_used: 60%")
	a, b := r.Samples(&r.Settings[0]), r.Samples(&r.Settings[1])
	within, n := Parted(a, b)
	if n == 0 || within < 2 || within > 1024 {
		t.Errorf("%d of 3 pairs parted, within %d operations", n, within)
	}
	if e := Compare(a, b, "extents_per_file_mean", 0); e.Paired {
		t.Errorf("compared in pairs: %+v", e)
	}
	if text := strings.Join(r.Doubts(), "\n"); !strings.Contains(text, "did not do the same under") {
		t.Errorf("the study says only %q", text)
	}
	r = looking(t, ", on_full: continue")
	if within, n := Parted(r.Samples(&r.Settings[0]), r.Samples(&r.Settings[1])); n > 0 {
		t.Errorf("%d pairs parted within %d operations, and nothing looks at the outcome", n, within)
	}
	if e := r.Effects("extents_per_file_mean")[1]; !e.Paired {
		t.Errorf("not compared in pairs: %+v", e)
	}
}
