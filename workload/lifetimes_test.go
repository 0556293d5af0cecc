package workload

import (
	"math/rand/v2"
	"testing"
)

// A process that keeps 1000 files deletes those with short lives soon and those with long ones late: of
// two lives that are as likely, one ten times the other, files alive are mostly of the long kind.
func TestLifetimes(t *testing.T) {
	c := Class{Name: "c", Count: 1, Delete: ExpiredFile, Lifetime: Dist{Kind: Histogram, Bins: []Bin{{100, 1}, {1000, 1}}}, FileSize: Dist{Kind: Constant}}
	w := &Worker{class: &c, pop: &Population{}}
	w.samplers.life = c.Lifetime.Sampler()
	w.streams.life = rand.New(rand.NewPCG(1, 2))
	create := func() {
		w.created++
		f := &file{}
		w.bear(f)
		w.files.add(f)
	}
	for range 1000 {
		create()
	}
	for range 20000 {
		create()
		f := w.expired()
		if f == nil || w.files.all[f.at] != f {
			t.Fatal("it would delete a file that is not there")
		}
		w.files.remove(f)
	}
	long := 0
	for _, f := range w.files.all {
		if f.life == 1000 {
			long++
		}
	}
	// By Little's law 10 of 11 files alive have a long life.
	if n := len(w.files.all); n != 1000 || long < 880 || long > 940 {
		t.Errorf("%d of %d files have a long life, want about 909", long, n)
	}
}
