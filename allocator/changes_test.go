package allocator

import (
	"slices"
	"testing"
)

// TestChanges: each group is listed once until it is taken, and what was not taken stays.
func TestChanges(t *testing.T) {
	c := NewChanges(200)
	for _, id := range []GroupID{7, 199, 7, 64, 199} {
		c.Add(id)
	}
	for id := range c.Take() {
		if id != 7 {
			t.Fatalf("%d is first", id)
		}
		break
	}
	c.Add(7)
	if got := slices.Collect(c.Take()); !slices.Equal(got, []GroupID{199, 64, 7}) {
		t.Errorf("taken: %v", got)
	}
	if got := slices.Collect(c.Take()); len(got) > 0 {
		t.Errorf("taken twice: %v", got)
	}
}
