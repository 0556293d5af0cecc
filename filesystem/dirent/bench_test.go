package dirent

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// churn is names, most of them in one of 100 directories of a block each, in
// random order.
type churn struct {
	dirs  []*Dir
	paths []churnPath
	r     *rand.Rand
}

type churnPath struct {
	dir  *Dir
	name string
}

func newChurn(perDir int) *churn {
	c := &churn{r: rand.New(rand.NewPCG(1, 2))}
	opts := &Options{BlockSize: 4096, DirIndex: true, Checksums: true, Hash: HalfMD4, Seed: recordedSeed}
	for i := range 100 {
		c.dirs = append(c.dirs, New(opts, uint32(i), 2))
	}
	for i := range 100000 {
		c.paths = append(c.paths, churnPath{name: fmt.Sprintf("f%d", i)})
	}
	c.r.Shuffle(len(c.paths), func(i, j int) { c.paths[i], c.paths[j] = c.paths[j], c.paths[i] })
	for i := range 100 * perDir {
		c.create(i, c.dirs[i%100])
	}
	return c
}

func (c *churn) create(i int, d *Dir) {
	p := &c.paths[i]
	at, _, ok := d.Find(p.name)
	if ok {
		panic("exists")
	}
	if err := d.Insert(at, uint32(i+12), TypeFile, granted); err != nil {
		panic(err)
	}
	p.dir = d
}

func (c *churn) unlink(i int) *Dir {
	p := &c.paths[i]
	if at, _, ok := p.dir.Find(p.name); !ok || !p.dir.Delete(at) {
		panic("missing")
	}
	return p.dir
}

// BenchmarkManyDirs unlinks and creates in 100 directories of 160 names, as the
// oracle's family churn does.
func BenchmarkManyDirs(b *testing.B) {
	c := newChurn(160)
	live := 160 * 100
	b.ReportAllocs()
	for b.Loop() {
		k, fresh := c.r.IntN(live), live+c.r.IntN(len(c.paths)-live)
		d := c.unlink(k)
		c.paths[k], c.paths[fresh] = c.paths[fresh], c.paths[k]
		c.create(k, d)
	}
}

// BenchmarkGrow creates 20,000 names in one directory.
func BenchmarkGrow(b *testing.B) {
	names := make([]string, 20000)
	for i := range names {
		names[i] = fmt.Sprintf("file-%d", i)
	}
	b.ReportAllocs()
	for b.Loop() {
		d := New(&Options{BlockSize: 4096, DirIndex: true, Checksums: true, Hash: HalfMD4, Seed: recordedSeed}, 2, 2)
		for _, n := range names {
			_ = d.Add(n, 12, TypeFile, granted)
		}
	}
}
