package reservation

import (
	"fmt"
	"math/bits"

	"mbsim/allocator"
)

// DefaultWindow is the size of a file's first window, in blocks
// (EXT2_DEFAULT_RESERVE_BLOCKS).
const DefaultWindow = 8

// MaxWindow is the size that windows grow to by themselves
// (EXT2_MAX_RESERVE_BLOCKS).
const MaxWindow = 1027

// Window is a file's reservation (struct ext2_reserve_window_node). The file
// system embeds it in its inode and calls Allocator.InitWindow before the first use.
type Window struct {
	start, end allocator.Block // first and last block; both 0 without a reservation
	hits       uint32          // blocks allocated in it (rsv_alloc_hit)
	size       uint32          // what the next is to measure (rsv_goal_size); 0 turns windows off

	parent, left, right *Window // the tree
	prev, next          *Window // the neighbours in the order of blocks
	priority            uint32
}

func (w *Window) empty() bool { return w.end == 0 }

// Reserved is the range of the window, n 0 without one.
func (w *Window) Reserved() (start allocator.Block, n uint64) {
	if w.empty() {
		return 0, 0
	}
	return w.start, uint64(w.end - w.start + 1)
}

// hitClass is the class of Stats.HitsAtEnd.
func (w *Window) hitClass() int { return min(bits.Len32(w.hits), hitClasses-1) }

// windows is the set of all windows. It is a treap: a search tree by place that is also a
// heap by random priorities, which keeps it balanced. Each window is linked with its
// neighbours as well. The shape of the tree decides nothing.
type windows struct {
	root *Window
	head Window // covers block 0, so that every goal has a window before it
	rng  uint32
}

func (t *windows) init() {
	t.rng = 0x9e3779b9
	t.insert(&t.head)
}

// find is the window that holds goal, or else the last one before it
// (search_reserve_window).
func (t *windows) find(goal allocator.Block) *Window {
	var before *Window
	for w := t.root; w != nil; {
		switch {
		case goal < w.start:
			w = w.left
		case goal > w.end:
			before, w = w, w.right
		default:
			return w
		}
	}
	return before
}

// insert adds w, which overlaps none (ext2_rsv_window_add).
func (t *windows) insert(w *Window) {
	// A random priority keeps the tree balanced.
	t.rng ^= t.rng << 13 // xorshift32, Marsaglia 2003
	t.rng ^= t.rng >> 17
	t.rng ^= t.rng << 5
	w.priority = t.rng
	w.parent, w.left, w.right, w.prev, w.next = nil, nil, nil, nil, nil
	at := &t.root
	// Down the tree to the window's place. The last one passed on each side is its
	// neighbour.
	for *at != nil {
		x := *at
		w.parent = x
		switch {
		case w.start < x.start:
			w.next, at = x, &x.left
		case w.start > x.end:
			w.prev, at = x, &x.right
		default:
			panic(fmt.Sprintf("reservation: window [%d, %d] overlaps [%d, %d]", w.start, w.end, x.start, x.end))
		}
	}
	// The window becomes a leaf there, and joins the list of neighbours.
	*at = w
	if w.prev != nil {
		w.prev.next = w
	}
	if w.next != nil {
		w.next.prev = w
	}
	// Up, until its parent has a higher priority.
	for w.parent != nil && w.parent.priority < w.priority {
		t.rotateUp(w)
	}
}

// remove takes w out of the set and empties it (rsv_window_remove).
func (t *windows) remove(w *Window) {
	// Down, below the child with the higher priority, until it is a leaf.
	for w.left != nil || w.right != nil {
		up := w.left
		if up == nil || w.right != nil && w.right.priority > up.priority {
			up = w.right
		}
		t.rotateUp(up)
	}
	// Out of the tree, and out of the list of neighbours.
	*t.link(w) = nil
	if w.prev != nil {
		w.prev.next = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	}
	w.parent, w.prev, w.next = nil, nil, nil
	w.start, w.end, w.hits = 0, 0, 0
}

// check reports windows that overlap or are out of order, and nodes of the tree
// that are not where their start and priority put them.
func (t *windows) check() error {
	// The list: in order, without overlaps, linked both ways.
	for w := &t.head; w.next != nil; w = w.next {
		if w.next.start <= w.end || w.next.start > w.next.end || w.next.prev != w {
			return fmt.Errorf("reservation: window [%d, %d] follows [%d, %d]", w.next.start, w.next.end, w.start, w.end)
		}
	}
	// The tree: met in order, it must give the same windows as the list.
	at := &t.head
	var walk func(w, parent *Window) error
	walk = func(w, parent *Window) error {
		if w == nil {
			return nil
		}
		if w.parent != parent || parent != nil && w.priority > parent.priority {
			return fmt.Errorf("reservation: window [%d, %d] is misplaced in the tree", w.start, w.end)
		}
		if err := walk(w.left, w); err != nil {
			return err
		}
		if at != w {
			return fmt.Errorf("reservation: the tree has window [%d, %d] out of order", w.start, w.end)
		}
		at = w.next
		return walk(w.right, w)
	}
	if err := walk(t.root, nil); err != nil {
		return err
	}
	if at != nil {
		return fmt.Errorf("reservation: the tree lacks window [%d, %d]", at.start, at.end)
	}
	return nil
}

// link is where the pointer to w is.
func (t *windows) link(w *Window) **Window {
	switch {
	case w.parent == nil:
		return &t.root
	case w.parent.left == w:
		return &w.parent.left
	}
	return &w.parent.right
}

// rotateUp makes w the parent of its parent.
func (t *windows) rotateUp(w *Window) {
	p := w.parent
	*t.link(p) = w
	// The subtree between both changes its parent, and the order stays.
	var moved *Window
	if p.left == w {
		moved = w.right
		w.right, p.left = p, moved
	} else {
		moved = w.left
		w.left, p.right = p, moved
	}
	if moved != nil {
		moved.parent = p
	}
	w.parent, p.parent = p.parent, w
}
