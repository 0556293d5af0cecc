package mballoc

import (
	"math/rand/v2"
	"slices"
	"testing"

	"mbsim/allocator"
)

// groupThief takes the last fitting extent of a group when somebody locks it.
type groupThief struct {
	freeLocks
	steal func(id allocator.GroupID)
}

func (l *groupThief) LockGroup(id allocator.GroupID) bool {
	if f := l.steal; f != nil {
		l.steal = nil
		f(id)
	}
	return false
}

// TestBadSuggestion: a list suggests a group which, by the time its lock is taken, has lost
// its buddy to another CPU. The suggestion counts as bad, and the next group is suggested.
func TestBadSuggestion(t *testing.T) {
	k, err := KernelByName("6.1")
	if err != nil {
		t.Fatal(err)
	}
	disk := NewDisk(12, 0, 0, 256, 4, 0)
	disk.Free(0)
	disk.Free(1, [2]int{16, 16})
	disk.Free(2, [2]int{32, 32})
	disk.Free(3)
	locks := &groupThief{}
	a := disk.Mount(t, func(cfg *Config) {
		of(k)(cfg)
		cfg.CPUs, cfg.Locks, cfg.Tunables.MaxLinearGroups = 2, locks, 0
	})
	loaded(a)
	var stolen allocator.GroupID
	locks.steal = func(id allocator.GroupID) {
		stolen = id
		a.NewBlocks(1, &Request{Inode: &Inode{Number: 13, Extents: true}, Goal: a.geo.BlockAt(id, 16), Len: 16, Flags: HintTryGoal})
	}
	r := Request{Inode: &Inode{Number: 12, Extents: true}, Len: 16}
	b, ok := a.NewBlocks(0, &r)
	if id, _ := a.geo.GroupOf(b); !ok || stolen != 1 || id != 2 || a.Stats().BadSuggestions[0] != 1 {
		t.Errorf("served from group %d, stolen from %d, bad suggestions %v", id, stolen, a.Stats().BadSuggestions)
	}
}

// TestGroupSet holds the set of groups against a map, on sizes with one, two and three levels.
func TestGroupSet(t *testing.T) {
	for _, groups := range []allocator.GroupID{1, 63, 64, 65, 4096, 5000, 300000} {
		rnd := rand.New(rand.NewPCG(uint64(groups), 0))
		s, in := newGroupSet(groups), make(map[allocator.GroupID]bool)
		for range 2000 {
			id := allocator.GroupID(rnd.IntN(int(groups)))
			if in[id] {
				s.remove(id)
				delete(in, id)
			} else {
				s.add(id)
				in[id] = true
			}
		}
		var want, got []allocator.GroupID
		for id := range in {
			want = append(want, id)
		}
		slices.Sort(want)
		for id := s.next(0); id < groups; id = s.next(id + 1) {
			got = append(got, id)
		}
		if !slices.Equal(got, want) || s.n != len(want) || s.next(groups) < groups {
			t.Errorf("%d groups: the set has %d members, %d by its count, want %d", groups, len(got), s.n, len(want))
		}
	}
}
