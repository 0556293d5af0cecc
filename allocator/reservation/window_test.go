package reservation

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"mbsim/allocator"
)

// TestWindows holds the tree against a sorted list.
func TestWindows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tree windows
		tree.init()
		list := []*Window{&tree.head}
		t.Repeat(map[string]func(*rapid.T){
			"insert": func(t *rapid.T) {
				start := allocator.Block(rapid.Uint64Range(1, 400).Draw(t, "start"))
				end := start + allocator.Block(rapid.Uint64Range(0, 20).Draw(t, "more"))
				for _, w := range list {
					if start <= w.end && end >= w.start {
						t.Skip("they would overlap")
					}
				}
				w := &Window{start: start, end: end}
				tree.insert(w)
				list = append(list, w)
				slices.SortFunc(list, func(a, b *Window) int { return int(a.start) - int(b.start) })
			},
			"remove": func(t *rapid.T) {
				if len(list) == 1 {
					t.Skip("only the head is left")
				}
				i := rapid.IntRange(1, len(list)-1).Draw(t, "which")
				tree.remove(list[i])
				if !list[i].empty() || list[i].next != nil || list[i].prev != nil {
					t.Fatalf("removed window %+v", list[i])
				}
				list = slices.Delete(list, i, i+1)
			},
			"": func(t *rapid.T) {
				if err := tree.check(); err != nil {
					t.Fatal(err)
				}
				i := 0
				for w := &tree.head; w != nil; w = w.next {
					if i >= len(list) || list[i] != w {
						t.Fatalf("the tree's window %d is [%d, %d]", i, w.start, w.end)
					}
					i++
				}
				goal := allocator.Block(rapid.Uint64Range(0, 430).Draw(t, "goal"))
				want := list[0]
				for _, w := range list {
					if w.start <= goal {
						want = w
					}
				}
				if i != len(list) || tree.find(goal) != want {
					t.Fatalf("%d windows of %d; the one for %d is [%d, %d]", i, len(list), goal, want.start, want.end)
				}
			},
		})
	})
}

// TestWindowsOverlap: a window over another is a broken invariant.
func TestWindowsOverlap(t *testing.T) {
	var tree windows
	tree.init()
	tree.insert(&Window{start: 10, end: 20})
	defer func() {
		if recover() == nil {
			t.Error("inserted")
		}
	}()
	tree.insert(&Window{start: 20, end: 30})
}

// TestWindowsCheck damages a tree and expects check to notice.
func TestWindowsCheck(t *testing.T) {
	for name, damage := range map[string]func(t *windows, w []*Window){
		"overlap":  func(_ *windows, w []*Window) { w[2].end = w[3].start },
		"backward": func(_ *windows, w []*Window) { w[2].end = w[2].start - 1 },
		"list":     func(_ *windows, w []*Window) { w[1].next, w[3].prev = w[3], w[1] },
		"prev":     func(_ *windows, w []*Window) { w[3].prev = w[1] },
		"priority": func(t *windows, w []*Window) {
			for _, x := range w {
				if x != t.root {
					x.priority = t.root.priority + 1
					return
				}
			}
		},
		"parent": func(t *windows, _ []*Window) { t.root.parent = t.root },
		"order": func(t *windows, w []*Window) {
			t.root.left, t.root.right = t.root.right, t.root.left
		},
	} {
		var tree windows
		tree.init()
		var w []*Window
		for i := range allocator.Block(8) {
			w = append(w, &Window{start: 10 + 10*i, end: 14 + 10*i})
			tree.insert(w[i])
		}
		if err := tree.check(); err != nil {
			t.Fatal(err)
		}
		damage(&tree, w)
		if tree.check() == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}
