package ext4

import (
	"testing"
	"unsafe"
)

// TestInodeLines: the many inodes of small files take no more of the processor's
// cache than they need, as far as the runtime's heap allows. Nothing but time
// depends on it.
func TestInodeLines(t *testing.T) {
	const line = 64
	if size := unsafe.Sizeof(inode{}); size > 2*line {
		t.Errorf("an inode takes %d bytes", size)
	}
	c := newInodeCache(5000, nil)
	for _, number := range []uint32{1, 15, 16, 1023, 1024, 4999} {
		if at := uintptr(unsafe.Pointer(c.place(number))); at%line != 0 {
			t.Errorf("inode %d begins %d bytes into a line", number, at%line)
		}
	}
}

// TestInodeCache: inodes are found by number once they are live, and listed in order.
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
