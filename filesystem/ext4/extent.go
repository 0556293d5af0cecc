package ext4

import (
	"mbsim/filesystem/ext4/es"
	"mbsim/filesystem/ext4/extents"
)

const maxBlocks = es.MaxBlocks

// findOpt are the EXT4_EX_* flags of a search: whether what it reads from disk goes into
// the status tree.
type findOpt bool

const (
	cacheRead findOpt = false // the extents of leaves that are read are cached in the status tree
	noCache   findOpt = true  // they are not (EXT4_EX_NOCACHE)
)

// find makes p the path to lblk (ext4_find_extent).
func (in *inode) find(p *extents.Path, lblk uint32, opt findOpt) {
	m := in.fileMap()
	p.Find(&m.root, lblk, m.cacheFor(opt))
}

// right is the closest extent after lblk, where p leads to, nil where there is none
// (ext4_ext_search_right).
func (in *inode) right(p *extents.Path, lblk uint32, opt findOpt) *extents.Extent {
	return p.Right(lblk, in.fileMap().cacheFor(opt))
}

// cacheFor is the status tree if what is read of the extent tree goes into it, nil otherwise.
func (m *fileMap) cacheFor(opt findOpt) *es.Tree {
	if opt == noCache {
		return nil
	}
	return &m.es
}

// tryMerge merges extent i of the path's leaf with its neighbours, then moves the extents
// of a tree's only leaf into the inode if they fit there (ext4_ext_try_to_merge,
// ext4_ext_try_to_merge_up). After the latter the path ends at the root.
func (fs *FS) tryMerge(t *task, in *inode, p *extents.Path, i int) {
	n := p.Leaf().Node
	n.MergeAround(i)
	// Only a leaf directly below the root, and the only one, moves up.
	root := &in.fileMap().root
	if p.Depth != 1 || len(root.Idx) != 1 || len(n.Ext) > extents.RootEntries {
		return
	}
	// The leaf's block is freed like other metadata: with freeForget its buffer leaves the
	// journal.
	in.resetRoot()
	root.Ext = append(root.Ext, n.Ext...)
	i = p.Leaf().Entry
	p.Depth = 0
	p.Steps[0] = extents.Step{Node: root, Entry: i}
	fs.freeBlocks(t, in, n.Blk, 1, freeMetadata|freeForget)
}

// resetRoot makes the root an empty leaf. It keeps the slice that the root had, or begins
// with the one extent that has its place in the fileMap.
func (in *inode) resetRoot() {
	ext := in.m.root.Ext[:0]
	if ext == nil {
		ext = in.m.firstExt[:0]
	}
	in.m.root = extents.Node{Max: extents.RootEntries, Verified: true, Ext: ext}
}
