package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPastedMount tests that a line of /proc/mounts, of /etc/fstab or of mount's output stands
// for its options, and a list in --set for what it is in a file.
func TestPastedMount(t *testing.T) {
	for value, want := range map[string]string{
		"/dev/sda2 / ext4 rw,relatime,errors=remount-ro 0 0":              "rw,relatime,errors=remount-ro",
		"UUID=6d627369 /srv ext4 defaults,noatime 0 2":                    "defaults,noatime",
		"/dev/sda2 on /srv type ext4 (rw,relatime,stripe=64)":             "rw,relatime,stripe=64",
		"nodelalloc, commit=30":                                           "nodelalloc,commit=30",
		`/dev/mapper/vg-home\040x /home ext4 rw,nodelalloc,commit=60 0 0`: "rw,nodelalloc,commit=60",
	} {
		text := "device: {mkfs: {size: 64M}}\nworkload: {script: \"sync\\n\"}\nmount: '" + value + "'\n"
		s, err := parseTest0(text)
		if err != nil || s.Mount != want {
			t.Errorf("%s: %v, %v", value, s, err)
		}
	}
	s, err := Parse([]byte("device: {mkfs: {size: 64M}}\nworkload: {script: \"sync\\n\"}\n"), "s.yaml", Options{Sets: []string{"mount=[nodelalloc, commit=30]"}})
	if err != nil || s.Mount != "nodelalloc,commit=30" {
		t.Errorf("%v, %v", s, err)
	}
	_, err = parseTest0("device: {mkfs: {size: 64M}}\nworkload: {script: \"sync\\n\"}\nmount: /dev/sda2 / ext4 rw,nodelaloc 0 0\n")
	if err == nil || !strings.Contains(err.Error(), `unknown mount option "nodelaloc" (did you mean "nodelalloc"?)`) {
		t.Errorf("%v", err)
	}
}

// TestPastedMkfs tests that a command line of mke2fs makes what its options alone do.
func TestPastedMkfs(t *testing.T) {
	for _, options := range []string{"-t ext4 -b 1024", "-b 1024", "mke2fs -t ext4 -b 1024 /dev/sdb1", "sudo mkfs.ext4 -qb1024 /dev/sdb1 1048576", "mkfs.ext4 -b '1024' disk.img 1G"} {
		s, err := parseTest0("device: {mkfs: {size: 1G, options: \"" + options + "\"}}\nworkload: {script: \"sync\\n\"}\n")
		if err != nil {
			t.Errorf("%s: %v", options, err)
			continue
		}
		l, err := s.Layout()
		if err != nil || l.Super.BlockBits != 10 || l.Super.Blocks != 1<<20 || !l.Super.Has("extent") {
			t.Errorf("%s: %v, %v", options, l, err)
		}
	}
}

// TestDeviceKeys tests the keys that say more of an image or of a text, and that each belongs
// to one of them.
func TestDeviceKeys(t *testing.T) {
	const states = "../filesystem/image/testdata/states/"
	text, err := filepath.Abs(states + "h-only.dump.gz")
	if err != nil {
		t.Fatal(err)
	}
	histogram := filepath.Join(t.TempDir(), "free")
	err = os.WriteFile(histogram, []byte("Blocksize: 1024 bytes\nHISTOGRAM OF FREE EXTENT SIZES:\nExtent Size Range :  Free extents   Free Blocks  Percent\n"+
		"    8K...   16K-  :            99           999   30.00%\n    1M...    2M-  :             2          2300   70.00%\n"), 0o666)
	if err != nil {
		t.Fatal(err)
	}
	for device, want := range map[string]uint64{
		"{dumpe2fs: " + text + "}":                                  3299,
		"{dumpe2fs: " + text + ", fill: told}":                      3299,
		"{dumpe2fs: " + text + ", fill: none}":                      3790,
		"{dumpe2fs: " + text + ", free_extents: " + histogram + "}": 3299,
	} {
		s, err := parseTest0("device: " + device + "\nworkload: {script: \"sync\\n\"}\n")
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.Layout()
		if err != nil || l.FreeClusters() != want {
			t.Errorf("%s: %v, %v", device, l, err)
		}
	}
	for device, want := range map[string]string{
		"{dumpe2fs: " + text + ", offset: 1M}":                                  "offset is for a device that begins with image",
		"{mkfs: {size: 1G}, fill: none}":                                        "fill is for a device that begins with dumpe2fs",
		"{image: " + text + ", free_extents: " + histogram + "}":                "free_extents is for a device that begins with dumpe2fs",
		"{dumpe2fs: " + text + ", fill: none, free_extents: " + histogram + "}": "fill: none leaves the file system empty",
		"{dumpe2fs: " + text + ", fill: half}":                                  `unknown word "half"`,
	} {
		if _, err := parseTest0("device: " + device + "\nworkload: {script: \"sync\\n\"}\n"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", device, err, want)
		}
	}
}
