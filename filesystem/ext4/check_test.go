package ext4

import (
	"strings"
	"testing"

	"mbsim/filesystem/ext4/es"
	"mbsim/filesystem/ext4/pagecache"
	"mbsim/workload"
)

// busy is a file system in the middle of its work: files with trees of two
// levels, delayed and unwritten blocks, an open file without a name, directories.
func busy(t *testing.T, mkfs string) *FS {
	t.Helper()
	c := script{size: 64 << 20, mkfs: mkfs, cpus: 2}
	fs, p, err := c.start()
	if err != nil {
		t.Fatal(err)
	}
	do := func(line string) {
		t.Helper()
		ops, err := workload.ParseScript(strings.NewReader(line), "busy")
		if err != nil {
			t.Fatal(err)
		}
		for i := range ops {
			if ret, err := p.Do(&ops[i]); err != nil || ret < 0 {
				t.Fatalf("%s: %d, %v", line, ret, err)
			}
		}
	}
	do("mkdir d\nmkdir d/e\ncreat x d/big\ncreat y d/gone\nwrite y 0 100000\nunlink d/gone\ncreat z d/z")
	for i := range 100 {
		ops := []workload.Op{{Kind: workload.Write, FD: "x", Off: int64(i) * 2 << 16, Len: 4096}}
		if _, err := p.Do(&ops[0]); err != nil {
			t.Fatal(err)
		}
	}
	do("fsync x\ncreat w d/w\nwrite w 0 40000\nwrite x 65536 8192\nwrite x 12 6")
	if !strings.Contains(mkfs, "^extent") {
		do("fallocate z 0 0 1000000")
	}
	if err := fs.Check(); err != nil {
		t.Fatal(err)
	}
	return fs
}

// TestCheckSeesDamage damages a file system in memory in one way after another, and Check
// must report each.
func TestCheckSeesDamage(t *testing.T) {
	file := func(fs *FS, path string) *inode {
		in, e := fs.lookupPath(path)
		if e != 0 {
			t.Fatal(path, e)
		}
		return in
	}
	for _, c := range []struct {
		name   string
		damage func(fs *FS)
		want   string
	}{
		{"a block of another file", func(fs *FS) {
			file(fs, "d/z").fileMap().root.Ext[0].Pblk = file(fs, "d/big").fileMap().root.Idx[0].Child.Blk
		}, "two owners"},
		{"a block of the inode table", func(fs *FS) { file(fs, "d/z").fileMap().root.Ext[0].Pblk = fs.layout.Desc(0).InodeTable }, "the file system's own"},
		{"a block past the end", func(fs *FS) { file(fs, "d/z").fileMap().root.Ext[0].Pblk = fs.geo.Blocks }, "not on the device"},
		{"a leaked block", func(fs *FS) { file(fs, "d/z").fileMap().root.Ext[0].Len-- }, "in use and nobody's"},
		{"a block freed too early", func(fs *FS) {
			fs.alloc.FreeBlocks(0, &file(fs, "d/z").Inode, file(fs, "d/z").fileMap().root.Ext[0].Pblk, 1, 0, 1)
		}, "free on disk"},
		{"i_blocks", func(fs *FS) { file(fs, "d/z").blocks++ }, "counts"},
		{"an extent too long", func(fs *FS) { file(fs, "d/z").fileMap().root.Ext[0].Len = 40000 }, "has 40000 blocks"},
		{"extents in disorder", func(fs *FS) {
			n := file(fs, "d/big").fileMap().root.Idx[0].Child
			n.Ext[0], n.Ext[1] = n.Ext[1], n.Ext[0]
		}, "outside"},
		{"an index that begins elsewhere", func(fs *FS) { file(fs, "d/big").fileMap().root.Idx[0].Child.Ext[0].Lblk++ }, "begins at"},
		{"an empty node", func(fs *FS) { file(fs, "d/big").fileMap().root.Idx[0].Child.Ext = nil }, "is empty"},
		{"a node of the wrong depth", func(fs *FS) { file(fs, "d/big").fileMap().root.Idx[0].Child.Depth = 1 }, "depth"},
		{"a node too full", func(fs *FS) { file(fs, "d/big").fileMap().root.Idx[0].Child.Max = 3 }, "at most 3"},
		{"a mapping gone wrong in memory", func(fs *FS) { file(fs, "d/z").fileMap().es.Set(0, 1, 1, es.Unwritten) }, "the tree differs"},
		{"a written block taken for unwritten", func(fs *FS) { file(fs, "d/z").fileMap().root.Ext[0].Unwritten = false }, "the tree differs"},
		{"a delayed block that is mapped", func(fs *FS) { file(fs, "d/z").fileMap().es.Ranges()[0].Status = es.Delayed }, "the tree maps"},
		{"overlapping ranges in memory", func(fs *FS) { file(fs, "d/z").fileMap().es.Ranges()[0].Len = 1 << 30 }, "the one before ends at"},
		{"a reservation lost", func(fs *FS) { file(fs, "d/w").reserved-- }, "reserved"},
		{"the dirty counter", func(fs *FS) { fs.alloc.DirtyClusters().Add(0, 1) }, "counter of dirty clusters"},
		{"the free counter", func(fs *FS) { fs.alloc.FreeClusters().Add(0, 1) }, "the counter has"},
		{"dirty blocks lost", func(fs *FS) { file(fs, "d/w").fileMap().cache.Drop(2, 4) }, "its buffer is clean"},
		{"dirty blocks miscounted", func(fs *FS) { fs.dirtyBlocks++ }, "dirty blocks, counted"},
		{"a buffer in the wrong state", func(fs *FS) { file(fs, "d/w").fileMap().cache.Runs()[0].State = pagecache.Mapped }, "is mapped; the tree"},
		{"dirty blocks past the end", func(fs *FS) { file(fs, "d/w").Size = 1 }, "in a file of 1 bytes"},
		{"size on disk", func(fs *FS) { file(fs, "d/z").disksize++ }, "on disk"},
		{"an inode freed", func(fs *FS) { fs.inodeGroupOf(0).bits[0] = 0 }, "free on disk"},
		{"a stray inode", func(fs *FS) { fs.inodeGroupOf(0).bits[2] |= 1 }, "nobody's"},
		{"free inodes", func(fs *FS) { fs.inodeGroupOf(0).free-- }, "its descriptor counts"},
		{"free inodes summed", func(fs *FS) { fs.freeInodes.Add(0, 1) }, "free inodes, the descriptors"},
		{"directories", func(fs *FS) { fs.inodeGroupOf(0).dirs++ }, "directories, counted"},
		{"directories summed", func(fs *FS) { fs.dirCount.Add(0, 1) }, "directories, the descriptors"},
		{"flex groups", func(fs *FS) { fs.flexOf(0).free++ }, "flex group 0"},
		{"links of a directory", func(fs *FS) { file(fs, "d").links++ }, "links, counted"},
		{"links of a file", func(fs *FS) { file(fs, "d/z").links = 0 }, "links, counted"},
		{"the directory above", func(fs *FS) { file(fs, "d/e").dir.SetParent(2) }, "the directory above"},
		{"a name for a free inode", func(fs *FS) { file(fs, "d/z").live = false }, "which is free"},
		{"a directory's block missing", func(fs *FS) { file(fs, "d/e").Size *= 2 }, "a directory of 1 blocks"},
		{"pins", func(fs *FS) { file(fs, "d/z").pins++ }, "pin it"},
		{"the dirty list's flag", func(fs *FS) { file(fs, "d/w").dirtyPlace = 0 }, "list of dirty inodes"},
		{"the dirty list's length", func(fs *FS) { fs.dirty.count++ }, "counts"},
		{"the dirty list's order", func(fs *FS) { fs.dirty.places[len(fs.dirty.places)-1].dirtied = -1 }, "dirty since -1"},
		{"no orphans", func(fs *FS) { fs.orphans = nil }, "list of orphans"},
		{"IO that never ends", func(fs *FS) { fs.conversions = make([]conversion, 1) }, "wait for the end of their IO"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			fs := busy(t, "-b 4096")
			c.damage(fs)
			if err := fs.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("found %v, want %q", err, c.want)
			}
		})
	}
}

// TestCheckSeesDamageOfArrays does the same to a file with indirect blocks.
func TestCheckSeesDamageOfArrays(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(in *inode)
		want   string
	}{
		{"a hole with a child", func(in *inode) { in.ind.pointers[indSlot] = 0 }, "has a child"},
		{"a child elsewhere", func(in *inode) { in.ind.pointers[indSlot]++ }, "not to an array of 1 levels"},
		{"an empty array", func(in *inode) { clear(in.ind.children[indSlot].pointers) }, "is empty"},
		{"one block twice", func(in *inode) { in.ind.pointers[3] = in.ind.pointers[0] }, "two owners"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			fs := busy(t, "-b 4096 -O ^extent,^64bit")
			in, _ := fs.lookupPath("d/big")
			c.damage(in)
			if err := fs.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("found %v, want %q", err, c.want)
			}
		})
	}
}
