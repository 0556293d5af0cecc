package ext4

import (
	"testing"

	"mbsim/workload"
)

// TestWritebackEnds writes blocks of a file with indirect blocks that lie far apart, so
// that each needs an indirect block of its own, for which nothing was reserved. In the end
// one block is free where two are needed. Linux 5.10 hangs here, as recorded: its writeback
// commits and tries again for ever, since something is free. Here the data is given up.
func TestWritebackEnds(t *testing.T) {
	c := script{size: 3 << 20, mkfs: "-b 1024 -O ^extent,^64bit -m 0", cpus: 1}
	fs, p, err := c.start()
	if err != nil {
		t.Fatal(err)
	}
	do := func(op workload.Op) int64 {
		ret, err := p.Do(&op)
		if err != nil {
			t.Fatal(err)
		}
		return ret
	}
	do(workload.Op{Kind: workload.Creat, FD: "x", Path: "a"})
	do(workload.Op{Kind: workload.Creat, FD: "f", Path: "f"})
	if n := do(workload.Op{Kind: workload.Write, FD: "f", Len: 1300 << 10}); n != 1300<<10 {
		t.Fatalf("%d bytes written", n)
	}
	do(workload.Op{Kind: workload.Fsync, FD: "f"})
	written := int64(0)
	for i := range int64(400) {
		if do(workload.Op{Kind: workload.Write, FD: "x", Off: (20 + i*256) << 10, Len: 1 << 10}) == 1<<10 {
			written++
		}
	}
	do(workload.Op{Kind: workload.Sync})
	if err := fs.Check(); err != nil {
		t.Error(err)
	}
	if fs.lost == 0 || fs.lost >= written || fs.dirtyBlocks != 0 {
		t.Errorf("of %d blocks written %d were lost, %d are dirty", written, fs.lost, fs.dirtyBlocks)
	}
}
