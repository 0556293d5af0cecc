package alloctest

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"mbsim/allocator"
)

// Policy is an allocator as the suite sees it.
type Policy interface {
	// Take asks for blocks and returns the first and how many, or false where
	// there is no space.
	Take(r Request) (start allocator.Block, n uint32, ok bool)
	// Give frees blocks of a file, and reports whether they can be allocated at
	// once, or only after Settle.
	Give(r Request) (atOnce bool)
	// Forget drops what the policy holds back for a file, as closing it does.
	Forget(file int)
	// Settle commits what was freed.
	Settle()

	Free() int64                          // free blocks, by the group descriptors
	FreeOf(id allocator.GroupID) uint32   // those of one group
	Bitmap(id allocator.GroupID) []uint64 // blocks in use, as on disk
	Check() error                         // the policy's own recount, if it has one
}

// Request is one for a file's blocks, or of a file to free the blocks [Goal,
// Goal+Len).
type Request struct {
	CPU  int
	File int // from 1 on
	Goal allocator.Block
	Len  uint32
	// Plain asks as for a directory: nothing is held back for the file.
	Plain bool
}

// Maker mounts a disk with the policy, for so many CPUs.
type Maker func(d *Disk, cpus int) (Policy, error)

// Run runs the suite.
func Run(t *testing.T, mount Maker) {
	t.Run("random", func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { random(t, mount) }) })
	t.Run("goal", func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { goal(t, mount) }) })
	t.Run("fill", func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { fillAndEmpty(t, mount) }) })
	t.Run("repeat", func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { repeat(t, mount) }) })
}

// shape draws a small disk, some of it in use.
func shape() *rapid.Generator[Shape] {
	return rapid.Custom(func(t *rapid.T) Shape {
		s := Shape{
			BlockBits: rapid.SampledFrom([]uint8{10, 11, 12}).Draw(t, "block bits"),
			FlexBits:  rapid.SampledFrom([]uint8{0, 0, 2}).Draw(t, "flex bits"),
			Groups:    rapid.IntRange(1, 6).Draw(t, "groups"),
		}
		s.BlocksPerGroup = 64 * rapid.Uint32Range(1, 16).Draw(t, "blocks per group/64")
		s.LastGroup = rapid.Uint32Range(16, s.BlocksPerGroup).Draw(t, "last group")
		total := uint64(s.Groups) * uint64(s.BlocksPerGroup)
		// Runs in use, anywhere on the disk.
		for range rapid.IntRange(0, 20).Draw(t, "runs in use") {
			s.Used = append(s.Used, Range{
				Start: allocator.Block(rapid.Uint64Range(0, total-1).Draw(t, "used")),
				Len:   rapid.Uint32Range(1, s.BlocksPerGroup/4).Draw(t, "used blocks"),
			})
		}
		return s
	})
}

// bench is a policy at work beside its oracle.
type bench struct {
	t      *rapid.T
	disk   *Disk
	policy Policy
	oracle *Oracle
	held   []Request // what files have
}

func newBench(t *rapid.T, s Shape, mount Maker, cpus int) *bench {
	d := NewDisk(s)
	p, err := mount(d, cpus)
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	return &bench{t: t, disk: d, policy: p, oracle: NewOracle(d)}
}

// take performs a request and holds what came of it against the contract.
func (b *bench) take(r Request) (start allocator.Block, n uint32, ok bool) {
	start, n, ok = b.policy.Take(r)
	// No space may be reported only if there is none.
	if !ok {
		if b.oracle.Free() > 0 {
			b.t.Fatalf("%+v found no space, %d blocks are free", r, b.oracle.Free())
		}
		return 0, 0, false
	}
	// What was given lies in the request's length, outside the metadata, and is free.
	if n < 1 || n > r.Len {
		b.t.Fatalf("%+v got %d blocks", r, n)
	}
	if b.disk.SystemZone(start, n) {
		b.t.Fatalf("%+v got [%d, +%d): the file system's own", r, start, n)
	}
	if err := b.oracle.Take(r.File, start, n); err != nil {
		b.t.Fatalf("%+v got [%d, +%d): %v", r, start, n, err)
	}
	b.held = append(b.held, Request{CPU: r.CPU, File: r.File, Goal: start, Len: n})
	return start, n, true
}

// give frees the piece i of what files hold.
func (b *bench) give(i int) {
	r := b.held[i]
	b.held = slices.Delete(b.held, i, i+1)
	if err := b.oracle.Give(r.File, r.Goal, r.Len, b.policy.Give(r)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) settle() {
	b.policy.Settle()
	b.oracle.Settle()
}

func (b *bench) compare() {
	if err := b.oracle.Compare(b.policy); err != nil {
		b.t.Fatal(err)
	}
}

const maxFiles = 8

// draw draws a request; its goal is anywhere, off the device too, or behind the
// file's last blocks.
func (b *bench) draw(cpus int) Request {
	t := b.t
	r := Request{
		CPU:   rapid.IntRange(0, cpus-1).Draw(t, "cpu"),
		File:  rapid.IntRange(1, maxFiles).Draw(t, "file"),
		Goal:  allocator.Block(rapid.Uint64Range(0, uint64(b.disk.Geometry.Blocks)+10).Draw(t, "goal")),
		Len:   rapid.SampledFrom([]uint32{1, 1, 1, 2, 3, 8, 20, 100, 2000}).Draw(t, "blocks"),
		Plain: rapid.IntRange(0, 4).Draw(t, "plain") == 0,
	}
	// Half of the requests go on behind the file's last blocks, as writing does.
	if rapid.Bool().Draw(t, "append") {
		for i := len(b.held) - 1; i >= 0; i-- {
			if b.held[i].File == r.File {
				r.Goal = b.held[i].Goal + allocator.Block(b.held[i].Len)
				break
			}
		}
	}
	return r
}

// random does everything in any order, comparing after each step.
func random(t *rapid.T, mount Maker) {
	cpus := rapid.IntRange(1, 3).Draw(t, "cpus")
	// Each step is compared with the list of owners (the entry without a name).
	b := newBench(t, shape().Draw(t, "disk"), mount, cpus)
	t.Repeat(map[string]func(*rapid.T){
		"take":  func(t *rapid.T) { b.t = t; b.take(b.draw(cpus)) },
		"take2": func(t *rapid.T) { b.t = t; b.take(b.draw(cpus)) },
		"give": func(t *rapid.T) {
			b.t = t
			if len(b.held) == 0 {
				t.Skip("nothing to give")
			}
			b.give(rapid.IntRange(0, len(b.held)-1).Draw(t, "piece"))
		},
		"forget": func(t *rapid.T) { b.policy.Forget(rapid.IntRange(1, maxFiles).Draw(t, "file")) },
		"settle": func(t *rapid.T) { b.settle() },
		"":       func(t *rapid.T) { b.t = t; b.compare() },
	})
}

// goal asks for blocks that are free, on a disk where nothing is held back.
func goal(t *rapid.T, mount Maker) {
	b := newBench(t, shape().Draw(t, "disk"), mount, 1)
	for range rapid.IntRange(1, 30).Draw(t, "requests") {
		r := b.draw(1)
		r.Plain = true
		// How many blocks are free from the goal on: 0 if it lies off the device.
		wish := uint32(0)
		if r.Goal >= b.disk.Geometry.FirstDataBlock && r.Goal < b.disk.Geometry.Blocks {
			wish = b.oracle.FreeRun(r.Goal)
		}
		if r.Len > wish && wish > 0 {
			r.Len = wish
		}
		// A request that fits at its goal must get that place.
		start, n, ok := b.take(r)
		if wish > 0 && (!ok || start != r.Goal || n != r.Len) {
			t.Fatalf("%+v: got [%d, +%d), but %d blocks are free at the goal", r, start, n, wish)
		}
	}
	b.compare()
}

// fillAndEmpty takes every block there is, gives all back, and does it again.
func fillAndEmpty(t *rapid.T, mount Maker) {
	cpus := rapid.IntRange(1, 2).Draw(t, "cpus")
	b := newBench(t, shape().Draw(t, "disk"), mount, cpus)
	atMount := b.oracle.Free()
	sizes := rapid.SliceOfN(rapid.Uint32Range(1, 300), 1, 5).Draw(t, "sizes")
	for range 2 {
		// Requests of the drawn sizes, of all files in turn, until there is no space.
		for i := 0; ; i++ {
			r := Request{CPU: i % cpus, File: 1 + i%maxFiles, Len: sizes[i%len(sizes)], Goal: allocator.Block(i*7) % b.disk.Geometry.Blocks, Plain: i%5 == 4}
			if _, _, ok := b.take(r); !ok {
				break
			}
		}
		if b.oracle.Free() != 0 {
			t.Fatalf("%d blocks are left", b.oracle.Free())
		}
		b.compare()
		// Everything is given back, from the middle of the list, so that neighbours become
		// free at different times.
		for len(b.held) > 0 {
			b.give(len(b.held) / 2)
		}
		for f := range maxFiles {
			b.policy.Forget(f + 1)
		}
		b.settle()
		if b.oracle.Free() != atMount {
			t.Fatalf("%d blocks came back of %d", b.oracle.Free(), atMount)
		}
		b.compare()
	}
}

// repeat performs the same requests on two instances.
func repeat(t *rapid.T, mount Maker) {
	s := shape().Draw(t, "disk")
	one, two := newBench(t, s, mount, 1), newBench(t, s, mount, 1)
	for range rapid.IntRange(1, 60).Draw(t, "requests") {
		r := one.draw(1)
		got := fmt.Sprint(one.take(r))
		if again := fmt.Sprint(two.take(r)); again != got {
			t.Fatalf("%+v: %s, then %s", r, got, again)
		}
		// Both give the same piece back now and then, so that neither disk fills up.
		if len(one.held) > 10 {
			i := rapid.IntRange(0, len(one.held)-1).Draw(t, "piece")
			one.give(i)
			two.give(i)
			one.settle()
			two.settle()
		}
	}
}
