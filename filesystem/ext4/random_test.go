package ext4

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"mbsim/workload"
)

var (
	randomSeed = flag.Uint64("random.seed", 1, "the first seed of TestRandom")
	randomRuns = flag.Int("random.n", 1000, "how many seeds TestRandom takes, a quarter under -short")
)

// TestRandom performs anything in any order on a small device that is soon full,
// with any parameters of mke2fs and options of mount, and recounts everything now
// and then. Once all is removed, all is free again. A failure is cut down to the
// operations it takes, in the words of the oracle's scripts. Run one seed again with
// go test -run TestRandom ./filesystem/ext4 -random.seed N -random.n 1.
func TestRandom(t *testing.T) {
	n := *randomRuns
	if testing.Short() {
		n /= 4
	}
	ran, failed := 0, 0
	for i := range uint64(n) {
		c := randomScript(rand.New(rand.NewPCG(*randomSeed+i, 0)))
		err := c.run(8)
		if err == errNoDevice {
			continue
		}
		ran++
		if err != nil {
			t.Errorf("seed %d: %v", *randomSeed+i, c.minimize())
			if failed++; failed == 3 {
				break
			}
		}
	}
	t.Logf("%d cases", ran)
}

// TestRandomKernels is TestRandom with later kernels, and other scripts.
func TestRandomKernels(t *testing.T) {
	n := *randomRuns / 2
	if testing.Short() {
		n /= 4
	}
	kernels := Kernels()
	failed := 0
	for i := range uint64(n) {
		seed := *randomSeed + i
		c := randomScript(rand.New(rand.NewPCG(seed, 1)))
		c.addShifts(rand.New(rand.NewPCG(seed, 2)))
		c.profile = kernels[seed%uint64(len(kernels))].Name
		if strings.Contains(c.mkfs, "-g") && c.profile == "5.10-seed" {
			continue
		}
		if err := c.run(8); err != nil && err != errNoDevice {
			t.Errorf("seed %d: %v", seed, c.minimize())
			if failed++; failed == 3 {
				break
			}
		}
	}
}

// addShifts lets a third of the script's fallocates collapse and insert ranges.
func (c *script) addShifts(r *rand.Rand) {
	for i := range c.ops {
		op := &c.ops[i]
		if op.Kind != workload.Fallocate || r.IntN(3) > 0 {
			continue
		}
		op.Mode = one[uint32](r, falCollapseRange, falInsertRange)
		unit := one[int64](r, 4096, 65536, 1<<17)
		op.Off, op.Len = op.Off/unit*unit, (op.Len/unit+1)*unit
	}
}

// generator draws a script.
type generator struct {
	*rand.Rand
	c  *script
	bs int64 // bytes of a block
	cs int64 // of a cluster
	// inline says that inodes hold small files.
	inline bool
}

func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// randomScript draws a case.
func randomScript(r *rand.Rand) *script {
	g := generator{Rand: r, c: &script{}}
	g.device()
	g.add(workload.Op{Kind: workload.Mkdir, Path: "d"})
	g.add(workload.Op{Kind: workload.Creat, FD: "x", Path: "d/a"})
	for range 10 + r.IntN(150) {
		g.operation()
	}
	return g.c
}

// device draws the parameters of mke2fs and the options of mount.
func (g *generator) device() {
	r, c := g.Rand, g.c
	c.size = one(r, int64(3<<20), 8<<20, 24<<20, 100<<20)
	g.bs = one[int64](r, 1024, 1024, 2048, 4096, 4096, 4096, 8192, 16384, 32768, 65536)
	g.cs = g.bs
	args := []string{"-b", fmt.Sprint(g.bs)}
	if r.IntN(3) == 0 {
		g.cs = max(2048, g.bs<<(1+r.IntN(5)))
		args = append(args, "-O bigalloc -C", fmt.Sprint(g.cs))
	} else {
		args = append(args, one(r, "", "", "", "-O ^extent,^64bit", "-O ^extent,^64bit,^huge_file", "-O ^flex_bg", "-O ^dir_index"), one(r, "", "", "-g 256", "-g 1024", "-g 4096"))
	}
	if r.IntN(4) == 0 {
		g.inline = true
		args = append(args, "-O inline_data", one(r, "-I 256", "-I 512", "-I 1024"))
	}
	args = append(args, one(r, "", "", "-O ^has_journal"), one(r, "", "-N 64", "-m 0"))
	c.mkfs = strings.Join(strings.Fields(strings.Join(args, " ")), " ")
	c.mount = strings.Trim(one(r, "", "", "", "nodelalloc")+one(r, "", ",dioread_lock", ",dioread_nolock")+
		one(r, "", "", ",noauto_da_alloc")+one(r, "", "", "", ",stripe=7", ",stripe=32"), ",")
	c.cpus = 1 + r.IntN(3)
	c.chunk = one[uint32](r, 0, 0, 1, 2, 8)
	if !strings.Contains(c.mkfs, "-g") {
		// In groups smaller than its windows that kernel stops at a BUG_ON, and
		// we panic (mended by ClampTinyGroups).
		c.profile = one(r, "", "", "", "5.10-seed")
	}
}

func (g *generator) add(op workload.Op) { g.c.ops = append(g.c.ops, op) }

func (g *generator) path() string {
	return one(g.Rand, "", "", "d/", "d/", "d/d/", "a/") +
		one(g.Rand, "a", "b", "c", "d", "e", "a-name-of-some-length-that-fills-blocks-sooner-"+strings.Repeat("x", 180))
}

// kinds are the operations, the likelier ones more often.
var kinds = []workload.Kind{
	workload.Write, workload.Write, workload.Write, workload.Write, workload.Write, workload.Write, workload.Write, workload.Write,
	workload.Creat, workload.Creat, workload.Creat, workload.Open, workload.Ftruncate, workload.Ftruncate,
	workload.Fallocate, workload.Fallocate, workload.Fallocate, workload.Fallocate, workload.Fallocate,
	workload.Fsync, workload.Fsync, workload.Close, workload.Unlink, workload.Mkdir, workload.Rmdir, workload.Rename,
	workload.Sync, workload.Read, workload.CPU, workload.Remount, workload.Stat,
}

// operation draws an operation.
func (g *generator) operation() {
	op := workload.Op{Kind: one(g.Rand, kinds...), FD: one(g.Rand, "x", "x", "x", "y", "z")}
	switch op.Kind {
	case workload.CPU:
		op.N = g.IntN(g.c.cpus)
	case workload.Mkdir, workload.Unlink:
		op.Path = g.path()
	case workload.Creat:
		g.add(workload.Op{Kind: workload.Close, FD: op.FD})
		op.Path = g.path()
	case workload.Rmdir:
		op.Path = one(g.Rand, "d", "d/d", "a", ".")
	case workload.Open:
		g.add(workload.Op{Kind: workload.Close, FD: op.FD})
		op.Path, op.Direct = g.path(), g.IntN(2) == 0
	case workload.Rename:
		op.Path, op.To = g.path(), g.path()
	case workload.Write, workload.Read:
		op.Off, op.Len = g.offset(), g.length()
	case workload.Ftruncate:
		op.Len = g.offset()
	case workload.Fallocate:
		op.Mode = one[uint32](g.Rand, 0, falKeepSize, falPunchHole|falKeepSize, falPunchHole|falKeepSize, falZeroRange, falZeroRange|falKeepSize)
		op.Off, op.Len = g.offset(), g.length()
	case workload.Remount:
		if g.IntN(3) > 0 {
			return
		}
		for _, fd := range []string{"z", "y", "x"} {
			g.add(workload.Op{Kind: workload.Close, FD: fd})
		}
	}
	g.add(op)
}

// offset draws a place in a file: near the ends of blocks, clusters and indirect
// arrays more often than elsewhere.
func (g *generator) offset() int64 {
	if g.inline && g.IntN(3) > 0 {
		return g.Int64N(200)
	}
	unit := one(g.Rand, g.bs, g.bs, g.bs, g.cs, g.cs, 12*g.bs, 268*g.bs, 512)
	return max(0, unit*g.Int64N(13)+one[int64](g.Rand, 0, 0, 0, 0, -1, 1, 512, 100))
}

func (g *generator) length() int64 {
	if g.inline && g.IntN(2) > 0 {
		return 1 + g.Int64N(200)
	}
	unit := one(g.Rand, g.bs, g.bs, g.bs, g.cs, 20*g.bs, 300*g.bs, g.c.size/10)
	return max(1, unit*(1+g.Int64N(5))+one[int64](g.Rand, 0, 0, 0, 0, -1, 1, -512))
}
