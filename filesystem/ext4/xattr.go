package ext4

import (
	"fmt"
	"slices"
	"strings"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/image"
)

// Extended attributes (fs/ext4/xattr.c) lie behind the fields of their inode, as long as they find
// room there, and then in a block, whose content inodes share where it is the same (mbcache). What a
// value is does not matter, only which are equal.
//
// Deviates from the kernel: the cache of blocks has no limit, and what users read who are not the
// owners of a file, to find out about their rights, does not count. Attributes in inodes of their own
// (ea_inode), and beside data in the inode (inline_data), cannot be set, and neither can those of
// files that an image had.

const (
	attrEntry    = 16      // bytes of an entry, without its name
	attrEnd      = 4       // zeroes behind the last entry
	attrHeader   = 32      // bytes before the first entry of a block
	attrMagic    = 4       // bytes before the first entry in an inode
	maxAttrName  = 255     // XATTR_NAME_MAX
	maxAttrValue = 1 << 16 // XATTR_SIZE_MAX
	maxAttrRefs  = 1024    // inodes that share a block (EXT4_XATTR_REFCOUNT_MAX)
)

// The numbers that stand for prefixes of names (EXT4_XATTR_INDEX_*).
const (
	userIndex     = 1
	trustedIndex  = 4
	securityIndex = 6
)

// attribute is one of an inode's attributes. The index stands for the prefix of its name.
type attribute struct {
	index uint8
	name  string // without the prefix
	value filesystem.AttrValue
}

// size is the bytes of its entry and of its value, which are each whole words.
func (a *attribute) size() int64 {
	return (attrEntry+int64(len(a.name))+3)&^3 + (a.value.Len+3)&^3
}

// attributes are those of an inode.
type attributes struct {
	body  []attribute // in the inode
	block *attrBlock  // nil for none
	// harmless says that a write has found no capability among them since one of the prefix
	// security. was set, or since the mount (S_NOSEC).
	harmless bool
}

// attrBlock is a block of attributes.
type attrBlock struct {
	place   allocator.Block
	refs    int         // inodes that share it (h_refcount)
	entries []attribute // sorted
	cached  bool        // others may find it
}

// attrCache finds blocks of attributes by content (mb_cache). Of several the newest is first.
type attrCache map[string][]*attrBlock

// key is the content of a block.
func attrKey(entries []attribute) string {
	var b strings.Builder
	for i := range entries {
		a := &entries[i]
		fmt.Fprintf(&b, "%d %q %d %d\n", a.index, a.name, a.value.Len, a.value.Number)
	}
	return b.String()
}

// insert lets others find a block (ext4_xattr_block_cache_insert).
func (c *attrCache) insert(b *attrBlock) {
	if *c == nil {
		*c = make(attrCache)
	}
	b.cached = true
	key := attrKey(b.entries)
	(*c)[key] = slices.Insert((*c)[key], 0, b)
}

// remove is called before a block is changed or freed (mb_cache_entry_delete_or_get).
func (c *attrCache) remove(b *attrBlock) {
	if !b.cached {
		return
	}
	b.cached = false
	key := attrKey(b.entries)
	rest := slices.DeleteFunc((*c)[key], func(x *attrBlock) bool { return x == b })
	if len(rest) == 0 {
		delete(*c, key)
	} else {
		(*c)[key] = rest
	}
}

// find is a block with these entries that one more inode may share, nil for none
// (ext4_xattr_block_cache_find).
func (c attrCache) find(entries []attribute) *attrBlock {
	for _, b := range c[attrKey(entries)] {
		if b.refs < maxAttrRefs {
			return b
		}
	}
	return nil
}

// forget empties the cache, as an unmount does.
func (c *attrCache) forget() {
	for _, list := range *c {
		for _, b := range list {
			b.cached = false
		}
	}
	*c = nil
}

// SetAttr implements filesystem.FileSystem (ext4_xattr_set).
func (fs *FS) SetAttr(t *task, path, name string, v filesystem.AttrValue) error {
	if v.Len > maxAttrValue {
		return filesystem.E2BIG
	}
	// A short value has few bytes to tell it from others.
	if v.Len < 4 {
		v.Number &= 1<<(8*v.Len) - 1
	}
	return fs.withAttrs(t, path, name, func(in *inode, a attribute) errno {
		a.value = v
		return fs.setAttr(t, in, a)
	})
}

// RemoveAttr implements filesystem.FileSystem.
func (fs *FS) RemoveAttr(t *task, path, name string) error {
	return fs.withAttrs(t, path, name, func(in *inode, a attribute) errno { return fs.removeAttr(t, in, a) })
}

// withAttrs finds the inode of a path and the attribute of a name, and lets change do its work on
// the locked inode. Want of space is tried again after a commit.
func (fs *FS) withAttrs(t *task, path, name string, change func(*inode, attribute) errno) error {
	dir, last, e := fs.at(path)
	if e != 0 {
		return e
	}
	in, _ := fs.child(dir, last)
	if in == nil {
		return filesystem.ENOENT
	}
	a, e := parseAttr(in, name)
	if e != 0 {
		return e
	}
	if fs.inlineData || fs.layout.Super.Incompat&image.EAInode != 0 || in.fromImage {
		return filesystem.EOPNOTSUPP
	}
	fs.lock(in)
	defer fs.unlock(in)
	for retries := 0; ; {
		fs.journal.Start()
		if l := in.large(); l.attributes == nil {
			// A file with data was written to, most likely since the mount.
			l.attributes = &attributes{harmless: in.Size > 0}
		}
		if e = change(in, a); e != filesystem.ENOSPC || !fs.shouldRetry(t, &retries) {
			return asError(e)
		}
	}
}

// parseAttr is the attribute that a name stands for, without a value. User attributes are for files
// and directories (xattr_permission, xattr_resolve_name).
func parseAttr(in *inode, name string) (attribute, errno) {
	if name == "" || len(name) > maxAttrName {
		return attribute{}, filesystem.ERANGE
	}
	for _, p := range [...]struct {
		prefix string
		index  uint8
	}{{"user.", userIndex}, {"trusted.", trustedIndex}, {"security.", securityIndex}} {
		rest, ok := strings.CutPrefix(name, p.prefix)
		switch {
		case !ok:
			continue
		case p.index == userIndex && !in.Regular && !in.isDir():
			return attribute{}, filesystem.EPERM
		case rest == "" || name == "security.capability": // that has a form of its own
			return attribute{}, filesystem.EINVAL
		}
		return attribute{index: p.index, name: rest}, 0
	}
	return attribute{}, filesystem.EOPNOTSUPP
}

// bodySpace is how many bytes of an inode there are for attributes, 0 for none.
func (fs *FS) bodySpace() int64 {
	s := &fs.layout.Super
	if s.InodeSize <= 128 {
		return 0
	}
	return max(0, int64(s.InodeSize)-128-int64(extraFields(s))-attrMagic)
}

// place is where an attribute of the name stands in a list, -1 where it does not.
func attrAt(list []attribute, a attribute) int {
	return slices.IndexFunc(list, func(x attribute) bool { return x.index == a.index && x.name == a.name })
}

// withAttr is a list with an attribute set, and whether it fits into space bytes
// (ext4_xattr_set_entry). A block is sorted.
func withAttr(list []attribute, a attribute, space int64, sorted bool) ([]attribute, bool) {
	list = slices.Clone(list)
	at := attrAt(list, a)
	switch {
	case at >= 0:
		list[at] = a
	case sorted:
		at, _ = slices.BinarySearchFunc(list, a, compareAttrs)
		list = slices.Insert(list, at, a)
	default:
		list = append(list, a)
	}
	used := int64(attrEnd)
	for i := range list {
		used += list[i].size()
	}
	return list, used <= space
}

// compareAttrs is the order of a block's entries (xattr_find_entry).
func compareAttrs(a, b attribute) int {
	if a.index != b.index {
		return int(a.index) - int(b.index)
	}
	if len(a.name) != len(b.name) {
		return len(a.name) - len(b.name)
	}
	return strings.Compare(a.name, b.name)
}

// setAttr sets an attribute (ext4_xattr_set_handle): in the inode if it fits there, otherwise in a
// block. Where it was before it is removed afterwards.
func (fs *FS) setAttr(t *task, in *inode, a attribute) errno {
	all := in.attributes
	if a.index == securityIndex {
		all.harmless = false
	}
	inBody, inBlock := attrAt(all.body, a), -1
	if inBody < 0 && all.block != nil {
		inBlock = attrAt(all.block.entries, a)
	}
	// What is there already changes nothing.
	if inBody >= 0 && all.body[inBody] == a || inBlock >= 0 && all.block.entries[inBlock] == a {
		return 0
	}
	if body, fits := withAttr(all.body, a, fs.bodySpace(), false); fits {
		all.body = body
		if inBlock >= 0 {
			rest := slices.Delete(slices.Clone(all.block.entries), inBlock, inBlock+1)
			if e := fs.setBlock(t, in, rest, true); e != 0 {
				return e
			}
		}
		fs.dirtyInode(t, in)
		return 0
	}
	var entries []attribute
	if all.block != nil {
		entries = all.block.entries
	}
	entries, fits := withAttr(entries, a, fs.geo.BlockSize()-attrHeader, true)
	if e := fs.setBlock(t, in, entries, fits); e != 0 {
		return e
	}
	if inBody >= 0 {
		all.body = slices.Delete(all.body, inBody, inBody+1)
	}
	fs.dirtyInode(t, in)
	return 0
}

// removeAttr removes an attribute.
func (fs *FS) removeAttr(t *task, in *inode, a attribute) errno {
	all := in.attributes
	if i := attrAt(all.body, a); i >= 0 {
		all.body = slices.Delete(all.body, i, i+1)
	} else {
		i := -1
		if all.block != nil {
			i = attrAt(all.block.entries, a)
		}
		if i < 0 {
			return filesystem.ENODATA
		}
		if e := fs.setBlock(t, in, slices.Delete(slices.Clone(all.block.entries), i, i+1), true); e != 0 {
			return e
		}
	}
	fs.dirtyInode(t, in)
	return 0
}

// looksForCapability reads the attributes of a file that is written to or cut, as one of them may have
// to be removed (security.capability). So others find its block again. A write remembers that there is
// none (file_remove_privs); to cut a file does not (do_truncate).
func (fs *FS) looksForCapability(in *inode, writes bool) {
	a := in.attributes
	if a == nil || a.harmless {
		return
	}
	if a.block != nil && !a.block.cached {
		fs.attrs.insert(a.block)
	}
	a.harmless = writes
}

// looksForDefaultACL reads the attributes of a directory when the first file or directory is made in it
// since the mount (ext4_init_acl). So others find its block again.
func (fs *FS) looksForDefaultACL(dir *inode, mode uint32) {
	if dir.defaultACLKnown || mode&filesystem.ModeType == filesystem.ModeLink {
		return
	}
	dir.large().defaultACLKnown = true
	if a := dir.attributes; a != nil && a.block != nil && !a.block.cached {
		fs.attrs.insert(a.block)
	}
}

// forgetRights forgets at an unmount what memory knows of an inode's attributes.
func (fs *FS) forgetRights(in *inode) {
	if in.isShared {
		return
	}
	in.defaultACLKnown = false
	if in.attributes != nil {
		in.attributes.harmless = false
	}
}

// setBlock gives an inode a block of attributes with these entries, or none
// (ext4_xattr_block_set): one that is there already with the same content, the inode's own, changed,
// or a new one. The entries may not fit into a block.
func (fs *FS) setBlock(t *task, in *inode, entries []attribute, fits bool) errno {
	all := in.attributes
	old := all.block
	// A block of this inode alone is changed in its place. Others must not find it meanwhile.
	own := old != nil && old.refs == 1
	if own {
		fs.attrs.remove(old)
	}
	if !fits {
		return filesystem.ENOSPC
	}
	if own {
		old.entries = entries
		fs.dirtyMeta(t, old.place)
	}
	cluster := int64(fs.geo.ClusterRatio())
	var next *attrBlock
	switch {
	case len(entries) == 0:
	case fs.attrs.find(entries) != nil:
		next = fs.attrs.find(entries)
		next.refs++
		fs.addBlocks(t, in, cluster)
		fs.dirtyMeta(t, next.place)
	case own:
		next = old
		fs.attrs.insert(old)
	default:
		b, e := fs.newMeta(t, in, fs.geo.GroupStart(fs.groupOf(in)), 0)
		if e != 0 {
			return e
		}
		next = &attrBlock{place: b, refs: 1, entries: entries}
		fs.attrs.insert(next)
		fs.dirtyMeta(t, b)
	}
	all.block = next
	if old != nil && old != next {
		fs.releaseAttrs(t, in, old)
	}
	in.large().attrs = 0
	if next != nil {
		in.large().attrs = cluster
	}
	return 0
}

// releaseAttrs gives up an inode's share of a block, and frees the block with the last one
// (ext4_xattr_release_block).
func (fs *FS) releaseAttrs(t *task, in *inode, b *attrBlock) {
	b.refs--
	if b.refs > 0 {
		fs.dirtyMeta(t, b.place)
		fs.addBlocks(t, in, -int64(fs.geo.ClusterRatio()))
		return
	}
	fs.attrs.remove(b)
	fs.freeBlocks(t, in, b.place, 1, freeMetadata|freeForget)
}

// dropAttributes gives up the attributes of an inode that is deleted (ext4_xattr_delete_inode).
func (fs *FS) dropAttributes(t *task, in *inode) {
	if in.isShared || in.attributes == nil || in.attributes.block == nil {
		return
	}
	fs.releaseAttrs(t, in, in.attributes.block)
	in.attributes.block = nil
	fs.dirtyInode(t, in)
}
