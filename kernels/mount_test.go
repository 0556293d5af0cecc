package kernels

import (
	"strings"
	"testing"
)

// TestCheckMount tests that an option which only others have is refused with their names.
func TestCheckMount(t *testing.T) {
	for _, c := range []struct{ system, options, want string }{
		{"5.10", "rw,relatime,errors=remount-ro,data=ordered", ""},
		{"ext2", "rw,noatime,errors=continue,user_xattr", ""},
		{"ext2", "rw,delalloc", `ext2 does not have the mount option "delalloc"; these do: 5.10, `},
		{"5.10", "rw,mb_optimize_scan=0", "kernel 5.10 does not have the mount option mb_optimize_scan; these do: 6.1, "},
		{"6.1", "rw,mb_optimize_scan=0", ""},
		{"5.10", "nodelaloc", `unknown mount option "nodelaloc" (did you mean "nodelalloc"?)`},
	} {
		s, err := Find(c.system)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.CheckMount(c.options); err == nil && c.want != "" || err != nil && (c.want == "" || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s, %s: %v, want %q", c.system, c.options, err, c.want)
		}
	}
}
