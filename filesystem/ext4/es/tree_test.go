package es

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mbsim/allocator"
)

// parse reads ranges as Tree.String writes them: "0-3 written@100".
func parse(t *testing.T, text string) *Tree {
	tree := New(new(Shared))
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		var e Range
		var last uint32
		var what string
		if _, err := fmt.Sscanf(part, "%d-%d %s", &e.Lblk, &last, &what); err != nil {
			t.Fatalf("%q: %v", part, err)
		}
		e.Len = last - e.Lblk + 1
		what, place, _ := strings.Cut(what, "@")
		var p allocator.Block
		fmt.Sscan(place, &p)
		e.pblk, e.Status = allocator.Pack48(p), names[what]
		tree.ext = append(tree.ext, e)
	}
	return &tree
}

var names = map[string]Status{"written": Written, "unwritten": Unwritten, "delayed": Delayed, "hole": Hole, "unwritten+delayed": Unwritten | Delayed}

func TestStatusTree(t *testing.T) {
	for _, c := range []struct {
		story  string
		before string
		change func(*Tree)
		after  string
	}{
		{"a hole is cached where nothing is known", "", func(t *Tree) { t.Cache(0, 10, 0, Hole) }, "0-9 hole"},
		{"not where anything is", "5-5 delayed", func(t *Tree) { t.Cache(0, 10, 0, Hole) }, "5-5 delayed"},
		{"delayed blocks join", "0-3 delayed", func(t *Tree) { t.Set(4, 2, 0, Delayed) }, "0-5 delayed"},
		{"and from behind", "4-5 delayed", func(t *Tree) { t.Set(2, 2, 0, Delayed) }, "2-5 delayed"},
		{"on both sides", "0-1 delayed; 3-4 delayed", func(t *Tree) { t.Set(2, 1, 0, Delayed) }, "0-4 delayed"},
		{"a delayed block cuts the hole", "0-9 hole", func(t *Tree) { t.Set(4, 1, 0, Delayed) }, "0-3 hole; 4-4 delayed; 5-9 hole"},
		{"writeback gives a place to some", "0-9 delayed", func(t *Tree) { t.Set(0, 4, 100, Unwritten) }, "0-3 unwritten@100; 4-9 delayed"},
		{"mapped ranges join where they go on on disk", "0-3 written@100", func(t *Tree) { t.Set(4, 4, 104, Written) }, "0-7 written@100"},
		{"and nowhere else", "0-3 written@100", func(t *Tree) { t.Set(4, 4, 105, Written) }, "0-3 written@100; 4-7 written@105"},
		{"nor in another state", "0-3 written@100", func(t *Tree) { t.Set(4, 4, 104, Unwritten) }, "0-3 written@100; 4-7 unwritten@104"},
		{"the end of IO makes all one", "0-3 written@100; 4-7 unwritten@104", func(t *Tree) { t.Set(4, 4, 104, Written) }, "0-7 written@100"},
		{"removing the middle keeps the place of the rest", "0-9 written@100", func(t *Tree) { t.Remove(3, 5) }, "0-2 written@100; 6-9 written@106"},
		{"removing over several", "0-3 written@100; 4-5 hole; 6-9 delayed", func(t *Tree) { t.Remove(2, 7) }, "0-1 written@100; 8-9 delayed"},
		{"removing what is not known", "0-1 hole", func(t *Tree) { t.Remove(5, 9) }, "0-1 hole"},
		{"a write into preallocated blocks", "0-9 unwritten@50", func(t *Tree) { t.Set(2, 1, 52, Written) }, "0-1 unwritten@50; 2-2 written@52; 3-9 unwritten@53"},
	} {
		tree := parse(t, c.before)
		c.change(tree)
		if got := tree.String(); got != c.after {
			t.Errorf("%s: of %s\n\tgot  %s\n\twant %s", c.story, c.before, got, c.after)
		}
	}
}

// TestStatusTreeReplacesSame: some kernels let what is known give way to what is read of the
// extent tree, where it is of the same kind.
func TestStatusTreeReplacesSame(t *testing.T) {
	for _, c := range []struct{ story, before, after string }{
		{"a part gives way to the whole", "2-3 written@102", "0-9 written@100"},
		{"several parts do", "2-3 written@102; 8-12 written@108", "0-12 written@100"},
		{"what covers it all stays", "0-12 written@100", "0-12 written@100"},
		{"another kind stays, and nothing comes in", "0-1 delayed; 4-5 written@104", "0-1 delayed; 4-5 written@104"},
		{"what lies before another kind has gone by then", "2-3 written@102; 6-7 delayed", "6-7 delayed"},
	} {
		tree := parse(t, c.before)
		tree.shared.CacheReplacesSame = true
		tree.Cache(0, 10, 100, Written)
		if got := tree.String(); got != c.after {
			t.Errorf("%s: of %s\n\tgot  %s\n\twant %s", c.story, c.before, got, c.after)
		}
	}
}

// model is the status of each block, one by one.
type model [64]struct {
	s Status
	p allocator.Block
}

// TestStatusTreeModel compares the tree with a status kept for each block.
func TestStatusTreeModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var shared Shared
		tree := New(&shared)
		var m model
		for range rapid.IntRange(1, 60).Draw(t, "changes") {
			first := rapid.Uint32Range(0, 63).Draw(t, "first")
			n := rapid.Uint32Range(1, 64-first).Draw(t, "blocks")
			s := rapid.SampledFrom([]Status{Written, Unwritten, Delayed, Hole, Unwritten | Delayed}).Draw(t, "status")
			p := allocator.Block(rapid.Uint32Range(0, 2).Draw(t, "place")*1000 + first)
			known := false
			for b := first; b < first+n; b++ {
				known = known || m[b].s != 0
			}
			switch rapid.IntRange(0, 3).Draw(t, "change") {
			case 0:
				tree.Remove(first, first+n-1)
				m.fill(first, n, 0, 0)
			case 1:
				tree.Cache(first, n, p, s)
				if !known {
					m.fill(first, n, s, p)
				}
			default:
				tree.Set(first, n, p, s)
				m.fill(first, n, s, p)
			}
			m.compare(t, &tree)
			if got := Tally(tree.Ranges()); shared.StatusTree != got {
				t.Fatalf("the statistics count %+v, the tree holds %+v: %v", shared.StatusTree, got, &tree)
			}
		}
		bits := rapid.SampledFrom([]uint8{0, 1, 2, 4}).Draw(t, "cluster bits")
		m.clusters(t, &tree, bits)
	})
}

func (m *model) fill(first, n uint32, s Status, p allocator.Block) {
	for b := first; b < first+n; b++ {
		m[b].s, m[b].p = s, p+allocator.Block(b-first)
	}
}

func (m *model) compare(t *rapid.T, tree *Tree) {
	for b := range m {
		e, ok := tree.Peek(uint32(b))
		if ok != (m[b].s != 0) || ok && e.Status != m[b].s || ok && e.IsMapped() && e.Pblk()+allocator.Block(uint32(b)-e.Lblk) != m[b].p {
			t.Fatalf("block %d: %v, %t, want %v@%d\n%v", b, e, ok, m[b].s, m[b].p, tree)
		}
	}
	for i := 1; i < len(tree.ext); i++ {
		if a, b := &tree.ext[i-1], &tree.ext[i]; a.Last() >= b.Lblk {
			t.Fatalf("in disorder: %v", tree)
		}
	}
}

// clusters counts delayed clusters, and the reservations that go with a range:
// those of the clusters that lose all their delayed blocks, but not of pending
// ones, which have no reservation.
func (m *model) clusters(t *rapid.T, tree *Tree, bits uint8) {
	first := rapid.Uint32Range(0, 63).Draw(t, "from")
	last := rapid.Uint32Range(first, 63).Draw(t, "to")
	inside, outside := map[uint32]bool{}, map[uint32]bool{}
	for b := range uint32(64) {
		if m[b].s != Delayed {
			continue
		}
		if b >= first && b <= last {
			inside[b>>bits] = true
		} else {
			outside[b>>bits] = true
		}
	}
	if n := tree.DelayedClusters(first, last, bits); n != uint32(len(inside)) {
		t.Fatalf("[%d, %d] has %d delayed clusters, counted %d: %v", first, last, len(inside), n, tree)
	}
	var want int64
	var keep []uint32
	for k := range uint32(64 >> bits) {
		if !inside[k] && !outside[k] {
			continue
		}
		pending := bits > 0 && rapid.Bool().Draw(t, "pending")
		if pending {
			tree.AddPending(k)
		}
		switch goes := inside[k] && !outside[k]; {
		case goes && !pending:
			want++
		case !goes && pending:
			keep = append(keep, k)
		}
	}
	if n := tree.Release(first, last, bits); n != want {
		t.Fatalf("removing [%d, %d] releases %d reservations, want %d: %v", first, last, n, want, tree)
	}
	if fmt.Sprint(keep) != fmt.Sprint(tree.Pending()) {
		t.Fatalf("pending: %d, want %d", tree.Pending(), keep)
	}
}
