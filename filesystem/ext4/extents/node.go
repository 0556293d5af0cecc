package extents

import (
	"slices"
	"sort"

	"mbsim/allocator"
	"mbsim/filesystem/ext4/es"
)

// Limits of the extent tree (fs/ext4/ext4_extents.h).
const (
	MaxLen          = 32768 // blocks of an extent (EXT_INIT_MAX_LEN)
	MaxUnwrittenLen = 32767 // blocks of an unwritten extent (EXT_UNWRITTEN_MAX_LEN)
	MaxDepth        = 5     // levels of index nodes (EXT4_MAX_EXTENT_DEPTH)
	RootEntries     = 4     // extents or indexes that fit into the inode
	EntrySize       = 12    // bytes of an entry, and of a node's header
)

// Extent maps the blocks [Lblk, Lblk+Len) of a file to [Pblk, Pblk+Len) of the device.
type Extent struct {
	Lblk      uint32
	Len       uint16
	Unwritten bool
	Pblk      allocator.Block
}

// Covers says whether block lblk of the file lies in the extent.
func (x *Extent) Covers(lblk uint32) bool { return lblk >= x.Lblk && lblk-x.Lblk < uint32(x.Len) }

// Next is the block of the file behind the extent.
func (x *Extent) Next() uint32 { return x.Lblk + uint32(x.Len) }

// Status is what a status tree says of the extent.
func (x *Extent) Status() es.Status {
	if x.Unwritten {
		return es.Unwritten
	}
	return es.Written
}

// mergeable reports whether extent b continues extent a, in the file and on disk, in the
// same state, and the two together are not too long (ext4_can_extents_be_merged).
func mergeable(a, b *Extent) bool {
	if a.Unwritten != b.Unwritten || a.Next() != b.Lblk {
		return false
	}
	n := int(a.Len) + int(b.Len)
	if n > MaxLen || a.Unwritten && n > MaxUnwrittenLen {
		return false
	}
	return a.Pblk+allocator.Block(a.Len) == b.Pblk
}

// Index points to the node that maps the blocks from Lblk on.
type Index struct {
	Lblk  uint32
	Child *Node
}

// Node is a node of the extent tree: the root inside the inode, or a block.
type Node struct {
	Blk      allocator.Block // 0 for the root
	Depth    int             // eh_depth: 0 for a leaf
	Max      uint16          // eh_max
	Verified bool            // checked since it was last changed: a read caches its extents in the status tree otherwise
	Ext      []Extent        // entries of a leaf
	Idx      []Index         // entries of an index node
}

// Entries is the number of extents of a leaf, or of indexes of an index node (eh_entries).
func (n *Node) Entries() int {
	if n.Depth == 0 {
		return len(n.Ext)
	}
	return len(n.Idx)
}

// Full says whether the node has no room for another entry.
func (n *Node) Full() bool { return n.Entries() >= int(n.Max) }

// ChildAt is the child of an index node that leads to block lblk of the file. It is not read.
func (n *Node) ChildAt(lblk uint32) *Node {
	i := len(n.Idx) - 1
	for i > 0 && n.Idx[i].Lblk > lblk {
		i--
	}
	return n.Idx[i].Child
}

// First is the first block of the file that a node maps, which must not be empty.
func (n *Node) First() uint32 {
	if n.Depth == 0 {
		return n.Ext[0].Lblk
	}
	return n.Idx[0].Lblk
}

// search returns the index of the last extent that starts at lblk or before it, or
// of the first one if all start later; -1 if there is none (ext4_ext_binsearch).
func search(ext []Extent, lblk uint32) int {
	n := len(ext)
	if n == 0 {
		return -1
	}
	// Files are mostly appended to: the last extent is tried before the binary search.
	if ext[n-1].Lblk <= lblk {
		return n - 1
	}
	i := sort.Search(n, func(i int) bool { return ext[i].Lblk > lblk })
	return max(i-1, 0)
}

// Read reads the block of n (read_extent_tree_block). The first read since the node was
// last changed, or since the mount, is the one that puts the extents of a leaf into the
// status tree, as that is when the kernel finds the buffer not yet verified; cache is nil for
// none.
func (n *Node) Read(cache *es.Tree) *Node {
	if !n.Verified {
		n.Verified = true
		if cache != nil && n.Depth == 0 {
			n.cache(cache)
		}
	}
	return n
}

// cache puts the extents of a leaf and the holes between them into the
// status tree (ext4_cache_extents).
func (n *Node) cache(tree *es.Tree) {
	var prev uint32
	for i := range n.Ext {
		x := &n.Ext[i]
		// A gap between two extents of the leaf is known to be a hole. What lies before the
		// first and behind the last one is not, since another leaf may map it. prev is 0
		// before the first extent.
		if prev != 0 && prev != x.Lblk {
			tree.Cache(prev, x.Lblk-prev, 0, es.Hole)
		}
		// The cache never overwrites what the status tree knows: that may be newer, and
		// delayed.
		tree.Cache(x.Lblk, uint32(x.Len), x.Pblk, x.Status())
		prev = x.Next()
	}
}

// Unread marks all nodes below the root n as not read, so that the next read caches their
// extents. The root is read with its inode.
func (n *Node) Unread() {
	for i := range n.Idx {
		n.Idx[i].Child.Verified = false
		n.Idx[i].Child.Unread()
	}
}

// MergeRight merges extents i, i+1, ... of leaf n as long as they continue each other, and
// reports whether any did (ext4_ext_try_to_merge_right).
func (n *Node) MergeRight(i int) bool {
	merged := false
	for i+1 < len(n.Ext) && mergeable(&n.Ext[i], &n.Ext[i+1]) {
		n.Ext[i].Len += n.Ext[i+1].Len
		n.Ext = slices.Delete(n.Ext, i+1, i+2)
		merged = true
	}
	return merged
}

// MergeAround merges extent i of leaf n with its neighbours (ext4_ext_try_to_merge). The left
// one comes first; merging with it goes on to the right by itself.
func (n *Node) MergeAround(i int) {
	merged := i > 0 && n.MergeRight(i-1)
	if !merged {
		n.MergeRight(i)
	}
}
