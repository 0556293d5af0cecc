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
		{"after a remount, which reads the block of the root", "^has_journal", true, true, second, false},
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

// TestDeletionsAfterMount deletes files whose inodes lie in one block of the inode table, mounts
// again, and makes a file: a deletion keeps its number only where something was read that shows it.
func TestDeletionsAfterMount(t *testing.T) {
	const (
		files    = 1300
		perBlock = 16 // inodes of 256 bytes in a block of 4096
		first    = 1024 + 1
	)
	for _, c := range []struct {
		what   string
		delete []uint32 // inodes
		open   uint32   // an inode that is read after the mount, 0 for none
		want   uint32   // the inode of the next file
		next   uint32   // and of one more
	}{
		{"nothing was read", []uint32{first, first + 1}, 0, first, 0},
		{"its block was read", []uint32{first, first + 1}, first + 2, 0, 0},
		{"a neighbouring block was read", []uint32{first, first + 1}, first + perBlock, 0, 0},
		{"one too far away was read", []uint32{first, first + 1}, 12, first, 0},
		{"all of its block were deleted: it is filled with zeros", sequence(first, perBlock), 0, first, first + 1},
	} {
		now := int64(7e9)
		opt := DefaultOptions(4096)
		opt.Clock = func() int64 { return now }
		fs := mountSmall(t, "-b 4096 -O ^has_journal", opt)
		name := make(map[uint32]string)
		end := uint32(0)
		for i := range files {
			n := fmt.Sprint(i)
			end = createNumbered(t, fs, n)
			name[end] = n
		}
		for _, number := range c.delete {
			if err := fs.Unlink(&task{}, name[number]); err != nil {
				t.Fatal(err)
			}
		}
		now += 2e9
		if err := fs.Remount(&task{}); err != nil {
			t.Fatal(err)
		}
		if c.open > 0 {
			h, err := fs.Open(&task{}, name[c.open], 0)
			if err != nil {
				t.Fatal(err)
			}
			h.Close(&task{})
		}
		// A number that is passed over leaves the first that was never used.
		orEnd := func(want, behind uint32) uint32 {
			if want == 0 || want > end {
				return end + behind
			}
			return want
		}
		one, two := createNumbered(t, fs, "x"), createNumbered(t, fs, "y")
		behind := uint32(1)
		if want := orEnd(c.want, behind); one != want {
			t.Errorf("%s: inode %d, want %d", c.what, one, want)
		}
		if one > end {
			behind++
		}
		if want := orEnd(c.next, behind); two != want {
			t.Errorf("%s: then inode %d, want %d", c.what, two, want)
		}
	}
}

// sequence is n numbers from first on.
func sequence(first, n uint32) []uint32 {
	var all []uint32
	for i := range n {
		all = append(all, first+i)
	}
	return all
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
