package ext4

import (
	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
	"mbsim/filesystem/image"
)

// makeInlineDir makes the entries of a new directory inside its inode, if they
// may be there (ext4_try_create_inline_dir).
func (fs *FS) makeInlineDir(t *task, in, parent *inode) bool {
	if !fs.holdInline(t, in, inlineBlockBytes) {
		return false
	}
	in.dir = dirent.NewInline(&fs.dirOptions, in.Number, parent.Number, int(in.inlineMax-inlineBlockBytes))
	in.Size, in.disksize = inlineBlockBytes, inlineBlockBytes
	return true
}

// growDir gives a directory one more block: its first one if it lay in its inode.
func (fs *FS) growDir(t *task, dir *inode) errno {
	if dir.inline > 0 {
		return fs.moveInline(t, dir)
	}
	return fs.appendDirBlock(t, dir)
}

// resizeInlineDir sets the sizes of a directory in its inode to what its entries take
// (ext4_update_inline_dir).
func (fs *FS) resizeInlineDir(dir *inode) {
	n := dir.dir.InlineSize()
	dir.inline = int32(n)
	dir.Size, dir.disksize = int64(n), int64(n)
}

// inlineExtent appends the extent that FIEMAP shows of data inside an inode
// (ext4_inline_data_iomap): where the inode lies, and its length in whole blocks, usually
// 0.
func (fs *FS) inlineExtent(out []filesystem.Extent, in *inode) []filesystem.Extent {
	n := min(int64(in.inline), in.Size)
	if n == 0 {
		return out
	}
	index := (in.Number - 1) % fs.geo.InodesPerGroup
	at := int64(index) * int64(fs.layout.Super.InodeSize) >> fs.geo.BlockBits
	return append(out, filesystem.Extent{
		Physical: fs.layout.Desc(fs.groupOf(in)).InodeTable + allocator.Block(at),
		Len:      uint64(n) >> fs.geo.BlockBits,
		Flags:    filesystem.ExtentLast | filesystem.ExtentNotAligned | filesystem.ExtentInline,
	})
}

// loadInline takes over from an image what an inode holds itself.
func (in *inode) loadInline(im *image.Inode) {
	if im.InlineSize > 0 {
		in.inline, in.inlineMax = int32(im.InlineSize), int32(im.InlineMax)
		in.mayInline = true
	}
}

// loadInlineDir gives a directory inside its inode the entries that it has there.
func loadInlineDir(opt *dirent.Options, im *image.Inode, areas []dirent.Block) (*dirent.Dir, error) {
	return dirent.RestoreInline(opt, im.Number, im.InlineParent(), im.InlineMax-inlineBlockBytes, areas)
}
