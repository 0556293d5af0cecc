package ftrace

import (
	"strings"
	"testing"

	"mbsim/allocator/mballoc"
)

// TestCriteria: a search's criterion is printed as its kernel does, by name or by number.
func TestCriteria(t *testing.T) {
	for _, c := range []struct {
		rung *mballoc.Rung
		want string
	}{
		{&mballoc.Rung{Traced: "CR_ANY_FREE"}, " cr CR_ANY_FREE flags "},
		{&mballoc.Rung{}, " cr 3 flags "},
		{nil, " cr 3 flags "},
	} {
		var b strings.Builder
		w := NewWriter(&b, 1)
		w.Decided(&mballoc.Decision{Searched: true, Criteria: 3, Rung: c.rung})
		if err := w.Flush(); err != nil || !strings.Contains(b.String(), c.want) {
			t.Errorf("%v, want %q in %s", err, c.want, b.String())
		}
	}
}
