package blockcache

import (
	"fmt"
	"testing"

	"mbsim/allocator"
)

// TestUse: what was used is in memory, as long as not more than half of the limit was used since,
// and at most as long as the limit was.
func TestUse(t *testing.T) {
	c := New(8)
	for b := range allocator.Block(4) {
		if c.Use(b) || !c.Use(b) {
			t.Errorf("block %d", b)
		}
	}
	// 0 to 3 are the old half once 4 comes; a use of one of them makes it recent.
	if c.Use(4) || !c.Use(0) || c.Use(5) || c.Use(6) {
		t.Error("half of the limit was used since 0 to 3 came")
	}
	// With 7 the recent half, 4, 0, 5 and 6, becomes the old one, and 1 to 3 are forgotten.
	if c.Use(7) || !c.Use(0) || c.Use(1) || !c.Use(5) {
		t.Error("what the old half held is forgotten, what the recent one held is not")
	}
	c.Drop()
	if c.Use(7) || c.Use(5) {
		t.Error("an unmount forgets all")
	}
}

// TestMissing: only what is not in memory is read, in ranges.
func TestMissing(t *testing.T) {
	c := New(100)
	for _, x := range []struct {
		b    allocator.Block
		n    uint32
		want string
	}{
		{10, 5, "10+5 "}, {10, 5, ""}, {8, 10, "8+2 15+3 "}, {20, 0, ""}, {17, 4, "18+3 "},
	} {
		got := ""
		c.Missing(x.b, x.n, func(b allocator.Block, n uint32) { got += fmt.Sprintf("%d+%d ", b, n) })
		if got != x.want {
			t.Errorf("of %d+%d %q is read, want %q", x.b, x.n, got, x.want)
		}
	}
}
