package memory

import (
	"errors"
	"testing"
)

// TestWatch: the work ends when it has used nearly all the memory there is, and not where the system
// does not tell how much that is.
func TestWatch(t *testing.T) {
	w := NewWatch()
	w.have = 1
	much := new(TooMuch)
	if err := w.Check("work"); !errors.As(err, &much) || much.Have != 1 || much.Need < 1<<16 {
		t.Errorf("with a byte of memory: %v", err)
	}
	w.have = 1 << 50
	if err := w.Check("work"); err != nil {
		t.Error(err)
	}
	w.have = 0
	if err := w.Check("work"); err != nil {
		t.Error(err)
	}
}
