package ext4

import (
	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/extents"
)

// Which blocks of metadata an operation uses, and reads if they are not in memory: inode tables,
// inode bitmaps, and the blocks of directories, extent trees and indirect blocks. Block bitmaps
// are the allocator's. Where operations take time, data that was written or read is in memory too.
// Nothing but the time of a run and the counts of reads depends on it: all contents are known.
// Without Options.Cache nobody asks.
//
// Deviates from the kernel: a block counts as in memory as soon as it was asked for, so that a
// second process does not wait for the first one's read. Descriptors and the superblock stay in
// memory. Inodes and names do too: only the block that an inode is first read from is asked for.
// Data that is overwritten directly stays in memory.

// useMetadata uses n blocks of metadata from b on. Those that are not in memory are read.
func (fs *FS) useMetadata(b allocator.Block, n uint32) {
	if fs.opt.Cache == nil || b == 0 {
		return
	}
	fs.opt.Cache.Missing(b, n, fs.readMetadata)
}

// readMetadata reads n blocks of metadata in one request, and counts that.
func (fs *FS) readMetadata(b allocator.Block, n uint32) {
	fs.metadataReads.Requests++
	fs.metadataReads.Blocks += uint64(n)
	if fs.host != nil {
		fs.host.ReadMetadata(b, n)
	}
}

// newMetadata notes that a block of metadata is made in memory, or changed there.
func (fs *FS) newMetadata(b allocator.Block) {
	if fs.opt.Cache != nil {
		fs.opt.Cache.Use(b)
	}
}

// useBetween reads what is missing of the blocks [begin, end), and at, which Cache.Use has just found
// missing, with the missing ones next to it in one request.
func (fs *FS) useBetween(begin, at, end allocator.Block) {
	end = max(end, at+1)
	var runs []blockRun
	collect := func(b allocator.Block, n uint32) { runs = append(runs, blockRun{b, n}) }
	if begin < at {
		fs.opt.Cache.Missing(begin, uint32(at-begin), collect)
	}
	collect(at, 1)
	if at+1 < end {
		fs.opt.Cache.Missing(at+1, uint32(end-at-1), collect)
	}
	// Runs that touch become one request.
	for i := 0; i < len(runs); {
		r := runs[i]
		for i++; i < len(runs) && r.first+allocator.Block(r.n) == runs[i].first; i++ {
			r.n += runs[i].n
		}
		fs.readMetadata(r.first, r.n)
	}
}

// blockRun is n blocks from first on.
type blockRun struct {
	first allocator.Block
	n     uint32
}

// useInodeBitmap uses the inode bitmap of a group (ext4_read_inode_bitmap). That of a group in
// which there never was an inode is not read.
func (fs *FS) useInodeBitmap(ig *inodeGroup, g allocator.GroupID) {
	if fs.opt.Cache == nil {
		return
	}
	d := fs.layout.Desc(g)
	if fs.groupChecksums && ig.unused == fs.geo.InodesPerGroup {
		fs.newMetadata(d.InodeBitmap)
		return
	}
	fs.useMetadata(d.InodeBitmap, 1)
}

// useNames uses the blocks of a directory that a search for a name reads (ext4_find_entry).
func (fs *FS) useNames(dir *inode, name string) {
	if fs.opt.Cache == nil || dir.dir == nil {
		return
	}
	dir.dir.LookupBlocks(name, func(b uint32) {
		fs.useMapping(dir, b)
		fs.useMetadata(fs.placeOf(dir, b), 1)
	})
}

// useMapping uses the blocks of the extent tree, or the indirect blocks, on the way to block lblk
// of an inode.
func (fs *FS) useMapping(in *inode, lblk uint32) {
	if fs.opt.Cache == nil || in.inline > 0 || in.brief.state != notBrief {
		return
	}
	if in.Extents {
		for n := &in.m.root; n.Depth > 0; {
			n = n.ChildAt(lblk)
			fs.useMetadata(n.Blk, 1)
		}
	} else if in.ind != nil {
		c := fs.chainTo(lblk)
		for n, k := in.ind, 0; n != nil && k+1 < c.depth; k++ {
			n = n.children[c.offsets[k]]
			if n != nil {
				fs.useMetadata(n.blk, 1)
			}
		}
	}
}

// useMappings uses all blocks that map the blocks of an inode from lblk on, as to remove these does.
func (fs *FS) useMappings(in *inode, lblk uint32) {
	if fs.opt.Cache == nil || in.inline > 0 || in.brief.state != notBrief {
		return
	}
	if in.Extents {
		fs.useNodes(&in.m.root, lblk)
	} else if in.ind != nil {
		fs.useArrays(in.ind)
	}
}

// useNodes uses the nodes below n that map blocks from lblk on, the last first, as they are removed.
func (fs *FS) useNodes(n *extents.Node, lblk uint32) {
	for i := len(n.Idx) - 1; i >= 0; i-- {
		fs.useMetadata(n.Idx[i].Child.Blk, 1)
		fs.useNodes(n.Idx[i].Child, lblk)
		if n.Idx[i].Lblk <= lblk {
			return
		}
	}
}

// useArrays uses the indirect blocks below n.
func (fs *FS) useArrays(n *indirect) {
	for _, kid := range n.children {
		if kid != nil {
			fs.useMetadata(kid.blk, 1)
			fs.useArrays(kid)
		}
	}
}

// placeOf is where block lblk of an inode lies, 0 where it has none. It leaves no trace.
func (fs *FS) placeOf(in *inode, lblk uint32) allocator.Block {
	if in.Extents {
		n := &in.fileMap().root
		for n.Depth > 0 {
			n = n.ChildAt(lblk)
		}
		for i := range n.Ext {
			if x := &n.Ext[i]; x.Covers(lblk) {
				return x.Pblk + allocator.Block(lblk-x.Lblk)
			}
		}
		return 0
	}
	c := fs.chainTo(lblk)
	if in.ind == nil || c.depth == 0 || in.walk(&c, c.depth) >= 0 {
		return 0
	}
	return allocator.Block(c.links[c.depth-1].key())
}

// keepData notes that n blocks of a file's data from b on are in memory, as they have just been
// written from there.
func (fs *FS) keepData(b allocator.Block, n uint32) {
	if fs.opt.Cache != nil {
		fs.opt.Cache.Missing(b, n, func(allocator.Block, uint32) {})
	}
}

// readData reads those of n blocks of a file's data from b on that are not in memory, or all of them
// where the read is direct.
func (fs *FS) readData(b allocator.Block, n uint32, direct bool) {
	if fs.opt.Cache == nil || direct {
		fs.host.Read(b, n)
		return
	}
	fs.opt.Cache.Missing(b, n, fs.host.Read)
}

// MetadataReads is what was read of metadata, block bitmaps not counted.
func (fs *FS) MetadataReads() filesystem.MetadataReads { return fs.metadataReads }
