package ext4

import "testing"

// TestInodeCache tests that inodes are found by number once they are live, and are listed
// in order.
func TestInodeCache(t *testing.T) {
	c := newInodeCache(5000, nil)
	if c.find(7) != nil || c.find(70000) != nil {
		t.Error("an inode that nobody made")
	}
	for _, number := range []uint32{4999, 2, 1024, 17} {
		in := c.place(number)
		in.Number, in.live = number, true
		if c.find(number) != in || c.at(number) != in {
			t.Errorf("inode %d is not found", number)
		}
	}
	c.at(17).live = false
	var got []uint32
	for in := range c.all() {
		got = append(got, in.Number)
	}
	if len(got) != 3 || got[0] != 2 || got[1] != 1024 || got[2] != 4999 {
		t.Errorf("listed are %d", got)
	}
}
