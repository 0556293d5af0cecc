package ext4

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"mbsim/workload"
)

// TestBrief performs scripts on two file systems, one of which describes no file
// briefly: whatever is asked of the two, and in the end whatever they remember of each
// file, must be the same. The scripts are those of TestRandom, and others that mostly
// make small files, so that files of all states are met by every operation.
func TestBrief(t *testing.T) {
	n := 240
	if testing.Short() {
		n /= 4
	}
	kernels := Kernels()
	var seen briefSeen
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := randomScript(r)
		if seed%3 > 0 {
			c.ops = smallFiles(r)
		}
		if k := kernels[seed/2%uint64(len(kernels))].Name; seed%2 > 0 && !(k == "5.10-seed" && strings.Contains(c.mkfs, "-g")) {
			c.profile = k
		}
		if err := seen.compare(c); err != nil && !errors.Is(err, errNoDevice) {
			t.Fatalf("seed %d: %v\n%s", seed, err, c)
		}
	}
	if seen.ops < 100 {
		t.Errorf("compared after %d operations", seen.ops)
	}
	for _, s := range []briefState{briefEmpty, briefDelayed, briefWritten} { // unwritten blocks wait for no operation
		if seen.after[s] < 100 {
			t.Errorf("%d files were in state %d after an operation", seen.after[s], s)
		}
	}
}

// smallFiles is a script of small files that are written from start to end, mostly.
func smallFiles(r *rand.Rand) []workload.Op {
	ops := []workload.Op{{Kind: workload.Mkdir, Path: "d"}}
	size := map[string]int64{}
	for range 150 {
		name := fmt.Sprintf("d/%c", 'a'+r.IntN(12))
		kind := one(r, workload.Creat, workload.Creat, workload.Creat, workload.Creat, workload.Write, workload.Write,
			workload.Unlink, workload.Unlink, workload.Sync, workload.Sync, workload.Fsync, workload.Stat,
			workload.Ftruncate, workload.Fallocate, workload.Read, workload.Rename, workload.Remount)
		do := func(op workload.Op) { ops = append(ops, op) }
		switch kind {
		case workload.Unlink:
			do(workload.Op{Kind: kind, Path: name})
			delete(size, name)
			continue
		case workload.Sync, workload.Stat:
			do(workload.Op{Kind: kind})
			continue
		case workload.Remount:
			if r.IntN(4) == 0 {
				do(workload.Op{Kind: kind})
			}
			continue
		case workload.Rename:
			to := fmt.Sprintf("d/%c", 'a'+r.IntN(12))
			do(workload.Op{Kind: kind, Path: name, To: to})
			size[to] = size[name]
			continue
		case workload.Creat:
			do(workload.Op{Kind: kind, FD: "x", Path: name})
			size[name] = 0
		default:
			do(workload.Op{Kind: workload.Open, FD: "x", Path: name, Direct: r.IntN(20) == 0})
		}
		for range 1 + r.IntN(3) { // of which the first after a creation goes on from its end
			op := workload.Op{Kind: kind, FD: "x", Off: r.Int64N(30000), Len: 1 + r.Int64N(40000)}
			if op.Kind == workload.Creat {
				op.Kind = workload.Write
			}
			if r.IntN(5) > 0 {
				op.Off = size[name]
			}
			if r.IntN(3) == 0 {
				op.Len = op.Len &^ 4095
			}
			if r.IntN(40) == 0 {
				op.Len = 3 << 20
			}
			do(op)
			size[name] = max(size[name], op.Off+op.Len)
		}
		if r.IntN(4) == 0 {
			do(workload.Op{Kind: workload.Fsync, FD: "x"})
		}
		do(workload.Op{Kind: workload.Close, FD: "x"})
	}
	return ops
}

// briefSeen counts what TestBrief met.
type briefSeen struct {
	ops   int
	after [briefWritten + 1]int
}

// compare performs a script twice.
func (seen *briefSeen) compare(c *script) error {
	one, p1, err := c.start()
	if err != nil {
		return err
	}
	two, p2, err := c.start()
	if err != nil {
		return err
	}
	two.briefFiles = false
	for i := range c.ops {
		op := &c.ops[i]
		if op.Kind == workload.Remount {
			if err := errors.Join(p1.CloseAll(), p2.CloseAll()); err != nil {
				return err
			}
		}
		got, e1 := p1.Do(op)
		want, e2 := p2.Do(op)
		if err := errors.Join(e1, e2); err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("operation %d, %s: %d, want %d", i+1, workload.FormatOp(*op), got, want)
		}
		seen.ops++
		for in := range one.inodes.all() {
			seen.after[in.brief.state]++
		}
		if i%4 > 0 && i < len(c.ops)-1 {
			continue
		}
		if got, want := one.remembers(), two.remembers(); got != want {
			return fmt.Errorf("after operation %d, %s:\n%s\nwant\n%s", i+1, workload.FormatOp(*op), got, want)
		}
	}
	return nil
}

// remembers is all that a file system knows of its files, and of what it counts.
func (fs *FS) remembers() string {
	out := fmt.Sprintf("%+v %+v dirty %d, tid %d\n", fs.Statfs(), fs.esStats.StatusTree, fs.dirtyBlocks, fs.journal.Current())
	for in := range fs.inodes.all() {
		in = in.expanded()
		out += fmt.Sprintf("%d: size %d %d, blocks %d, reserved %d, sync %d, on lists %d %v; %v; %v (%d); %v %d %v\n",
			in.Number, in.Size, in.disksize, in.blocks, in.reserved, in.syncTid, in.dirtyPlace, in.allocOnClose,
			in.m.cache.String(), in.m.es.String(), in.m.es.Reclaimable(), in.m.root.Ext, in.m.root.Depth, in.m.root.Verified)
	}
	for f := range fs.Look() {
		out += fmt.Sprintln(f)
	}
	return out
}
