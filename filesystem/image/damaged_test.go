package image_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"mbsim/filesystem/image"
	"mbsim/filesystem/imagetest"
)

var le = binary.LittleEndian

// victim is an image to be damaged.
type victim struct {
	t   *testing.T
	img []byte
	l   *image.Layout
}

// newVictim opens a seed of package imagetest.
func newVictim(t *testing.T, name string) *victim {
	t.Helper()
	seeds, err := imagetest.Seeds(name)
	if err != nil || len(seeds) == 0 {
		t.Fatal(len(seeds), err)
	}
	v := &victim{t: t, img: bytes.Clone(seeds[0].Image)}
	if v.l, err = image.Read(bytes.NewReader(v.img), int64(len(v.img))); err != nil {
		t.Fatal(err)
	}
	return v
}

// block is block b.
func (v *victim) block(b uint32) []byte { return v.img[int64(b)*v.l.Super.BlockSize():] }

// entry is the directory entry of a name and a type (1 a file, 2 a directory).
func (v *victim) entry(name string, kind byte) []byte {
	v.t.Helper()
	i := bytes.Index(v.img, append([]byte{byte(len(name)), kind}, name...))
	if i < 6 {
		v.t.Fatalf("no entry %q", name)
	}
	return v.img[i-6:]
}

// inode is the inode that a name stands for, as it lies on disk.
func (v *victim) inode(name string, kind byte) []byte {
	return v.number(le.Uint32(v.entry(name, kind)))
}

func (v *victim) number(n uint32) []byte {
	s := &v.l.Super
	table := v.l.Desc(0).InodeTable // all are in group 0
	return v.block(uint32(table))[int64(n-1)*int64(s.InodeSize):]
}

// Whatever is damaged is named with its place; the checksums are right.
func TestOpenRefusesDamage(t *testing.T) {
	iblock := func(in []byte) []byte { return in[0x28:] }
	leafOf := func(v *victim, in []byte) []byte { return v.block(le.Uint32(iblock(in)[16:])) }
	leaf := func(v *victim) []byte { return leafOf(v, v.inode("sparse", 1)) }
	index := func(v *victim) []byte { return v.block(le.Uint32(leafOf(v, v.inode("many", 2))[20:])) }
	for _, c := range []struct {
		name, seed string
		damage     func(v *victim)
		want       string
	}{
		{"free root", "ext4-1k", func(v *victim) { v.block(uint32(v.l.Desc(0).InodeBitmap))[0] &^= 2 }, "inode 2 is reserved for the file system, and the bitmap of group 0 calls it free"},
		{"root is a file", "ext4-1k", func(v *victim) { v.number(2)[1] = 0x81 }, "group 0: the descriptor counts 6 directories, there are 5|inode 2"},
		{"bigalloc without extents", "ext4-bigalloc", func(v *victim) { v.img[1024+0x60] &^= 0x40 }, "superblock: the bigalloc feature without the extent feature"},
		{"unknown hash", "ext4-1k", func(v *victim) { v.img[1024+0xfc] = 9 }, "superblock: unknown hash version 9 for directories"},
		{"unknown hash of a directory", "ext4-1k", func(v *victim) { index(v)[28] = 7 }, "the index of hashes: unknown hash version 7"},
		{"an index that leads nowhere", "ext4-1k", func(v *victim) { le.PutUint32(index(v)[36:], 999) }, "the index of hashes: block 0: range 0: it leads to block 999, which the directory does not have"},
		{"an extent outside", "ext4-1k", func(v *victim) { le.PutUint32(iblock(v.inode("one", 1))[20:], 9000000) }, "extent 0 (logical 0) lies at block 9000000, behind the device's end (2048 blocks)"},
		{"a node outside", "ext4-1k", func(v *victim) { le.PutUint32(iblock(v.inode("sparse", 1))[16:], 1<<31) }, "node 0 of depth 0 of the extent tree (logical 0 on) lies at block 2147483648, behind the device's end"},
		{"an empty leaf", "ext4-1k", func(v *victim) { le.PutUint16(leaf(v)[2:], 0) }, "extent header: a node of depth 0 without entries"},
		{"too many entries", "ext4-1k", func(v *victim) { le.PutUint16(leaf(v)[2:], 85) }, "extent header: 85 entries, with room for 84"},
		{"room for too many", "ext4-1k", func(v *victim) { le.PutUint16(leaf(v)[4:], 85) }, "extent header: room for 85 entries, where 84 fit"},
		{"a wrong depth", "ext4-1k", func(v *victim) { leaf(v)[6] = 1 }, "extent header: depth 1, want 0"},
		{"too deep", "ext4-1k", func(v *victim) { iblock(v.inode("sparse", 1))[6] = 6 }, "extent header: depth 6, at most 5"},
		{"out of order", "ext4-1k", func(v *victim) { le.PutUint32(leaf(v)[24:], 0) }, "extent 1 (logical 0) is out of order"},
		{"no blocks", "ext4-1k", func(v *victim) { le.PutUint16(leaf(v)[28:], 0) }, "extent 1 (logical 48 on) has no blocks"},
		{"a block of two files", "ext4-1k", func(v *victim) { copy(iblock(v.inode("one", 1))[20:24], iblock(v.inode("three", 1))[20:]) }, "belongs to inode "},
		{"a block twice in one file", "ext4-1k", func(v *victim) { copy(leaf(v)[32:36], leaf(v)[20:]) }, "uses twice"},
		{"a block of the inode table", "ext4-1k", func(v *victim) { le.PutUint32(iblock(v.inode("one", 1))[20:], uint32(v.l.Desc(0).InodeTable)) }, "is the file system's own"},
		{"a free block", "ext4-1k", func(v *victim) { le.PutUint32(iblock(v.inode("one", 1))[20:], 2047) }, "extent 0 (logical 0) lies at block 2047, which the bitmap of group 0 calls free"},
		{"an indirect block outside", "ext2-1k", func(v *victim) { le.PutUint32(iblock(v.inode("sparse", 1))[52:], 5000) }, "indirect block of depth 2 (logical 268 on) lies at block 5000, behind the device's end (2048 blocks)"},
		{"a block before the device", "ext2-1k", func(v *victim) { le.PutUint32(v.block(le.Uint32(iblock(v.inode("sparse", 1))[48:]))[4*36:], 1<<24) }, "block (logical 48) lies at block 16777216"},
		{"a cluster not in line", "ext4-bigalloc", func(v *victim) { iblock(v.inode("one", 1))[20]++ }, "which is not at the same place of its cluster"},
		{"a directory with two names", "ext4-1k", func(v *victim) { copy(v.entry("three", 1)[:4], v.entry("many", 2)) }, "names directory"},
		{"a directory below itself", "ext4-1k", func(v *victim) { copy(v.entry("three", 1)[:4], v.entry("e", 2)) }, "which would lie below itself"},
		{"a name for the root", "ext4-1k", func(v *victim) { le.PutUint32(v.entry("three", 1), 2) }, "names the root"},
		{"a name for the journal", "ext4-1k", func(v *victim) { le.PutUint32(v.entry("three", 1), 8) }, "names inode 8, which is reserved for the file system"},
		{"a name for a free inode", "ext4-1k", func(v *victim) { le.PutUint32(v.entry("three", 1), 128) }, "names inode 128, which is not in use"},
		{"an entry that leaves its block", "ext4-1k", func(v *victim) { le.PutUint16(v.entry("three", 1)[4:], 1024) }, "leaves the block"},
		{"an entry too short for its name", "ext4-1k", func(v *victim) { le.PutUint16(v.entry("three", 1)[4:], 12) }, "of 12 bytes has a name of 5 bytes"},
		{"a slash in a name", "ext4-1k", func(v *victim) { v.entry("three", 1)[9] = '/' }, "is no name for a file"},
		{"the same name twice", "ext4-1k", func(v *victim) { copy(v.entry("two", 1)[8:], "one") }, "is there twice"},
		{"a wrong directory above", "ext4-1k", func(v *victim) { le.PutUint32(v.block(le.Uint32(iblock(v.inode("e", 2))[20:]))[12:], 2) }, "\"..\" names inode 2, want "},
		{"a hole in a directory", "ext4-1k", func(v *victim) { iblock(v.inode("d", 2))[12] = 1 }, "directory block 0 is a hole"},
		{"a directory too short", "ext4-1k", func(v *victim) { le.PutUint32(v.inode("d", 2)[4:], 100) }, "a directory of 100 bytes: want a multiple of 1024"},
		{"blocks behind the end", "ext2-1k", func(v *victim) { le.PutUint32(v.inode("three", 1)[4:], 2048) }, "a file of 2048 bytes maps logical block 2, which is behind its end"},
		{"wrong links", "ext4-1k", func(v *victim) { v.inode("three", 1)[0x1a] = 3 }, "3 links by its count, 1 by the directories"},
		{"wrong sectors", "ext4-1k", func(v *victim) { v.inode("three", 1)[0x1c]++ }, "it counts 7 sectors, and has 6"},
		{"an unknown type", "ext4-1k", func(v *victim) { v.inode("three", 1)[1] = 0x71 }, "is of no known type"},
		{"a size beyond all", "ext4-1k", func(v *victim) { le.PutUint32(v.inode("three", 1)[0x6c:], 1<<30) }, "a file has at most"},
		{"attributes outside", "ext4-1k", func(v *victim) { le.PutUint32(v.inode("attrs", 1)[0x68:], 1<<30) }, "the block of attributes lies at block 1073741824, outside the device"},
		{"inline data without attribute", "ext4-inline", func(v *victim) { clear(v.inode("one", 1)[128+32 : 256]) }, "it is said to hold its data itself, and has no attributes"},
		{"an inline directory's parent", "ext4-inline", func(v *victim) { le.PutUint32(iblock(v.inode("e", 2)), 2) }, "it takes inode 2 for the directory above"},
		{"a journal not mapped", "ext3-1k", func(v *victim) { le.PutUint32(v.number(8)[4:], 1<<30) }, "inode 8: the journal, mode 100600, has 1073741824 bytes"},
		{"groups without room", "ext2-groups", func(v *victim) {
			v.img[1024+0x60] &^= byte(image.MetaBG)
			le.PutUint16(v.img[1024+0xce:], 255)
		}, "blocks of group descriptors do not fit a group of 256 blocks"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			v := newVictim(t, c.seed)
			c.damage(v)
			image.Mend(v.img, true)
			_, err := image.Read(bytes.NewReader(v.img), int64(len(v.img)))
			if err == nil {
				t.Fatal("opened")
			}
			for _, want := range strings.Split(c.want, "|") {
				if strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "\n") {
					return
				}
			}
			t.Errorf("%v\nwant %q", err, c.want)
		})
	}
}

// A superblock may claim any number of groups: what is read follows what is there.
func TestOpenClaims(t *testing.T) {
	v := newVictim(t, "ext2-1k")
	sb := v.img[1024:]
	le.PutUint32(sb[4:], 1<<32-1)           // blocks
	le.PutUint32(sb[0x20:], 256)            // blocks a group
	le.PutUint32(sb[0x24:], 256)            // fragments a group
	le.PutUint32(sb[0x28:], 128)            // inodes a group
	le.PutUint32(sb, (1<<32-2+255)/256*128) // inodes
	le.PutUint32(sb[0x60:], uint32(image.MetaBG|image.Filetype))
	le.PutUint32(sb[0x5c:], 0) // no resize inode
	le.PutUint16(sb[0xce:], 0)
	allocated := testing.AllocsPerRun(1, func() {
		_, err := image.Read(bytes.NewReader(v.img), 1<<42)
		if err == nil || !strings.Contains(err.Error(), "group ") {
			t.Errorf("%v", err)
		}
	})
	if allocated > 1000 {
		t.Errorf("%v allocations", allocated)
	}
}
