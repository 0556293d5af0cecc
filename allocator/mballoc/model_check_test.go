package mballoc

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// What a model compares.

// counts compares the counters.
func (m *model) counts() {
	reserved := 0
	for _, f := range m.files {
		reserved += f.reserved
	}
	if n := m.a.FreeClusters().Sum(); n != m.free {
		m.fail("%d clusters free by the counter, %d by the owners", n, m.free)
	}
	if n := m.a.DirtyClusters().Sum(); n != int64(reserved) {
		m.fail("%d clusters dirty, %d reserved", n, reserved)
	}
	if n := m.a.FreePending(); n != m.pending {
		m.fail("%d clusters pending, want %d", n, m.pending)
	}
}

// compare compares every cluster of the disk.
func (m *model) compare() {
	per := int(m.geo.ClustersPerGroup)
	total := int64(0)
	for id := range m.geo.Groups {
		b := m.a.BitmapOf(id)
		free := uint32(0)
		for c := range per {
			o := m.owner[int(id)*per+c]
			used := b[c/64]>>(c%64)&1 != 0
			if used != (o != 0 && o != ownerPending) {
				m.fail("cluster %d of group %d: in use %t, owner %d", c, id, used, o)
			}
			if !used {
				free++
			}
		}
		if n := m.a.FreeClustersOf(id); n != free {
			m.fail("group %d: %d free by its descriptor, %d by the owners", id, n, free)
		}
		total += int64(free)
		m.regenerate(id)
	}
	if n := m.a.CountFreeClusters(); n != total {
		m.fail("%d free by all descriptors, %d by the owners", n, total)
	}
	m.a.checkAll()
	for _, f := range m.files {
		m.a.checkInode(&f.in)
	}
}

// prepared looks whether the preallocation a file just got is for clusters that
// it has elsewhere. The profile 5.10-seed makes such. Later requests may begin
// before a preallocation and end in it: they get new clusters for all of that.
func (m *model) prepared(f *modelFile) {
	// The newest is the first only where the list is in that order.
	p := f.in.pas.head
	if _, recent := m.a.kernel.Preallocs.(recentFirst); p == nil || !recent || !m.a.quirks.ThreeStepPlacement {
		return
	}
	l := int(p.lstart / m.geo.ClusterRatio())
	for k := range min(p.len, len(f.at)-l) {
		if f.at[l+k] != 0 && int(f.at[l+k]-1) != m.place(p.pstart)+k {
			m.fail("inode %d has cluster %d elsewhere than in its preallocation of %d for %d", f.in.Number, l+k, p.len, l)
		}
	}
}

// regenerate makes the buddy of a group anew: nothing changes.
func (m *model) regenerate(id allocator.GroupID) {
	g := m.a.at(id)
	if g.needInit {
		return
	}
	was := *g
	for k := range m.a.orders {
		was.buddy[k] = append(bitmap.Bits(nil), g.buddy[k]...)
	}
	m.a.generate(id, g)
	if was.free != g.free || was.fragments != g.fragments || was.counters != g.counters || was.largest != g.largest || was.firstFree > g.firstFree {
		m.fail("group %d: %+v, generated anew %+v", id, was, *g)
	}
	for k := range m.a.orders {
		if fmt.Sprint(was.buddy[k]) != fmt.Sprint(g.buddy[k]) {
			m.fail("group %d: order %d generated anew differs", id, k)
		}
	}
}
