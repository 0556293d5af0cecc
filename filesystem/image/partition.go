package image

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"mbsim/internal/input"
)

// sectorSize is the unit of partition tables, bytes. Disks with sectors of 4 KiB are rare as
// images.
const sectorSize = 512

// partition is a part of a disk.
type partition struct {
	number        int
	start, length int64 // bytes
}

// foreignHead is how many bytes of an image hold every magic number of foreign.
const foreignHead = 0x10048

// foreign are the magic numbers of what is often taken for an image of ext4, with their places.
var foreign = [...]struct {
	at          int
	magic, name string
}{
	{0, "XFSB", "an XFS file system"},
	{0, "LUKS\xba\xbe", "an encrypted disk (LUKS): open it first (cryptsetup)"},
	{0, "hsqs", "a squashfs file system"},
	{0, "\x04\x22\x4d\x18", "compressed by lz4: unpack it first (lz4 -d)"},
	{3, "NTFS    ", "an NTFS file system"},
	{3, "EXFAT   ", "an exFAT file system"},
	{512, "LABELONE", "a physical volume of LVM: activate it first, and take the logical volume"},
	{1024, "\x10\x20\xf5\xf2", "an F2FS file system"},
	{0, "\xfc\x4e\x2b\xa9", raidMember},
	{4096, "\xfc\x4e\x2b\xa9", raidMember},
	{4086, "SWAPSPACE2", "swap space"},
	{32769, "CD001", "an ISO 9660 file system"},
	{0x10040, "_BHRfS_M", "a btrfs file system"},
}

const raidMember = "a member of a RAID: assemble it first (mdadm), and take the array"

// otherContent says in one line what an image holds that has no ext4 superblock at its start,
// or nil if that is not known.
func otherContent(r io.ReaderAt, size int64) error {
	head := make([]byte, foreignHead)
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil
	}
	head = head[:n]
	// Other file systems by their magic numbers, at their places.
	for _, fs := range foreign {
		if len(head) >= fs.at+len(fs.magic) && string(head[fs.at:fs.at+len(fs.magic)]) == fs.magic {
			return fmt.Errorf("%s, not ext4", fs.name)
		}
	}
	if bytes.Contains(head, []byte(firstKey+":")) {
		return errors.New("the text of dumpe2fs or tune2fs, not an image: give it as device.dumpe2fs")
	}
	parts := partitions(r, head)
	if len(parts) == 0 {
		return nil
	}
	// Those with an ext4 file system first: one of them is meant.
	var ext, all []string
	for _, p := range parts {
		text := fmt.Sprintf("%d (partition %d, %s)", p.start, p.number, input.Bytes(p.length))
		all = append(all, text)
		if hasExt(r, p.start) {
			ext = append(ext, text)
		}
	}
	if len(ext) == 0 {
		return fmt.Errorf("a disk with a partition table, and no ext4 file system at the start of any partition: %s", strings.Join(all, ", "))
	}
	return fmt.Errorf("a disk with a partition table: say with device.offset where the file system begins: %s", strings.Join(ext, ", "))
}

// hasExt says whether a superblock of ext2, ext3 or ext4 follows byte at.
func hasExt(r io.ReaderAt, at int64) bool {
	var magic [2]byte
	_, err := r.ReadAt(magic[:], at+1024+0x38)
	return err == nil && le.Uint16(magic[:]) == 0xef53
}

// maxPartitions bounds how many partitions are looked at.
const maxPartitions = 128

// partitions lists the partitions of a disk that begins with head, none where it has no
// table: GPT, or the older table of a PC with the logical ones in extended partitions.
func partitions(r io.ReaderAt, head []byte) (all []partition) {
	if len(head) < 1024 || le.Uint16(head[510:]) != 0xaa55 {
		return nil
	}
	if string(head[512:520]) == "EFI PART" {
		return gptPartitions(r, head[512:])
	}
	// Four entries of 16 bytes: type, first sector, sectors.
	for i := range 4 {
		e := head[446+16*i:]
		p := partition{i + 1, int64(le.Uint32(e[8:])) * sectorSize, int64(le.Uint32(e[12:])) * sectorSize}
		switch {
		case e[4] == 0 || p.length == 0 || e[0]&0x7f != 0:
		case e[4] == 0x05 || e[4] == 0x0f || e[4] == 0x85:
			all = append(all, logicalPartitions(r, p.start)...)
		default:
			all = append(all, p)
		}
	}
	return all
}

// logicalPartitions lists the partitions in an extended one: a chain of tables, each of which
// has one partition and the place of the next table.
func logicalPartitions(r io.ReaderAt, extended int64) (all []partition) {
	sector := make([]byte, sectorSize)
	for at := extended; len(all) < maxPartitions; {
		if _, err := r.ReadAt(sector, at); err != nil || le.Uint16(sector[510:]) != 0xaa55 {
			return all
		}
		// Places are relative to this table, and that of the next one to the extended partition.
		e := sector[446:]
		if n := int64(le.Uint32(e[12:])); e[4] != 0 && n > 0 {
			all = append(all, partition{5 + len(all), at + int64(le.Uint32(e[8:]))*sectorSize, n * sectorSize})
		}
		next := int64(le.Uint32(e[16+8:]))
		if e[16+4] == 0 || next == 0 || extended+next*sectorSize <= at {
			return all
		}
		at = extended + next*sectorSize
	}
	return all
}

// gptPartitions lists the partitions of a GUID partition table with the header h.
func gptPartitions(r io.ReaderAt, h []byte) (all []partition) {
	at, count, size := int64(le.Uint64(h[72:])), le.Uint32(h[80:]), le.Uint32(h[84:])
	if size < 128 || size > 4096 || at < 0 || at > 1<<40 {
		return nil
	}
	entry := make([]byte, 128)
	for i := range min(count, maxPartitions) {
		if _, err := r.ReadAt(entry, at*sectorSize+int64(i)*int64(size)); err != nil {
			return all
		}
		// An entry without a type is empty. The last sector is the partition's own.
		first, last := le.Uint64(entry[32:]), le.Uint64(entry[40:])
		if bytes.Equal(entry[:16], make([]byte, 16)) || last < first || last > 1<<53 {
			continue
		}
		all = append(all, partition{int(i) + 1, int64(first) * sectorSize, int64(last-first+1) * sectorSize})
	}
	return all
}
