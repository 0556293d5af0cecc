package ext4

import (
	"fmt"
	"testing"

	"mbsim/filesystem/image"
)

// TestRecentlyDeleted deletes a file and looks at the number of the next: without
// a journal, and with a clock, the old one waits for a minute once the second is
// over.
func TestRecentlyDeleted(t *testing.T) {
	const second = int64(1e9)
	for _, c := range []struct {
		what      string
		features  string
		clock     bool
		remount   bool
		later     int64 // ns
		wantReuse bool
	}{
		{"in the same second", "^has_journal", true, false, second - 1, true},
		{"a second later", "^has_journal", true, false, second, false},
		{"just within a minute", "^has_journal", true, false, 60*second - 1, false},
		{"a minute later", "^has_journal", true, false, 60 * second, true},
		{"with a journal", "has_journal", true, false, second, true},
		{"without a clock", "^has_journal", false, false, second, true},
		{"after a remount", "^has_journal", true, true, second, true},
	} {
		now := 7 * second
		opt := DefaultOptions(4096)
		if c.clock {
			opt.Clock = func() int64 { return now }
		}
		fs := mountSmall(t, "-b 4096 -O "+c.features, opt)
		first := createNumbered(t, fs, "a")
		createNumbered(t, fs, "b")
		if err := fs.Unlink(&task{}, "a"); err != nil {
			t.Fatal(err)
		}
		now += c.later
		if c.remount {
			if err := fs.Remount(&task{}); err != nil {
				t.Fatal(err)
			}
		}
		if got := createNumbered(t, fs, "c"); (got == first) != c.wantReuse {
			t.Errorf("%s: inode %d, deleted was %d", c.what, got, first)
		}
		if err := fs.Check(); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// TestAllRecentlyDeleted fills a device with files: when every free number was
// deleted recently, the last of the group is used all the same.
func TestAllRecentlyDeleted(t *testing.T) {
	now := int64(0)
	opt := DefaultOptions(4096)
	opt.Clock = func() int64 { return now }
	fs := mountSmall(t, "-b 4096 -N 32 -O ^has_journal", opt)
	var numbers []uint32
	for i := range fs.freeInodes.Sum() {
		numbers = append(numbers, createNumbered(t, fs, fmt.Sprint(i)))
	}
	for i := range numbers {
		if err := fs.Unlink(&task{}, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	now += 10e9
	for i := len(numbers) - 1; i >= 0; i-- {
		if got := createNumbered(t, fs, "x"+fmt.Sprint(i)); got != numbers[i] {
			t.Errorf("inode %d, want %d", got, numbers[i])
		}
	}
	if err := fs.Check(); err != nil {
		t.Error(err)
	}
}

// mountSmall mounts a fresh device of 16 MiB, of one group.
func mountSmall(t *testing.T, args string, opt Options) *FS {
	t.Helper()
	p, err := image.ParseMkfsArgs(image.RecorderArgs("ext4", args), 16<<20)
	if err != nil {
		t.Fatal(err)
	}
	l, err := image.Mkfs(p)
	if err != nil {
		t.Fatal(err)
	}
	fs, err := Mount(l, opt)
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// createNumbered makes an empty file and returns its inode number.
func createNumbered(t *testing.T, fs *FS, path string) uint32 {
	t.Helper()
	h, err := fs.Create(&task{}, path)
	if err != nil {
		t.Fatal(err)
	}
	number := h.(*handle).in.Number
	if err := h.Close(&task{}); err != nil {
		t.Fatal(err)
	}
	return number
}
