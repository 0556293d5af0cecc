package crash

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func breakDown(v any) error { panic(v) }

func TestGuard(t *testing.T) {
	plain := errors.New("plain")
	if err := Guard(func() error { return plain }); err != plain || Of(err) != nil {
		t.Errorf("%v", err)
	}
	err := fmt.Errorf("in a run: %w", Guard(func() error { return breakDown("two\n  lines") }))
	if err.Error() != "in a run: panic: two lines" {
		t.Errorf("%q", err)
	}
	if p := Of(err); p == nil || !strings.Contains(string(p.PanicStack()), "breakDown") {
		t.Errorf("the stack of %v does not name the function that panicked", err)
	}
	if err := Guard(func() error { return breakDown(plain) }); !errors.Is(err, plain) {
		t.Errorf("%v does not hold the error it panicked with", err)
	}
	// A panic that was caught and thrown again keeps its first stack.
	inner := Guard(func() error { return breakDown(1) })
	if again := Guard(func() error { panic(inner) }); Of(again) != Of(inner) {
		t.Errorf("%v is not %v", again, inner)
	}
}
