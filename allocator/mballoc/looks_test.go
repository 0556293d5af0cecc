package mballoc

import (
	"math/bits"
	"testing"

	"mbsim/allocator"
)

// lookCounter counts the preallocations that are looked at.
type lookCounter struct {
	freeLocks
	looks int
}

func (c *lookCounter) Work(w Work) { c.looks += w.Preallocs }

// TestLooksAtPreallocations: a request that none of a file's n preallocations serves has a kernel
// with a list look at each three times (ext4_mb_use_preallocated, and ext4_mb_normalize_request
// twice), and one with a tree go down it three times. One that a preallocation serves ends there.
func TestLooksAtPreallocations(t *testing.T) {
	const windows = 100 // of 8 MiB
	for _, name := range []string{"5.10", "6.1", "6.12", "7.2"} {
		k, err := KernelByName(name)
		if err != nil {
			t.Fatal(err)
		}
		var c lookCounter
		a := NewDisk(12, 0, 4, 32768, 16, 0).Mount(t, func(cfg *Config) {
			cfg.Kernel, cfg.Tunables, cfg.Locks = k, k.DefaultTunables(&cfg.Geometry, true), &c
		})
		in := &Inode{Number: 12, Regular: true, Extents: true, Writers: 1, Size: windows * 8 << 20}
		_, tree := k.Preallocs.(sortedByStart)
		ask := func(lblk uint32) {
			c.looks = 0
			r := Request{Inode: in, Len: 1, Logical: lblk, Lright: lblk, Flags: HintData, Goal: a.geo.BlockAt(0, allocator.GroupOffset(0))}
			if _, ok := a.NewBlocks(0, &r); !ok {
				t.Fatalf("%s: no space", name)
			}
		}
		for n := range uint32(windows) {
			ask(n * 2048)
			want := 3 * int(n)
			if tree {
				want = 3 * bits.Len32(n)
			}
			if c.looks != want {
				t.Fatalf("%s: with %d preallocations %d were looked at, want %d", name, n, c.looks, want)
			}
		}
		// The second block of the window that was used first: a list has it last, of 100.
		ask(1)
		want := windows
		if tree {
			want = bits.Len32(windows)
		}
		if c.looks != want {
			t.Errorf("%s: %d were looked at to find the one, want %d", name, c.looks, want)
		}
		// Where they are kept by use, it is the first now.
		ask(2)
		if !tree {
			want = 1
		}
		if c.looks != want {
			t.Errorf("%s: %d were looked at to find it again, want %d", name, c.looks, want)
		}
	}
}
