package ext4

import (
	"errors"
	"testing"

	"mbsim/allocator"
	"mbsim/filesystem"
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

// TestFailedWrite has a file with a delayed block grow where nothing is free: the write fails,
// what it left is truncated, and the size on disk becomes that of the file, as after any
// truncation, though the block before it is still to be written (ext4_truncate_failed_write).
func TestFailedWrite(t *testing.T) {
	fs := mountSmall(t, "-b 4096", DefaultOptions(4096))
	h, err := fs.Create(&task{}, "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Write(&task{}, 0, 4096); err != nil {
		t.Fatal(err)
	}
	in := h.(*handle).in
	if in.disksize != 0 || in.reserved != 1 {
		t.Fatalf("%d bytes on disk, %d blocks reserved after a delayed write", in.disksize, in.reserved)
	}
	truth := *fs.alloc.FreeClusters()
	// One is promised, and no more than that and the reserve is free: too little to promise
	// or allocate another one, but not so little that all is written first.
	*fs.alloc.FreeClusters() = *allocator.NewPerCPUCounter(2, 1)
	n, err := h.Write(&task{}, 4096, 4096)
	if !errors.Is(err, filesystem.ENOSPC) || n != 0 {
		t.Errorf("%d bytes written, %v", n, err)
	}
	*fs.alloc.FreeClusters() = truth
	if in.Size != 4096 || in.disksize != 4096 {
		t.Errorf("the size is %d, %d on disk, want 4096", in.Size, in.disksize)
	}
}

// TestStuckRange: a range is given up once it has found no place four times in a row, with as
// many clusters free each time.
func TestStuckRange(t *testing.T) {
	var s stuckRange
	fail := func(pos uint32, free int64, want bool) {
		t.Helper()
		s.failed(pos, free)
		if s.hopeless() != want {
			t.Errorf("after %d failures at block %d with %d clusters free: hopeless is %t", s.times, pos, free, !want)
		}
	}
	for range 3 {
		fail(7, 2, false)
	}
	fail(7, 3, false) // something came back
	fail(7, 3, false)
	fail(7, 3, false)
	fail(8, 3, false) // and part of it was mapped
	fail(8, 3, false)
	fail(8, 3, false)
	fail(8, 3, true)
}
