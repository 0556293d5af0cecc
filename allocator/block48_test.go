package allocator

import (
	"testing"
	"unsafe"
)

func TestBlock48(t *testing.T) {
	// Each bit comes back in its place, and the zero value is block 0.
	for bit := range 48 {
		for _, b := range []Block{1 << bit, 1<<bit - 1, 1<<48 - 1<<bit} {
			if got := Pack48(b & (1<<48 - 1)).Block(); got != b&(1<<48-1) {
				t.Errorf("%#x comes back as %#x", b, got)
			}
		}
	}
	var zero Block48
	if zero != Pack48(0) || zero.Block() != 0 {
		t.Errorf("the zero value is block %d", zero.Block())
	}
	if size := unsafe.Sizeof(zero); size != 6 {
		t.Errorf("a Block48 takes %d bytes", size)
	}
}
