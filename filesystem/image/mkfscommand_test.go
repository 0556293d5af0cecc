package image

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseMkfsCommand(t *testing.T) {
	for line, want := range map[string]string{
		"-t ext4 -b 1024":                                       "ext4 0 -b 1024",
		"-b 1024 -O bigalloc":                                   " 0 -b 1024 -O bigalloc",
		"mke2fs -t ext4 -b 1024 /dev/sdb1":                      "ext4 0 -b 1024",
		"sudo mkfs.ext3 -F /dev/sdb1":                           "ext3 0 -j -F",
		"# /sbin/mkfs.ext4 /dev/sdb1 -m1":                       "ext4 0 -m1",
		"mkfs -t ext2 -qF /dev/sdb1 20480":                      "ext2 20971520 -qF",
		"mke2fs -b4096 disk.img 4096":                           "ext2 16777216 -b4096",
		"mke2fs -b 4k disk.img 64M":                             "ext2 67108864 -b 4k",
		"mke2fs -qFtext4 disk.img":                              "ext4 0 -qF",
		"mke2fs -qFt ext4 disk.img":                             "ext4 0 -qF",
		"mke2fs -E 'stride=16,stripe_width=64' \\\n -L \"a\" x": "ext2 0 -E stride=16,stripe_width=64 -L a",
		"mkfs.ext4 -t ext4 x":                                   "ext4 0",
	} {
		c, err := ParseMkfsCommand(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		got := strings.TrimSpace(c.Type + " " + strings.TrimSpace(fmt.Sprint(c.Size)+" "+strings.Join(c.Args, " ")))
		if got != strings.TrimSpace(want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	for line, want := range map[string]string{
		"-b 1024 bigalloc":        `unexpected argument "bigalloc"`,
		"mkfs.ext3 -t ext4 x":     "the types ext3 and ext4 are both given",
		"mke2fs -b":               "option -b needs an argument",
		"mke2fs x 100 200":        `unexpected argument "200"`,
		"mke2fs x many":           `want a number of blocks behind the device x, found "many"`,
		"mke2fs -L 'my disk' x":   `the argument "my disk" has a blank in it`,
		"mke2fs -L 'my disk x":    "a quote (') that does not end",
		"mke2fs x 9999999999999T": "want a number of blocks",
	} {
		if _, err := ParseMkfsCommand(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}
