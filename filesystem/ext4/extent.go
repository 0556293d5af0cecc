package ext4

import (
	"slices"
	"sort"

	"mbsim/allocator"
	"mbsim/filesystem/ext4/es"
)

// Limits of the extent tree (fs/ext4/ext4_extents.h).
const (
	maxBlocks       = es.MaxBlocks
	maxExtentLen    = 32768 // EXT_INIT_MAX_LEN
	maxUnwrittenLen = 32767 // EXT_UNWRITTEN_MAX_LEN
	maxDepth        = 5     // EXT4_MAX_EXTENT_DEPTH
	rootEntries     = 4     // extents or indexes that fit into the inode
	extentSize      = 12    // bytes of an entry, and of a node's header
)

// extent maps [lblk, lblk+len) to [pblk, pblk+len).
type extent struct {
	lblk      uint32
	len       uint16
	unwritten bool
	pblk      allocator.Block
}

func (x *extent) covers(lblk uint32) bool { return lblk >= x.lblk && lblk-x.lblk < uint32(x.len) }
func (x *extent) next() uint32            { return x.lblk + uint32(x.len) }

// index points to the node that maps the blocks from lblk on.
type index struct {
	lblk  uint32
	child *node
}

// node is a node of the extent tree: the root inside the inode, or a block.
type node struct {
	blk      allocator.Block // 0 for the root
	depth    int             // eh_depth: 0 for a leaf
	max      uint16          // eh_max
	verified bool            // checked since it was last changed: a read caches its extents in the status tree otherwise
	ext      []extent        // entries of a leaf
	idx      []index         // entries of an index node
}

// entries is the number of extents of a leaf, or of indexes of an index node (eh_entries).
func (n *node) entries() int {
	if n.depth == 0 {
		return len(n.ext)
	}
	return len(n.idx)
}

func (n *node) full() bool { return n.entries() >= int(n.max) }

// step is one level of a path: a node, and the index of the entry that was taken in it, -1
// for none (struct ext4_ext_path).
type step struct {
	node  *node
	entry int
	// seen is used by removeSpace alone: the number of entries when the level
	// below was entered.
	seen int
}

// path leads from the root of the extent tree to the leaf that holds, or would hold, a
// block.
type path struct {
	steps [maxDepth + 2]step
	depth int
}

// leaf is the last step of the path.
func (p *path) leaf() *step { return &p.steps[p.depth] }

// ex is the extent that the path ends at, nil in an empty leaf (p_ext).
func (p *path) ex() *extent {
	l := p.leaf()
	if l.entry < 0 || l.entry >= len(l.node.ext) {
		return nil
	}
	return &l.node.ext[l.entry]
}

// findOpt are the EXT4_EX_* flags of a search: whether what it reads from disk goes into
// the status tree.
type findOpt bool

const (
	cacheRead findOpt = false // the extents of leaves that are read are cached in the status tree
	noCache   findOpt = true  // they are not (EXT4_EX_NOCACHE)
)

// find makes p the path to lblk (ext4_find_extent). With cacheRead it puts into the status
// tree the extents of the root, and of a leaf that was not read since it was last changed.
func (in *inode) find(p *path, lblk uint32, opt findOpt) {
	n := &in.fileMap().root
	p.depth = n.depth
	if opt == cacheRead && n.depth == 0 {
		in.cacheExtents(n)
	}
	// In each index node the last entry that begins at lblk or before it leads on; the
	// first one also stands for what lies before it.
	level := 0
	for ; n.depth > 0; level++ {
		i := sort.Search(len(n.idx)-1, func(i int) bool { return n.idx[i+1].lblk > lblk })
		p.steps[level] = step{node: n, entry: i}
		n = in.readNode(n.idx[i].child, opt)
	}
	p.steps[level] = step{node: n, entry: searchExtents(n.ext, lblk)}
}

// searchExtents returns the index of the last extent that starts at lblk or before it, or
// of the first one if all start later; -1 if there is none (ext4_ext_binsearch).
func searchExtents(ext []extent, lblk uint32) int {
	n := len(ext)
	if n == 0 {
		return -1
	}
	// Files are mostly appended to: the last extent is tried before the binary search.
	if ext[n-1].lblk <= lblk {
		return n - 1
	}
	i := sort.Search(n, func(i int) bool { return ext[i].lblk > lblk })
	return max(i-1, 0)
}

// readNode reads the block of n (read_extent_tree_block). The first read since the node was
// last changed, or since the mount, is the one that caches the extents of a leaf, as that
// is when the kernel finds the buffer not yet verified.
func (in *inode) readNode(n *node, opt findOpt) *node {
	if !n.verified {
		n.verified = true
		if opt == cacheRead && n.depth == 0 {
			in.cacheExtents(n)
		}
	}
	return n
}

// cacheExtents puts the extents of a leaf and the holes between them into the
// status tree (ext4_cache_extents).
func (in *inode) cacheExtents(n *node) {
	var prev uint32
	for i := range n.ext {
		x := &n.ext[i]
		// A gap between two extents of the leaf is known to be a hole. What lies before the
		// first and behind the last one is not, since another leaf may map it. prev is 0
		// before the first extent.
		if prev != 0 && prev != x.lblk {
			in.fileMap().es.Cache(prev, x.lblk-prev, 0, es.Hole)
		}
		// The cache never overwrites what the status tree knows: that may be newer, and
		// delayed.
		s := es.Written
		if x.unwritten {
			s = es.Unwritten
		}
		in.fileMap().es.Cache(x.lblk, uint32(x.len), x.pblk, s)
		prev = x.next()
	}
}

// nextAllocated is the first mapped block after the path's extent, or maxBlocks
// (ext4_ext_next_allocated_block).
func (p *path) nextAllocated() uint32 {
	// An empty tree maps nothing.
	if p.depth == 0 && p.leaf().entry < 0 {
		return maxBlocks
	}
	if l := p.leaf(); l.entry >= 0 && l.entry+1 < len(l.node.ext) {
		return l.node.ext[l.entry+1].lblk
	}
	return p.nextLeaf()
}

// nextLeaf is the first block that the leaf after the path's maps, or maxBlocks if there is
// no such leaf (ext4_ext_next_leaf_block). It is known from the indexes, without a read.
func (p *path) nextLeaf() uint32 {
	for d := p.depth - 1; d >= 0; d-- {
		if s := &p.steps[d]; s.entry+1 < len(s.node.idx) {
			return s.node.idx[s.entry+1].lblk
		}
	}
	return maxBlocks
}

// left returns the closest mapped block before lblk, and the physical block that it lies
// at, which is 0 if there is none (ext4_ext_search_left).
func (p *path) left(lblk uint32) (uint32, allocator.Block) {
	x := p.ex()
	if x == nil || lblk < x.lblk {
		return lblk, 0
	}
	return x.next() - 1, x.pblk + allocator.Block(x.len) - 1
}

// right is the closest extent after lblk, nil where there is none
// (ext4_ext_search_right).
func (in *inode) right(p *path, lblk uint32, opt findOpt) *extent {
	// The path's extent itself lies behind lblk only where lblk precedes all extents of the
	// leaf.
	x := p.ex()
	if x == nil || lblk < x.lblk {
		return x
	}
	// Otherwise it is the next extent of the same leaf,
	l := p.leaf()
	if l.entry+1 < len(l.node.ext) {
		return &l.node.ext[l.entry+1]
	}
	// or the first one of the next leaf: up to the first level that has a further entry,
	// and from there down along the first entries.
	for d := p.depth - 1; d >= 0; d-- {
		s := &p.steps[d]
		if s.entry+1 < len(s.node.idx) {
			n := in.readNode(s.node.idx[s.entry+1].child, opt)
			for n.depth > 0 {
				n = in.readNode(n.idx[0].child, opt)
			}
			return &n.ext[0]
		}
	}
	return nil
}

// hole returns the unmapped range around lblk (ext4_ext_find_hole): its start, which is
// lblk itself if lblk precedes the first extent, and its length in blocks.
func (p *path) hole(lblk uint32) (start, n uint32) {
	switch x := p.ex(); {
	case x == nil:
		return 0, maxBlocks
	case lblk < x.lblk:
		return lblk, x.lblk - lblk
	default:
		return x.next(), p.nextAllocated() - x.next()
	}
}

// mergeable reports whether extent b continues extent a, in the file and on disk, in the
// same state, and the two together are not too long (ext4_can_extents_be_merged).
func mergeable(a, b *extent) bool {
	if a.unwritten != b.unwritten || a.next() != b.lblk {
		return false
	}
	n := int(a.len) + int(b.len)
	if n > maxExtentLen || a.unwritten && n > maxUnwrittenLen {
		return false
	}
	return a.pblk+allocator.Block(a.len) == b.pblk
}

// mergeRight merges extents i, i+1, ... of leaf n as long as they continue each other, and
// reports whether any did (ext4_ext_try_to_merge_right).
func (n *node) mergeRight(i int) bool {
	merged := false
	for i+1 < len(n.ext) && mergeable(&n.ext[i], &n.ext[i+1]) {
		n.ext[i].len += n.ext[i+1].len
		n.ext = slices.Delete(n.ext, i+1, i+2)
		merged = true
	}
	return merged
}

// tryMerge merges extent i of the path's leaf with its neighbours, then moves the extents
// of a tree's only leaf into the inode if they fit there (ext4_ext_try_to_merge,
// ext4_ext_try_to_merge_up). After the latter the path ends at the root.
func (fs *FS) tryMerge(t *task, in *inode, p *path, i int) {
	n := p.leaf().node
	// As in the kernel the left neighbour comes first; merging with it goes on to the right
	// by itself.
	merged := i > 0 && n.mergeRight(i-1)
	if !merged {
		n.mergeRight(i)
	}
	// Only a leaf directly below the root, and the only one, moves up.
	root := &in.fileMap().root
	if p.depth != 1 || len(root.idx) != 1 || len(n.ext) > rootEntries {
		return
	}
	// The leaf's block is freed like other metadata: with freeForget its buffer leaves the
	// journal.
	in.resetRoot()
	root.ext = append(root.ext, n.ext...)
	i = p.leaf().entry
	p.depth = 0
	p.steps[0] = step{node: root, entry: i}
	fs.freeBlocks(t, in, n.blk, 1, freeMetadata|freeForget)
}

// resetRoot makes the root an empty leaf. It keeps the slice that the root had, or begins
// with the one extent that has its place in the fileMap.
func (in *inode) resetRoot() {
	ext := in.m.root.ext[:0]
	if ext == nil {
		ext = in.m.firstExt[:0]
	}
	in.m.root = node{max: rootEntries, verified: true, ext: ext}
}
