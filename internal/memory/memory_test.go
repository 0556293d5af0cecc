package memory

import (
	"math"
	"strings"
	"testing"
)

func TestTotal(t *testing.T) {
	for text, want := range map[string]int64{
		"MemTotal:       24639488 kB\nMemFree:  1 kB\n": 24639488 << 10,
		"MemFree:  1 kB\n":                 math.MaxInt64,
		"MemTotal: x kB\nMemTotal: 5 kB\n": 5 << 10,
		"":                                 math.MaxInt64,
		"MemTotal:  99999999999999999999999 kB\n": math.MaxInt64,
	} {
		if got := total(strings.NewReader(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	if err := Check("3 groups", 1000); err != nil {
		t.Error(err)
	}
	err := Check("5 groups", math.MaxUint64)
	if err == nil || !strings.HasPrefix(err.Error(), "5 groups need 18446744073.7 GB of memory, and there are ") {
		t.Error(err)
	}
}
