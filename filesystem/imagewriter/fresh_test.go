package imagewriter

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/filesystem/image"
)

// epoch is the time at which the tests' file systems are made.
const epoch = 1000000000

// needs skips a test where a program of e2fsprogs is not installed.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s of e2fsprogs is not installed", p)
		}
	}
}

// made is a file system that mke2fs has made, and what Write makes of the same arguments.
func made(t *testing.T, args string, size int64) (theirs, ours string, l *image.Layout) {
	t.Helper()
	dir := t.TempDir()
	theirs, ours = filepath.Join(dir, "theirs"), filepath.Join(dir, "ours")
	fsType := "ext4"
	for _, older := range []string{"ext2", "ext3"} {
		if rest, is := strings.CutPrefix(args, older); is {
			fsType, args = older, rest
		}
	}
	all := image.RecorderArgs(fsType, args)
	if err := os.WriteFile(theirs, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(theirs, size); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("mke2fs", append(all, theirs)...)
	c.Env = append(os.Environ(), fmt.Sprintf("E2FSPROGS_FAKE_TIME=%d", epoch))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("mke2fs %v: %v: %s", all, err, out)
	}
	p, err := image.ParseMkfsArgs(all, size)
	if err != nil {
		t.Fatal(err)
	}
	if l, err = image.Mkfs(p); err != nil {
		t.Fatal(err)
	}
	written(t, ours, l, Options{Epoch: epoch})
	if err := os.Truncate(ours, size); err != nil {
		t.Fatal(err)
	}
	return theirs, ours, l
}

// written writes a layout to a new file.
func written(t *testing.T, name string, l *image.Layout, o Options) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(Size(l)); err != nil {
		t.Fatal(err)
	}
	if err := Write(f, l, o); err != nil {
		t.Fatal(err)
	}
}

// TestFresh compares new file systems with those of mke2fs, byte by byte.
func TestFresh(t *testing.T) {
	needs(t, "mke2fs")
	for _, args := range []string{
		"", "-b 1024", "-b 2048", "-O ^metadata_csum", "-O ^metadata_csum,uninit_bg", "-O ^64bit", "-O ^flex_bg", "-O meta_bg,^resize_inode",
		"-O bigalloc", "-b 1024 -O bigalloc -C 8192", "-O ^extent,^64bit", "-O inline_data", "-O ^has_journal", "-O orphan_file", "-O metadata_csum_seed",
		"-O sparse_super2", "-I 128", "-I 512", "-g 2048", "-G 4", "-N 2000", "-O fast_commit", "-m 1 -L label", "-O large_dir",
		"ext2", "ext2 -b 1024", "ext3", "-b 16384", "-b 65536", "-O ^sparse_super,^resize_inode", "-E hash_seed=6d627369-6d00-4000-8000-000000000002,packed_meta_blocks=1", "ext3 -b 1024 -O ^dir_index,uninit_bg", "-E hash_seed=6d627369-6d00-4000-8000-000000000002,stride=4,stripe_width=16", "-b 1024 -O ^resize_inode,meta_bg,^flex_bg", "-O ^has_journal,^dir_index",
	} {
		t.Run(args, func(t *testing.T) {
			theirs, ours, l := made(t, args, 160<<20)
			a, err := os.ReadFile(theirs)
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(ours)
			if err != nil {
				t.Fatal(err)
			}
			// How much mke2fs has written (s_kbytes_written) is its own; e2fsck tests the checksum.
			for id := range l.Super.Groups() {
				if p := l.Super.Prefix(id); p.HasSuper {
					at := int64(p.Super) << l.Super.BlockBits
					if id == 0 {
						at = 1024
					}
					copy(b[at+0x178:at+0x180], a[at+0x178:])
					copy(b[at+0x3fc:at+0x400], a[at+0x3fc:])
				}
			}
			diffs := 0
			for at := 0; at < len(a) && diffs < 12; at += 16 {
				// Mostly a megabyte is the same.
				if end := at + 1<<20; at%(1<<20) == 0 && end <= len(a) && bytes.Equal(a[at:end], b[at:end]) {
					at = end - 16
					continue
				}
				if !bytes.Equal(a[at:at+16], b[at:at+16]) {
					t.Errorf("byte %#x (block %d of 4K, 1K: %d): mke2fs % x, here % x", at, at/4096, at/1024, a[at:at+16], b[at:at+16])
					diffs++
				}
			}
		})
	}
}
