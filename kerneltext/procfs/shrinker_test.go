package procfs

import (
	"strings"
	"testing"

	"mbsim/filesystem"
)

// TestWriteShrinkerInfo: where no inode has a range that could be dropped, none is named.
func TestWriteShrinkerInfo(t *testing.T) {
	var s filesystem.ShrinkerInfo
	for _, want := range []string{
		"stats:\n  0 objects\n  0 reclaimable objects\n  0/0 cache hits/misses\naverage:\n  0 us scan time\n  0 shrunk objects\n",
		"stats:\n  9 objects\n  7 reclaimable objects\n  5/4 cache hits/misses\n  3 inodes on list\naverage:\n  0 us scan time\n  0 shrunk objects\n" +
			"maximum:\n  12 inode (6 objects, 2 reclaimable)\n  0 us max scan time\n",
	} {
		var b strings.Builder
		if err := WriteShrinkerInfo(&b, &s); err != nil || b.String() != want {
			t.Errorf("%v, got\n%s", err, b.String())
		}
		s.Extents, s.Reclaimable, s.Hits, s.Misses, s.Inodes = 9, 7, 5, 4, 3
		s.Largest.Inode, s.Largest.Extents, s.Largest.Reclaimable = 12, 6, 2
	}
}
