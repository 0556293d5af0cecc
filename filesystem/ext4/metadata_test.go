package ext4

import (
	"fmt"
	"strings"
	"testing"

	"mbsim/filesystem/blockcache"
	"mbsim/filesystem/play"
	"mbsim/workload"
)

// TestMappingIsRead: after a mount, who reads or removes a file reads the blocks of its extent tree
// once each, or its indirect blocks.
func TestMappingIsRead(t *testing.T) {
	for _, c := range []struct {
		mkfs   string
		blocks uint64
	}{
		// Each other of 2000 blocks is an extent of its own: three to six leaves of 340.
		{"-b 4096", 3},
		// One indirect block of 1024 pointers does for 1012 of them, and then a double one with another.
		{"-b 4096 -O ^extents,^64bit", 3},
		// 84 extents a leaf, and an index above the leaves.
		{"-b 1024", 13},
	} {
		for _, then := range []string{"read f 0 8192000\n", "unlink f\nclose f\n"} {
			s := script{size: 128 << 20, mkfs: c.mkfs, cpus: 1}
			fs, err := s.mountWith(func(o *Options, _ int64) { o.Cache = blockcache.New(1 << 20) })
			if err != nil {
				t.Fatal(err)
			}
			p := &play.Player{FS: fs, CPUs: 1}
			// read performs operations and returns how many blocks of metadata that read.
			read := func(text string) uint64 {
				before := fs.MetadataReads().Blocks
				ops, err := workload.ParseScript(strings.NewReader(text), "script")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := p.Run(ops); err != nil {
					t.Fatal(err)
				}
				return fs.MetadataReads().Blocks - before
			}
			text := "creat f f\n"
			for i := range 1000 {
				text += fmt.Sprintf("write f %d 100\nfsync f\n", i*8192)
			}
			if n := read(text + "close f\nsync\n"); n > 6 {
				t.Errorf("%s: %d blocks were read to make a file, for which only the inode bitmap, the first blocks of the table and the block of the root are needed", c.mkfs, n)
			}
			read("remount\nopen f f\n")
			if n := read(then); n < c.blocks || n > 2*c.blocks+1 {
				t.Errorf("%s, %q: %d blocks were read, want %d and some more", c.mkfs, then, n, c.blocks)
			}
			if then[0] == 'r' {
				if n := read(then); n != 0 {
					t.Errorf("%s: %d blocks were read again", c.mkfs, n)
				}
			}
			if err := fs.Check(); err != nil {
				t.Error(err)
			}
		}
	}
}
