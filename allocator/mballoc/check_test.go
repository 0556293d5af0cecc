package mballoc

import (
	"fmt"
	"strings"
	"testing"

	"mbsim/internal/invariants"
)

// checked is an allocator with something of everything: a file with two
// preallocations, small files, clusters that wait for a commit.
func checked(t *testing.T) (*Allocator, *Inode) {
	a := loaded(NewDisk(12, 0, 1, 4096, 4, 0).Mount(t, nil))
	in := &Inode{Number: 12, Regular: true, Extents: true, Writers: 1, Size: 1 << 20}
	ask := func(in *Inode, logical, n uint32) {
		r := Request{Inode: in, Len: n, Logical: logical, Flags: HintData}
		if _, ok := a.NewBlocks(0, &r); !ok {
			t.Fatal("no space")
		}
	}
	ask(in, 100, 10)
	ask(in, 3000, 10)
	for i := range uint32(2) {
		ask(&Inode{Number: 13 + i, Regular: true, Extents: true, Writers: 1, Size: 4096}, 0, 300-100*i)
	}
	a.tunables.GroupPrealloc = 16
	small := &Inode{Number: 15, Regular: true, Extents: true, Writers: 1, Size: 4096}
	ask(small, 0, 9)
	ask(small, 0, 10)
	dir := &Inode{Number: 2, Extents: true}
	q := Request{Inode: dir, Len: 32, Goal: 9000, Flags: HintTryGoal}
	if b, ok := a.NewBlocks(0, &q); !ok || b != 9000 {
		t.Fatal(b)
	}
	a.FreeBlocks(0, dir, 9010, 5, 0, 1)
	a.FlexFreeClusters(0)
	return a, in
}

// TestChecksSeeDamage damages one field after the other: a check that cannot fail
// shows nothing.
func TestChecksSeeDamage(t *testing.T) {
	all := func(a *Allocator, in *Inode) {
		a.checkAll()
		a.checkInode(in)
		a.checkLocality()
		a.checkFreed()
	}
	first := func(a *Allocator) *prealloc {
		for k := range a.lgs[0].lists {
			if p := a.lgs[0].lists[k].head; p != nil {
				return p
			}
		}
		panic("no preallocation of a locality group")
	}
	for _, damage := range []struct {
		name string
		do   func(*Allocator, *Inode)
		want string
	}{
		{"nothing", func(*Allocator, *Inode) {}, ""},
		{"buddy bit", func(a *Allocator, _ *Inode) { a.at(1).buddy[0].Set(3000) }, "in the buddy"},
		{"bit of a higher order", func(a *Allocator, _ *Inode) { a.at(3).buddy[5].Clear(3) }, "order 5"},
		{"disk bit", func(a *Allocator, _ *Inode) { a.at(1).disk.Set(3000) }, "free on disk"},
		{"descriptor", func(a *Allocator, _ *Inode) { a.at(1).descFree-- }, "free on disk"},
		{"free", func(a *Allocator, _ *Inode) { a.at(1).free-- }, "clusters are free"},
		{"fragments", func(a *Allocator, _ *Inode) { a.at(1).fragments++ }, "fragments are free"},
		{"counter", func(a *Allocator, _ *Inode) { a.at(1).counters[4]++ }, "buddies by order"},
		{"largest", func(a *Allocator, _ *Inode) { a.at(1).largest++ }, "largest order"},
		{"first free", func(a *Allocator, _ *Inode) { a.at(3).firstFree = 1 }, "cluster 0 is free"},
		{"lowest", func(a *Allocator, _ *Inode) { a.at(3).lowest = 1 }, "cluster 0 is free"},
		{"lowest too low", func(a *Allocator, _ *Inode) { a.at(0).lowest = 0 }, "no better"},
		{"first free too low", func(a *Allocator, _ *Inode) { a.at(0).firstFree = 0 }, ""},
		{"preallocation's count", func(_ *Allocator, in *Inode) { in.pas.head.free-- }, "clusters unused"},
		{"preallocation in use", func(_ *Allocator, in *Inode) { in.pas.head.inUse = true }, "idle preallocation"},
		{"preallocation moved", func(a *Allocator, in *Inode) { in.pas.head.pstart = in.pas.tail.pstart }, "share clusters"},
		{"preallocation over the group's end", func(_ *Allocator, in *Inode) { in.pas.head.len += 4096 }, "preallocation of"},
		{"same block of the file", func(_ *Allocator, in *Inode) { in.pas.head.lstart = in.pas.tail.lstart }, "preallocations for blocks"},
		{"active", func(_ *Allocator, in *Inode) { in.active++ }, "preallocations, counted"},
		{"lost by its inode", func(_ *Allocator, in *Inode) { in.pas = paList{}; in.active = 0 }, "has no owner"},
		{"wrong list", func(a *Allocator, _ *Inode) { first(a).order++ }, "preallocation"},
		{"locality group's count", func(a *Allocator, _ *Inode) { first(a).free-- }, "clusters unused"},
		{"uncommitted", func(a *Allocator, _ *Inode) { a.at(2).uncommitted++ }, "wait for a commit"},
		{"pending", func(a *Allocator, _ *Inode) { a.pending-- }, "wait for a commit"},
		{"free counter", func(a *Allocator, _ *Inode) { a.freeClusters.Add(0, 1) }, "the counter has"},
		{"dirty counter", func(a *Allocator, _ *Inode) { a.dirtyClusters.Add(0, -1) }, "dirty clusters"},
		{"flex group", func(a *Allocator, _ *Inode) { a.flexFree[0]++ }, "flex group 0"},
	} {
		t.Run(damage.name, func(t *testing.T) {
			a, in := checked(t)
			damage.do(a, in)
			got := ""
			func() {
				defer func() {
					if r := recover(); r != nil {
						got = fmt.Sprint(r)
					}
				}()
				all(a, in)
			}()
			if got == "" && damage.want != "" || !strings.Contains(got, damage.want) || damage.want == "" && got != "" {
				t.Errorf("got %q, want %q", got, damage.want)
			}
		})
	}
}

// TestChecksAreOn: with the build tag, and only with it, damage stops the next
// call that touches the group.
func TestChecksAreOn(t *testing.T) {
	a, _ := checked(t)
	a.at(2).fragments++
	stopped := panics(func() {
		a.NewBlocks(0, &Request{Inode: &Inode{Number: 2, Extents: true}, Len: 1, Goal: 9500, Flags: HintTryGoal})
	})
	if stopped != invariants.Enabled {
		t.Errorf("stopped: %t", stopped)
	}
	b, in := checked(t)
	in.active++
	if stopped := panics(func() { b.DiscardInode(0, in, 1) }); stopped != invariants.Enabled {
		t.Errorf("stopped: %t", stopped)
	}
}
