package image

import (
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// packGzip compresses bytes.
func packGzip(t *testing.T, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(raw) // Close reports the error
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestContainersRefused gives what is no image, or no sound one: each is told in one line that
// names the file.
func TestContainersRefused(t *testing.T) {
	defer func(a, b int64) { maxUnpacked, maxKept = a, b }(maxUnpacked, maxKept)
	maxUnpacked, maxKept = 1<<20, 1<<16
	raw := bytes.Repeat([]byte("not zero"), 1<<14)
	nested := packGzip(t, raw[:100])
	for range maxNested {
		nested = packGzip(t, nested)
	}
	lvm := make([]byte, 4096)
	copy(lvm[512:], "LABELONE")
	disk := make([]byte, 1<<20)
	disk[510], disk[511], disk[446+4], disk[446+9], disk[446+13] = 0x55, 0xaa, 0x07, 4, 1
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"long.gz":   {packGzip(t, make([]byte, 2<<20)), "unpacking it (gzip): more than 1 MB: unpack it first, into a file"},
		"full.gz":   {packGzip(t, raw), "unpacking it (gzip): more than 64 KB that are not zero: unpack it first, into a file"},
		"cut.gz":    {packGzip(t, raw[:1000])[:20], "unpacking it (gzip): unexpected EOF"},
		"nested.gz": {nested, "more than 4 containers in each other"},
		"bad.xz":    {[]byte("\xfd7zXZ\x00junk junk junk"), "unpacking it (xz): "},
		"bad.zst":   {[]byte("\x28\xb5\x2f\xfdjunk junk"), "unpacking it (zstd): "},
		"cut.qcow2": {[]byte("QFI\xfb\x00\x00\x00\x02"), "a qcow2 image that is cut short"},
		"old.qcow":  {append([]byte("QFI\xfb\x00\x00\x00\x01"), make([]byte, 100)...), "a qcow image of version 1: convert it first"},
		"x.bz2":     {[]byte("BZh91AY"), "compressed by bzip2: unpack it first"},
		"x.zip":     {[]byte("PK\x03\x04"), "a zip or 7z archive"},
		"x.vmdk":    {[]byte("KDMV"), "a disk of a virtual machine"},
		"lvm":       {lvm, "a physical volume of LVM"},
		"swap":      {append(make([]byte, 4086), "SWAPSPACE2"...), "swap space, not ext4"},
		"btrfs":     {append(make([]byte, 0x10040), "_BHRfS_M"...), "a btrfs file system, not ext4"},
		"iso":       {append(make([]byte, 32769), "CD001"...), "an ISO 9660 file system, not ext4"},
		"raid":      {append(append(make([]byte, 4096), "\xfc\x4e\x2b\xa9"...), make([]byte, 100)...), "a member of a RAID: assemble it first (mdadm), and take the array, not ext4"},
		"text":      {[]byte("dumpe2fs 1.47.0\nFilesystem volume name:   <none>\n" + strings.Repeat(" ", 2000)), "the text of dumpe2fs or tune2fs, not an image: give it as device.dumpe2fs"},
		"xfs":       {append([]byte("XFSB"), make([]byte, 4096)...), "an XFS file system, not ext4"},
		"disk":      {disk, "a disk with a partition table, and no ext4 file system at the start of any partition: 524288 (partition 1, 128 KB)"},
		"zeros":     {make([]byte, 1<<16), "no ext2, ext3 or ext4 file system: magic number 0x0000, want 0xef53"},
		"short":     {[]byte("short"), "too short for a superblock (5 bytes)"},
		"empty":     {nil, "too short for a superblock (0 bytes)"},
	} {
		path := writeTemp(t, name, c.raw)
		if _, err := Open(path); err == nil || !strings.HasPrefix(err.Error(), path+": "+c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	// The image of e2image without -r.
	path, err := makeImage(t, 4<<20, "-t", "ext4")
	if err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(t.TempDir(), "plain")
	if _, err := e2fsprogs(t, "e2image", path, plain); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(plain); err == nil || !strings.Contains(err.Error(), "an image file of e2image, which lacks the directories: make one with e2image -r (raw) or -Q (qcow2)") {
		t.Errorf("%v", err)
	}
	if _, err := OpenAs(path, OpenOptions{Offset: 8 << 20}); err == nil || !strings.HasSuffix(err.Error(), ": it ends at byte 4194304, before the offset 8388608") {
		t.Errorf("%v", err)
	}
}

// TestOpenNoFile refuses what is neither a file nor a block device, without waiting for it.
func TestOpenNoFile(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{pipe, "/dev/null", t.TempDir()} {
		if _, err := Open(path); err == nil || err.Error() != path+": neither a file nor a block device, so no image" {
			t.Errorf("%v", err)
		}
	}
}

// TestOpenBlockDevice opens a loop device, where the machine gives one.
func TestOpenBlockDevice(t *testing.T) {
	path, err := makeImage(t, 8<<20, "-t", "ext4")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("losetup", "-r", "-f", "--show", path).Output()
	if err != nil {
		t.Skip(err)
	}
	device := strings.TrimSpace(string(out))
	defer exec.Command("losetup", "-d", device).Run()
	want, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	got, err := Open(device)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if d := diff(got, want); d != "" {
		t.Error(d)
	}
}

// TestQcow writes an image of two clusters and reads it back, with what is not there as zeros.
func TestQcow(t *testing.T) {
	const cluster = 512
	img := make([]byte, 5*cluster)
	copy(img, "QFI\xfb\x00\x00\x00\x02")
	img[23], img[30], img[39], img[46] = 9, 6, 1, 2 // clusters of 2^9, 1536 bytes, one first table at 512
	// The first table leads to the one at 1024, and that to the clusters at 1536 and 2048.
	img[cluster+6] = 4
	img[2*cluster+6], img[2*cluster+8*2+6] = 6, 8
	copy(img[3*cluster:], "first")
	copy(img[4*cluster:], "third")
	r, size, err := unpackOnce(bytes.NewReader(img), int64(len(img)))
	if err != nil || size != 1536 {
		t.Fatal(err, size)
	}
	got := make([]byte, 1536)
	if _, err := r.ReadAt(got, 0); err != nil || string(got[:5]) != "first" || string(got[1024:1029]) != "third" || !bytes.Equal(got[512:1024], make([]byte, 512)) {
		t.Errorf("%v, %q", err, got)
	}
	if n, err := r.ReadAt(got, 1500); n != 36 || err == nil {
		t.Errorf("%d bytes behind the end, %v", n, err)
	}
	// A compressed cluster, and a table that leads nowhere.
	img[2*cluster] = 0x40
	r, _, err = unpackOnce(bytes.NewReader(img), int64(len(img)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadAt(got, 0); err == nil || !strings.Contains(err.Error(), "a compressed cluster") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat("testdata/states/e2image.qcow2.xz"); err != nil {
		t.Error(err)
	}
}

// TestLogicalPartitions finds a file system in a logical partition.
func TestLogicalPartitions(t *testing.T) {
	path, err := makeImage(t, 4<<20, "-t", "ext4")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// An extended partition at sector 8 with a table there, whose partition begins 8 sectors on.
	disk := make([]byte, 16*sectorSize)
	disk[510], disk[511] = 0x55, 0xaa
	disk[446+4], disk[446+8], disk[446+14] = 0x0f, 8, 1
	table := disk[8*sectorSize:]
	table[510], table[511] = 0x55, 0xaa
	table[446+4], table[446+8], table[446+13] = 0x83, 8, 0x20
	whole := writeTemp(t, "disk", append(disk, raw...))
	if _, err := Open(whole); err == nil || !strings.HasSuffix(err.Error(), "say with device.offset where the file system begins: 8192 (partition 5, 4 MB)") {
		t.Errorf("%v", err)
	}
	l, err := OpenAs(whole, OpenOptions{Offset: 8192})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}
