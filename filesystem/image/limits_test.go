package image

import (
	"strings"
	"testing"
)

// The number of groups is limited by the inodes: a group has 8 at least, and the
// file system fewer than 2^32. With 4K blocks and groups of 256 blocks, 8P are
// 2^33 groups, which 32 bits take for none.
func TestTooManyGroups(t *testing.T) {
	for _, c := range []struct {
		args string
		size int64
		want string // of the error, "" for none
	}{
		{"-g 256", 8 << 50, "mkfs: 8589934592 groups of 256 blocks need more than 2^32 inodes"},
		{"-g 256", 4 << 50, "mkfs: 4294967296 groups of 256 blocks"},
		{"-g 256", 1 << 50, "mkfs: 1073741824 groups of 256 blocks"},
		{"-g 512", 1 << 50, "mkfs: 536870912 groups of 512 blocks"},
		{"-g 520", 1 << 50, ""}, // 528611424 groups
	} {
		p, err := ParseMkfsArgs(append([]string{"-t", "ext4"}, strings.Fields(c.args)...), c.size)
		if err != nil {
			t.Fatal(err)
		}
		l, err := Mkfs(p)
		switch {
		case err == nil && c.want != "":
			t.Errorf("mkfs %s of %d bytes made %d groups, want %q", c.args, c.size, l.Super.Groups(), c.want)
		case err != nil && (c.want == "" || !strings.HasPrefix(err.Error(), c.want)):
			t.Errorf("mkfs %s of %d bytes: %v, want %q", c.args, c.size, err, c.want)
		case err == nil && uint64(l.Super.Groups())*uint64(l.Super.InodesPerGroup) != uint64(l.Super.Inodes):
			t.Errorf("mkfs %s of %d bytes: %d inodes in %d groups of %d", c.args, c.size, l.Super.Inodes, l.Super.Groups(), l.Super.InodesPerGroup)
		}
	}
}
