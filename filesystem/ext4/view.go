package ext4

import (
	"iter"
	"sort"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/extents"
)

// Look lists the same files as Files, and leaves no trace. Files goes the way of FIEMAP,
// which fills the status tree; Look reads the extent trees themselves, and of the status
// tree only the delayed ranges, so that whoever samples a run does not change it. Extents
// are cut as the tree cuts them. Those of a file are valid until the next file.
func (fs *FS) Look() iter.Seq[filesystem.FileInfo] { return fs.walk(fs.look) }

// LostBlocks is the number of dirty blocks whose data was lost, as writeback found no space
// for it.
func (fs *FS) LostBlocks() int64 { return fs.lost }

// look appends the extents of a file, mapped and delayed, in the order of the file.
func (fs *FS) look(out []filesystem.Extent, in *inode) []filesystem.Extent {
	if fs.isInline(in) {
		return fs.inlineExtent(out, in)
	}
	if in.brief.state != notBrief {
		if in.brief.state != briefEmpty {
			out = append(out, in.brief.fiemap())
		}
		return out
	}
	// What is mapped comes from the tree, what is delayed from the status tree.
	m := in.fileMap()
	if in.Extents {
		out = appendNode(out, &m.root)
	} else if in.ind != nil {
		out = appendIndirect(out, in.ind, fs.geo.BlockBits-2)
	}
	mapped := len(out)
	for i := range m.es.Ranges() {
		if e := &m.es.Ranges()[i]; e.IsDelayedOnly() {
			out = append(out, filesystem.Extent{Logical: uint64(e.Lblk), Len: uint64(e.Len), Flags: filesystem.ExtentDelalloc | filesystem.ExtentUnknown})
		}
	}
	// The two lists become one.
	if len(out) > mapped && mapped > 0 {
		sort.Slice(out, func(i, j int) bool { return out[i].Logical < out[j].Logical })
	}
	if n := len(out); n > 0 {
		out[n-1].Flags |= filesystem.ExtentLast
	}
	return out
}

// appendNode appends the extents of a node and of all below it.
func appendNode(out []filesystem.Extent, n *extents.Node) []filesystem.Extent {
	for i := range n.Idx {
		out = appendNode(out, n.Idx[i].Child)
	}
	for i := range n.Ext {
		x := &n.Ext[i]
		e := filesystem.Extent{Logical: uint64(x.Lblk), Len: uint64(x.Len), Physical: x.Pblk}
		if x.Unwritten {
			e.Flags = filesystem.ExtentUnwritten
		}
		out = append(out, e)
	}
	return out
}

// appendIndirect appends the runs that an inode's array of pointers leads to. It has twelve
// slots for blocks, then one each for a tree of one, two and three levels. bits is the
// logarithm of an indirect block's number of pointers.
func appendIndirect(out []filesystem.Extent, n *indirect, bits uint8) []filesystem.Extent {
	lblk := uint64(0)
	for i, p := range n.pointers {
		if i < directSlots {
			out = appendBlock(out, lblk, p)
			lblk++
			continue
		}
		levels := uint8(i - directSlots)
		out = appendBranch(out, n.children[i], lblk, levels*bits, bits)
		lblk += 1 << ((levels + 1) * bits)
	}
	return out
}

// appendBranch appends the runs of the blocks below array n, which maps the file from lblk
// on. Each of its slots stands for 2^span blocks.
func appendBranch(out []filesystem.Extent, n *indirect, lblk uint64, span, bits uint8) []filesystem.Extent {
	if n == nil {
		return out
	}
	for i, p := range n.pointers {
		at := lblk + uint64(i)<<span
		switch {
		case p == 0: // a hole
		case span == 0:
			out = appendBlock(out, at, p)
		default:
			out = appendBranch(out, n.children[i], at, span-bits, bits)
		}
	}
	return out
}

// appendBlock appends a block, or lengthens the last run by it if it follows that. p is 0
// for a hole.
func appendBlock(out []filesystem.Extent, lblk uint64, p uint32) []filesystem.Extent {
	if p == 0 {
		return out
	}
	if n := len(out); n > 0 {
		l := &out[n-1]
		if l.Logical+l.Len == lblk && l.Physical+allocator.Block(l.Len) == allocator.Block(p) {
			l.Len++
			return out
		}
	}
	return append(out, filesystem.Extent{Logical: lblk, Len: 1, Physical: allocator.Block(p), Flags: filesystem.ExtentMerged})
}

// StatusTree returns the statistics of the status trees of all inodes.
//
// Deviates from the kernel: hits are only those for data of files, and for blocks that
// directories grow by. In the kernel the journal looks up every block that it writes; a
// name that is not cached reads the blocks of its directory; and a page of the cache
// remembers where it lies, where here the tree is asked again. Misses and extents are the
// kernel's, except for the journal's own inode and for directories that are read back after
// a remount.
func (fs *FS) StatusTree() filesystem.StatusTree { return fs.esStats.StatusTree }

// CutPromised returns the most blocks that were promised at a time, to delayed writes and to requests
// under way, since it was called before or since the mount.
func (fs *FS) CutPromised() uint64 {
	return uint64(max(0, fs.alloc.DirtyClusters().CutMost())) << fs.geo.ClusterBits
}

// ShrinkerInfo returns what es_shrinker_info shows: what StatusTree counts since the last mount, and
// the journal's inode, of which one range is known from the mount on.
//
// Deviates from the kernel as StatusTree does. Of several inodes with the most ranges the journal or
// else the one of the lowest number is named, where the kernel names the first on its list; and a
// journal in several pieces has more ranges there, one without extents more misses.
func (fs *FS) ShrinkerInfo() filesystem.ShrinkerInfo {
	s := filesystem.ShrinkerInfo{StatusTree: fs.esStats.StatusTree}
	s.Hits -= fs.esAtMount.Hits
	s.Misses -= fs.esAtMount.Misses
	if number := fs.layout.Super.JournalInode; fs.journal != nil && number != 0 {
		s.Add(&filesystem.StatusTree{Misses: 1, Extents: 1, Reclaimable: 1, Inodes: 1})
		s.Largest.Inode, s.Largest.Extents, s.Largest.Reclaimable = number, 1, 1
	}
	for in := range fs.inodes.all() {
		t := changes[briefEmpty][in.brief.state] // an empty one holds nothing
		if in.brief.state == notBrief {
			t = in.fileMap().es.Tally()
		}
		if t.Inodes > 0 && t.Extents > s.Largest.Extents {
			s.Largest.Inode, s.Largest.Extents, s.Largest.Reclaimable = in.Number, t.Extents, t.Reclaimable
		}
	}
	return s
}

// Source is the file system as it was when it was first mounted.
func (fs *FS) Source() allocator.Source { return fs.layout }
