package nearest

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestOf(t *testing.T) {
	names := []string{"create", "write", "fsync", "sync", "rename", "s_mb_stream_request"}
	for _, c := range []struct {
		s, best string
		near    bool
	}{
		{"write", "write", true},
		{"wirte", "write", true},
		{"fsnc", "fsync", true}, // one edit, as from sync to fsnc two
		{"sinc", "sync", true},
		{"streamrequest", "s_mb_stream_request", true},
		{"x", "sync", false},
		{"", "sync", false},
		{"create" + strings.Repeat("x", 1<<20), "create", false},
	} {
		if best, near := Of(c.s, names); best != c.best || near != c.near {
			t.Errorf("Of(%.20q) is %q, %t; want %q, %t", c.s, best, near, c.best, c.near)
		}
	}
	if best, near := Of("sync", nil); best != "" || near {
		t.Errorf("of no names: %q, %t", best, near)
	}
	if best, _ := Of("ax", []string{"ay", "az"}); best != "ay" {
		t.Errorf("of two as near, %q and not the first", best)
	}
}

// The distance is a metric, and agrees with the recursion that defines it.
func TestEdits(t *testing.T) {
	var slow func(a, b string) int
	slow = func(a, b string) int {
		if a == "" || b == "" {
			return len(a) + len(b)
		}
		change := slow(a[1:], b[1:])
		if a[0] != b[0] {
			change++
		}
		return min(change, slow(a[1:], b)+1, slow(a, b[1:])+1)
	}
	word := rapid.StringOfN(rapid.RuneFrom([]rune("abc")), 0, 6, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		if got, want := edits(a, b), slow(a, b); got != want {
			t.Fatalf("edits(%q, %q) is %d, want %d", a, b, got, want)
		}
		if edits(a, b) != edits(b, a) {
			t.Fatalf("edits(%q, %q) depends on the order", a, b)
		}
	})
}
