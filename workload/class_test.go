package workload

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"
)

// named are streams as sim.Streams gives them: one for each name.
func named(seed uint64) func(string) *rand.Rand {
	return func(name string) *rand.Rand {
		var key [32]byte
		copy(key[:], fmt.Sprint(seed, " ", name))
		if len(name) > 24 {
			for i, c := range []byte(name) {
				key[i%32] = key[i%32]*31 + c
			}
		}
		return rand.New(rand.NewChaCha8(key))
	}
}

// mixed is a class that does everything.
func mixed() Class {
	return Class{
		Name: "mixed", Count: 2, Files: 2, Think: Dist{Kind: Exponential, Mean: 1000000},
		Mix:           Mix{CreateFile: 4, AppendFile: 2, OverwriteFile: 2, TruncateFile: 1, DeleteFile: 2, FsyncFile: 1, FallocateFile: 1, ReadAFile: 2},
		FileSize:      Dist{Kind: Lognormal, Median: 8192, Sigma: 1, Max: 1 << 20},
		AppendSize:    Dist{Kind: LogUniform, Min: 100, Max: 10000},
		OverwriteSize: Dist{Kind: Histogram, Bins: []Bin{{4096, 3}, {16384, 1}}},
		ReadSize:      Dist{Kind: Uniform, Min: 1, Max: 8192},
		Chunk:         4096, Align: 4096, FsyncOnClose: 0.3,
		Directories: Directories{Count: 3, Depth: 2, PerProcess: true},
	}
}

// player performs what a population asks for on a model, always the process
// whose operation is due first. It is a small run.
type player struct {
	fs      *modelFS
	pop     *Population
	now     int64
	log     []Op
	actions []Activity
	limit   int // operations at most, a phase
}

func (p *player) phase(ph *Phase) (workers []*Worker) {
	workers, prepare := p.pop.Begin(ph, p.now)
	for i := range prepare {
		for p.fs.do(&prepare[i]) == -enospc {
		}
	}
	turns := make(turns, len(workers))
	for i, w := range workers {
		turns[i].next(w, View{Now: p.now, Used: p.fs.share()}, i)
	}
	stop := false
	for n := len(workers); ; n++ {
		t := turns.first()
		if t == nil {
			return workers
		}
		stop = stop || n >= p.limit || p.pop.Over(t.step.At, p.fs.share())
		v := View{Stop: stop, Skipped: stop && t.step.Begins}
		if !v.Skipped {
			p.now = max(p.now, t.step.At)
			p.log = append(p.log, t.step.Op)
			if t.step.Begins {
				p.actions = append(p.actions, t.step.Activity)
			}
			v.Ret = p.fs.do(&t.step.Op)
		}
		v.Now, v.Used = p.now, p.fs.share()
		t.next(t.worker, v, n)
	}
}

// check compares what the population believes with the model.
func (p *player) check(t interface{ Fatalf(string, ...any) }, workers []*Worker) {
	if len(p.fs.problems) > 0 {
		t.Fatalf("%s", strings.Join(p.fs.problems, "\n"))
	}
	if len(p.fs.fds) > 0 {
		t.Fatalf("open descriptors remain: %v", p.fs.fds)
	}
	if p.pop.Files() != int64(len(p.fs.files)) {
		t.Fatalf("the population knows %d files, the model %d", p.pop.Files(), len(p.fs.files))
	}
	for _, w := range workers {
		n := 0
		for f := w.files.oldest; f != nil; f = f.newer {
			if size, ok := p.fs.files[f.path]; !ok || size != f.size || f.fd != "" || w.files.all[f.at] != f {
				t.Fatalf("%s: it believes %s has %d bytes, the model says %d %v; descriptor %q", w.Name, f.path, f.size, size, ok, f.fd)
			}
			n++
		}
		if n != len(w.files.all) {
			t.Fatalf("%s: %d files by age, %d in all", w.Name, n, len(w.files.all))
		}
	}
}

func anyClass(name string) *rapid.Generator[Class] {
	size := anyDist().Filter(func(d Dist) bool { return d.Kind != NoDist })
	small := func(t *rapid.T, label string) Dist {
		d := size.Draw(t, label)
		if d.Kind == Constant {
			d.Value %= 100000
			return d
		}
		d.Min, d.Max = 1+d.Min%1000, 1000+d.Max%100000
		d.Ranges = false
		return d
	}
	return rapid.Custom(func(t *rapid.T) Class {
		c := Class{Name: name, Count: rapid.IntRange(1, 3).Draw(t, "count")}
		for a := range c.Mix {
			c.Mix[a] = rapid.Float64Range(0, 3).Draw(t, Activity(a).String())
		}
		c.Mix[rapid.IntRange(0, int(activities)-1).Draw(t, "sure")]++
		c.Files = rapid.IntRange(0, 4).Draw(t, "files")
		c.FileSize, c.AppendSize, c.OverwriteSize = small(t, "file"), small(t, "append"), small(t, "over")
		if rapid.Bool().Draw(t, "read") {
			c.ReadSize = small(t, "size")
		}
		c.Chunk = rapid.SampledFrom([]int64{0, 1000, 4096}).Draw(t, "chunk")
		c.Align = rapid.SampledFrom([]int64{0, 1, 4096}).Draw(t, "align")
		c.Sparse, c.KeepOpen = rapid.Bool().Draw(t, "sparse"), rapid.Bool().Draw(t, "open")
		c.FsyncOnClose = rapid.Float64Range(0, 1).Draw(t, "fsync")
		c.FallocateMode = rapid.SampledFrom([]uint32{0, FallocKeepSize, FallocPunchHole, FallocZeroRange}).Draw(t, "mode")
		c.Delete = Choice(rapid.IntRange(0, 1).Draw(t, "delete"))
		c.OnFull = OnFull(rapid.IntRange(0, 2).Draw(t, "onfull"))
		if rapid.Bool().Draw(t, "target") {
			c.TargetUsed = 0.8
		}
		c.Directories = Directories{
			Count: rapid.IntRange(0, 6).Draw(t, "dirs"), Depth: rapid.IntRange(1, 4).Draw(t, "depth"), Files: rapid.IntRange(0, 3).Draw(t, "fill"),
			PerProcess: rapid.Bool().Draw(t, "per"), Top: rapid.Bool().Draw(t, "top"),
		}
		return c
	})
}

// Whatever the class, and whatever fails: no process asks for what cannot be,
// and what it believes of its files is true.
func TestClassProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &player{fs: newModel(rapid.Int64Range(1000, 1<<20).Draw(t, "capacity")), limit: 150}
		p.pop = NewPopulation(4, named(rapid.Uint64().Draw(t, "seed")))
		if r := stream(1); rapid.Bool().Draw(t, "failures") {
			p.fs.fail = func() bool { return r.IntN(10) == 0 }
		}
		a, b := anyClass("a").Draw(t, "a"), anyClass("b").Draw(t, "b")
		again := anyClass("a").Draw(t, "a again")
		again.Directories = a.Directories
		for _, c := range []*Class{&a, &b, &again} {
			if err := c.Check(4); err != nil {
				t.Fatal(err)
			}
		}
		w := p.phase(&Phase{Classes: []Class{a, b}})
		p.check(t, w)
		w = p.phase(&Phase{Classes: []Class{again}, Until: Until{Operations: 20}})
		p.check(t, w)
	})
}

// What a class does for a seed: the words in testdata/generators are the
// scenario's, the answer is a script.
func TestGenerators(t *testing.T) {
	datadriven.RunTest(t, "testdata/generators", func(t *testing.T, d *datadriven.TestData) string {
		c := mixed()
		switch d.Cmd {
		case "mixed":
		case "appenders":
			c = Class{
				Name: "log", Count: 3, CPUs: []int{1, 3}, Files: 1, KeepOpen: true, FsyncOnClose: 1, Mix: Mix{AppendFile: 1},
				FileSize: Dist{Kind: Constant}, AppendSize: Dist{Kind: Uniform, Min: 1000, Max: 9000},
				Arrival: Dist{Kind: Exponential, Mean: 1000}, Directories: Directories{},
			}
		case "untar":
			c = Class{
				Name: "tar", Count: 1, Chunk: 4096, Mix: Mix{CreateFile: 1}, FileSize: Dist{Kind: Lognormal, Median: 4096, Sigma: 1},
				Directories: Directories{Count: 6, Depth: 3, Files: 2, PerProcess: true, Top: true},
			}
		case "holes":
			c = Class{
				Name: "db", Count: 1, Files: 2, Sparse: true, Align: 4096, FallocateMode: FallocPunchHole,
				Mix: Mix{OverwriteFile: 3, FallocateFile: 1}, FileSize: Dist{Kind: Constant, Value: 1 << 30},
				OverwriteSize: Dist{Kind: Constant, Value: 8192}, Directories: Directories{Count: 1},
			}
		default:
			t.Fatalf("unknown command %s", d.Cmd)
		}
		var operations int64
		seed := uint64(1)
		d.ScanArgs(t, "operations", &operations)
		if d.HasArg("seed") {
			d.ScanArgs(t, "seed", &seed)
		}
		if err := c.Check(4); err != nil {
			return err.Error()
		}
		ph := Phase{Classes: []Class{c}, Until: Until{Operations: operations}}
		var b bytes.Buffer
		if err := WriteScript(&b, NewPopulation(4, named(seed)).Script(&ph, 1000)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	})
}

// Streams for other purposes than the one that changes stay as they are.
func TestStreamsAreApart(t *testing.T) {
	run := func(change func(*Class)) ([]Op, []Activity) {
		c := mixed()
		c.Count = 1
		change(&c)
		p := &player{fs: newModel(1 << 40), limit: 600, pop: NewPopulation(4, named(3))}
		p.check(t, p.phase(&Phase{Classes: []Class{c}}))
		return p.log, p.actions
	}
	ops, actions := run(func(c *Class) {})
	if again, _ := run(func(c *Class) {}); !reflect.DeepEqual(ops, again) {
		t.Fatal("the same seed gave another stream")
	}
	if other, _ := run(func(c *Class) { c.Think = Dist{Kind: Constant, Value: 5} }); !reflect.DeepEqual(ops, other) {
		t.Error("another think time changed the operations")
	}
	_, other := run(func(c *Class) { c.FileSize, c.FsyncOnClose = Dist{Kind: Constant, Value: 100}, 1 })
	if n := min(len(other), len(actions)); n < 50 || !reflect.DeepEqual(actions[:n], other[:n]) {
		t.Error("another file size changed what the process chose to do")
	}
}

// A class with a target holds the device near it, and a full device is no end.
func TestTargetUsed(t *testing.T) {
	c := Class{
		Name: "churn", Count: 2, Mix: Mix{CreateFile: 1, DeleteFile: 1}, FileSize: Dist{Kind: LogUniform, Min: 1000, Max: 20000},
		TargetUsed: 0.9, Directories: Directories{Count: 2},
	}
	p := &player{fs: newModel(1 << 20), limit: 1 << 20, pop: NewPopulation(1, named(1))}
	p.check(t, p.phase(&Phase{Classes: []Class{c}, Until: Until{Used: 0.9}}))
	if s := p.fs.share(); s < 0.9 || s > 0.92 {
		t.Errorf("the first phase ends with %.3f used", s)
	}
	for range 20 {
		p.check(t, p.phase(&Phase{Classes: []Class{c}, Until: Until{Operations: 100}}))
		if s := p.fs.share(); s < 0.85 || s > 0.95 {
			t.Errorf("it strays to %.3f", s)
		}
	}
}

// Where a later phase has fewer processes of a class, their files are shared
// out; where it has more, the new ones begin without.
func TestPhases(t *testing.T) {
	c := Class{Name: "w", Count: 4, Files: 3, Mix: Mix{ReadAFile: 1}, FileSize: Dist{Kind: Constant, Value: 10}, Directories: Directories{Count: 2}}
	p := &player{fs: newModel(1 << 20), limit: 1000, pop: NewPopulation(4, named(1))}
	p.check(t, p.phase(&Phase{Classes: []Class{c}, Until: Until{Files: 12}}))
	if p.pop.Files() != 12 {
		t.Errorf("%d files, want 12", p.pop.Files())
	}
	for _, s := range []struct {
		count int
		files []int
	}{{3, []int{6, 3, 3}}, {1, []int{12}}, {2, []int{12, 3}}} {
		c.Count = s.count
		w := p.phase(&Phase{Classes: []Class{c}, Until: Until{Operations: 20}})
		p.check(t, w)
		var files []int
		for _, w := range w {
			files = append(files, len(w.files.all))
		}
		if !reflect.DeepEqual(files, s.files) {
			t.Errorf("%d processes have %v files, want %v", s.count, files, s.files)
		}
	}
}

// Open arrivals do not wait for slow operations; closed ones do.
func TestArrivals(t *testing.T) {
	for _, open := range []bool{true, false} {
		c := Class{Name: "a", Count: 1, Mix: Mix{CreateFile: 1}, FileSize: Dist{Kind: Constant}}
		every := Dist{Kind: Constant, Value: 100}
		want := []int64{1100, 1250, 1400, 1550}
		if open {
			c.Arrival = every
			want = []int64{1100, 1200, 1300, 1400}
		} else {
			c.Think = every
		}
		w, _ := NewPopulation(1, named(1)).Begin(&Phase{Classes: []Class{c}}, 1000)
		now := int64(1000)
		var got []int64
		for len(got) < len(want) {
			s, _ := w[0].Next(View{Now: now})
			if s.Begins {
				got = append(got, s.At)
				now = s.At
			}
			now += 25 // an operation takes this long; creat and close 50
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("open %v: started at %v, want %v", open, got, want)
		}
	}
	// Late ones start at once, in a row.
	c := Class{Name: "a", Count: 1, Mix: Mix{CreateFile: 1}, FileSize: Dist{Kind: Constant}, Arrival: Dist{Kind: Constant, Value: 10}}
	w, _ := NewPopulation(1, named(1)).Begin(&Phase{Classes: []Class{c}}, 0)
	w[0].Next(View{Now: 0})
	w[0].Next(View{Now: 500})
	if s, _ := w[0].Next(View{Now: 500}); s.At != 500 || !s.Begins {
		t.Errorf("an operation due at 20 starts at %d", s.At)
	}
}

func TestTrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Directories{Count: rapid.IntRange(0, 60).Draw(t, "count"), Depth: rapid.IntRange(1, 5).Draw(t, "depth"), Top: rapid.Bool().Draw(t, "top")}
		tr := newTree(&l, "x", stream(rapid.Uint64().Draw(t, "seed")))
		seen := map[string]bool{".": true}
		for _, op := range tr.makeAll(nil) {
			if !seen[path.Dir(op.Path)] || seen[op.Path] {
				t.Fatalf("%s: made before its parent, or twice", op.Path)
			}
			seen[op.Path] = true
			levels := strings.Count(op.Path, "/") + 1
			if l.Top {
				levels--
			}
			if levels > l.Depth {
				t.Fatalf("%s is %d deep, want %d at most", op.Path, levels, l.Depth)
			}
		}
	})
	// A deep tree is deep.
	tr := newTree(&Directories{Count: 200, Depth: 4, Top: true}, "x", stream(1))
	var levels [5]int
	for _, d := range tr.dirs {
		levels[strings.Count(d.path, "/")]++
	}
	if levels[0] != 1 || levels[1] < 2 || levels[2] < 10 || levels[3] < 10 || levels[4] < 10 {
		t.Errorf("directories by depth: %v", levels)
	}
}

func TestClassCheck(t *testing.T) {
	size := Dist{Kind: Constant, Value: 1}
	for _, c := range []struct {
		change func(*Class)
		want   string
	}{
		{func(c *Class) { c.Name = "a b" }, `name: "a b": want 1 to 64 letters, digits, - or _`},
		{func(c *Class) { c.Name = "" }, `name: "": want 1 to 64 letters, digits, - or _`},
		{func(c *Class) { c.Arrival = size }, "arrival: think is given too: want one of them"},
		{func(c *Class) { c.Think, c.Arrival = Dist{}, Dist{Kind: Constant} }, "arrival: 0: operations would arrive without end at one time"},
		{func(c *Class) { c.CPUs = []int{0, 4} }, "cpus: 4: the machine has CPUs 0 to 3"},
		{func(c *Class) { c.Mix = Mix{} }, "mix: no operation has a weight above 0"},
		{func(c *Class) { c.AppendSize = Dist{} }, "append_size: missing: the size of an append"},
		{func(c *Class) { c.OverwriteSize = Dist{} }, "overwrite_size: missing: the size of an overwrite"},
		{func(c *Class) { c.FileSize = Dist{} }, "file_size: missing: the size of a created file"},
		{func(c *Class) { c.AppendSize, c.Mix = Dist{}, Mix{FallocateFile: 1} }, "append_size: missing: the size of a fallocate"},
		{func(c *Class) {
			c.OverwriteSize, c.Mix, c.FallocateMode = Dist{}, Mix{FallocateFile: 1}, FallocPunchHole
		}, "overwrite_size: missing: the size of a punched hole or a zeroed range"},
	} {
		class := mixed()
		c.change(&class)
		err := class.Check(4)
		var key *KeyError
		if err == nil || err.Error() != c.want || !errors.As(err, &key) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	c := mixed()
	w, _ := NewPopulation(1, named(1)).Begin(&Phase{Classes: []Class{c}}, 0)
	var v View
	b.ReportAllocs()
	for range b.N {
		s, _ := w[0].Next(v)
		v.Ret, v.Now = 0, s.At
		if s.Op.Kind == Write || s.Op.Kind == Read {
			v.Ret = s.Op.Len
		}
	}
}
