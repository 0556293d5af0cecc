package run

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// randomTimed makes a random case for a policy, a profile of scenarios ("ext2" or
// a version of ext4's): a small device that is soon full, up to 64 CPUs, and
// processes that do all that the policy can. The same seed gives the same case.
//
// Only ext4 has cases in which work takes time, since scenarios refuse timing for
// ext2: there processes take turns between operations.
func randomTimed(seed uint64, policy string) *randomCase {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0x74696d6564)), policy: policy, dirs: make(map[string]map[string]int)} // "timed"
	c := &randomCase{Seed: seed, Profile: policy, CPUs: pick(g, 4, 4, 8, 16, 32, 64)}
	megabytes := pick(g, 4, 8, 16, 32, 64)
	c.Device.Mkfs.Size = fmt.Sprint(megabytes, "M")
	c.Device.Mkfs.Options = g.mkfs()
	c.Mount = g.mount()
	c.Memory = map[string]string{
		"size": pick(g, "16M", "64M", "2G"), "dirty_expire": pick(g, "1ms", "10ms", "5s"), "dirty_writeback": pick(g, "1ms", "5ms", "5s"),
	}
	if !g.ext2() {
		c.Timing = &caseTiming{Storage: pick(g, "none", "hdd", "ssd", "ssd", "nvme")}
	}
	size := megabytes << 20
	if g.IntN(3) == 0 {
		g.classes(c, size)
	} else {
		g.rounds(c, size)
	}
	return c
}

// generator draws a case.
type generator struct {
	*rand.Rand
	policy string
	dirs   map[string]map[string]int // of classes: one that goes on keeps them
}

func (g *generator) ext2() bool { return g.policy == "ext2" }

// pick draws one of several values, each as likely.
func pick[T any](g *generator, values ...T) T { return values[g.IntN(len(values))] }

// between draws a number of [low, high], small ones more often.
func (g *generator) between(low, high int) int {
	span := high - low + 1
	return low + min(g.IntN(span), g.IntN(span))
}

// mkfs draws arguments of mke2fs: block sizes, small groups, few inodes.
func (g *generator) mkfs() string {
	args := []string{pick(g, "-b 1024", "-b 1024", "-b 4096", "-b 2048"), pick(g, "", "-m 0", "-m 0")}
	if g.IntN(4) == 0 {
		args = append(args, "-g 1024")
	}
	if g.IntN(5) == 0 {
		args = append(args, "-N 64")
	}
	if !g.ext2() {
		args = append(args, pick(g, "", "", "", "-O ^extents,^64bit", "-O ^has_journal", "-O bigalloc -C 16384", "-O inline_data", "-O ^flex_bg"))
	}
	return strings.Join(strings.Fields(strings.Join(args, " ")), " ")
}

// mount draws mount options.
func (g *generator) mount() string {
	if g.ext2() {
		return pick(g, "", "oldalloc", "noreservation", "reservation_window=64", "reservation_window=1027", "reservation_window=3")
	}
	return pick(g, "", "", "", "nodelalloc", "commit=1", "dioread_lock", "discard", "stripe=16")
}

// classes gives a case a workload of classes, in phases.
func (g *generator) classes(c *randomCase, size int) {
	for i := range g.between(1, 3) {
		p := casePhase{Name: fmt.Sprint("p", i), Then: pick(g, "sync", "remount", "nothing")}
		p.Until.Operations = g.between(50, 1500)
		if g.IntN(4) == 0 {
			p.Until.Used = pick(g, "90%", "99%")
		}
		for k := range g.between(1, 4) {
			p.Classes = append(p.Classes, g.class(fmt.Sprint("c", k), c.CPUs, size))
		}
		c.Workload.Phases = append(c.Workload.Phases, p)
	}
}

func (g *generator) class(name string, cpus, size int) caseClass {
	c := caseClass{Name: name, Count: g.between(1, cpus), Mix: map[string]int{"create": 1 + g.IntN(10)}, Files: g.IntN(3),
		Think: pick(g, "", "", "10us", "1ms"), Chunk: pick(g, "", "4K", "64K"), KeepOpen: g.IntN(4) == 0, Sparse: g.IntN(6) == 0,
		FsyncOnClose: pick(g, "", "5%", "50%"), TargetUsed: pick(g, "", "95%", "100%"), OnFull: pick(g, "", "continue")}
	activities := []string{"append", "overwrite", "truncate", "delete", "delete", "fsync", "read"}
	if !g.ext2() {
		activities = append(activities, "fallocate", "fallocate")
		c.FallocateMode = pick(g, "allocate", "keep_size", "punch_hole", "zero_range")
	}
	for _, a := range activities {
		if g.IntN(3) > 0 {
			c.Mix[a] = 1 + g.IntN(6)
		}
	}
	for _, r := range []*caseRange{&c.FileSize, &c.AppendSize, &c.OverwriteSize} {
		r.LogUniform.Min = 1 + g.IntN(5000)
		r.LogUniform.Max = r.LogUniform.Min + 1 + g.IntN(size/20)
	}
	if dirs, known := g.dirs[name]; known {
		c.Directories = dirs
	} else if g.IntN(3) > 0 {
		c.Directories = map[string]int{"count": 1 + g.IntN(8), "depth": 1 + g.IntN(3)}
	}
	g.dirs[name] = c.Directories
	return c
}

// rounds gives a case scripts that run at once. The first round fills the device.
func (g *generator) rounds(c *randomCase, size int) {
	c.Workload.Script = "sync\nsync\n"
	fill := fmt.Sprintf("mkdir d0\nmkdir d0/e\nmkdir d1\ncreat x fill\nwrite x 0 %d\n%sclose x\n", size/100*pick(g, 0, 50, 80, 90, 100), pick(g, "", "fsync x\n", "ftruncate x 100000\n"))
	c.Rounds = append(c.Rounds, caseRound{Writers: []caseWriter{{Ops: fill}}, Then: pick(g, "sync", "remount", "nothing")})
	for range g.between(1, 3) {
		r := caseRound{Then: pick(g, "sync", "remount", "nothing")}
		n := g.between(2, min(2*c.CPUs, 40))
		for range n {
			r.Writers = append(r.Writers, caseWriter{CPU: g.IntN(c.CPUs), Ops: g.script(g.between(5, 120), size)})
		}
		c.Rounds = append(c.Rounds, r)
	}
}

// path draws a name of a file or a directory; processes share them.
func (g *generator) path() string {
	return pick(g, "", "", "d0/", "d0/e/", "d1/") + pick(g, "f0", "f1", "f2", "f3", "f4", "fill", "e", "g")
}

// script draws operations of one process. It mostly knows what it has open.
func (g *generator) script(n, size int) string {
	var b strings.Builder
	open := make(map[string]bool)
	for range n {
		fd := pick(g, "x", "y", "z")
		kind := g.IntN(100)
		if !open[fd] && g.IntN(10) > 0 && kind < 64 {
			kind = g.IntN(20)
		}
		off, length := g.IntN(20)*g.IntN(5000), g.between(1, pick(g, 5000, 100_000, size/10))
		switch {
		case kind < 12:
			open[fd] = true
			fmt.Fprintf(&b, "creat %s %s\n", fd, g.path())
		case kind < 20:
			open[fd] = true
			fmt.Fprintf(&b, "open %s %s%s\n", fd, g.path(), pick(g, "", "", " direct"))
		case kind < 48:
			if g.IntN(3) == 0 {
				off, length = off&^4095, (length+4095)&^4095
			}
			fmt.Fprintf(&b, "write %s %d %d\n", fd, off, length)
		case kind < 52:
			fmt.Fprintf(&b, "ftruncate %s %d\n", fd, pick(g, 0, off, length))
		case kind < 58:
			fmt.Fprintf(&b, "fsync %s\n", fd)
		case kind < 64:
			g.fallocateOrRead(&b, fd, off, length)
		case kind < 74:
			open[fd] = false
			fmt.Fprintf(&b, "close %s\n", fd)
		default:
			g.onNames(&b, kind)
		}
	}
	return b.String()
}

// fallocateOrRead draws an operation that ext2 has only the latter of.
func (g *generator) fallocateOrRead(b *strings.Builder, fd string, off, length int) {
	if g.ext2() || g.IntN(5) == 0 {
		fmt.Fprintf(b, "read %s %d %d\n", fd, off, length)
		return
	}
	fmt.Fprintf(b, "fallocate %s %d %d %d\n", fd, pick(g, 0, 1, 3, 3, 16, 17), off, length)
}

// onNames draws an operation on names, or sync.
func (g *generator) onNames(b *strings.Builder, kind int) {
	switch {
	case kind < 84:
		fmt.Fprintf(b, "unlink %s\n", g.path())
	case kind < 87:
		fmt.Fprintf(b, "rmdir %s\n", pick(g, "d0", "d0/e", "d1", "e", "g", "d1/g"))
	case kind < 91:
		fmt.Fprintf(b, "mkdir %s\n", pick(g, "d0", "d0/e", "d1", "e", "g", "d1/g", "d0/e/g"))
	case kind < 97:
		fmt.Fprintf(b, "rename %s %s\n", pick(g, g.path(), "d0", "d1", "d0/e"), pick(g, g.path(), "d0", "d1", "d1/e"))
	default:
		fmt.Fprintf(b, "%s\n", pick(g, "sync", "stat"))
	}
}
