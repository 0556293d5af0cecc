package ext4

import (
	"strings"
	"testing"

	"mbsim/filesystem/image"
)

// TestPrefetchBitmaps compares with what Linux 5.10.223 did on fresh devices: how
// many bitmaps the thread for lazy initialization read, and how many buddies it
// built.
func TestPrefetchBitmaps(t *testing.T) {
	for _, c := range []struct {
		size           int64
		args           string
		loads, buddies uint64
	}{
		{6 << 30, "-b 4096", 5, 2},
		{512 << 20, "-b 4096 -O ^metadata_csum,^flex_bg -g 2048", 62, 60},
	} {
		p, err := image.ParseMkfsArgs(image.RecorderArgs("ext4", c.args+" -O ^orphan_file,^metadata_csum_seed"), c.size)
		if err != nil {
			t.Fatal(err)
		}
		l, err := image.Mkfs(p)
		if err != nil {
			t.Fatal(err)
		}
		mounts := 0
		opt := DefaultOptions(4096)
		opt.Mounted = func() { mounts++ }
		if err := opt.Parse("prefetch_block_bitmaps"); err != nil {
			t.Fatal(err)
		}
		fs, err := Mount(l, opt)
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 2; n++ {
			fs.PrefetchBitmaps()
			s := fs.alloc.Stats()
			if s.PrefetchIOs != c.loads || s.BitmapLoads != c.loads || s.BuddiesGenerated != c.buddies {
				t.Errorf("%s: mount %d: %d bitmaps read, %d of them ahead, %d buddies; want %d and %d",
					strings.TrimSpace(c.args), n, s.BitmapLoads, s.PrefetchIOs, s.BuddiesGenerated, c.loads, c.buddies)
			}
			fs.PrefetchBitmaps()
			if again := fs.alloc.Stats(); again != s {
				t.Errorf("%s: twice in a mount: %+v, then %+v", c.args, s, again)
			}
			if mounts != n {
				t.Errorf("told of %d mounts, want %d", mounts, n)
			}
			if err := fs.Remount(&task{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
