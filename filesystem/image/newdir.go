package image

import "fmt"

// File types in directory entries (EXT4_FT_*).
const (
	ftDir = 2
)

// direntLen is the least length of an entry with a name of n bytes.
func direntLen(n int) uint32 { return uint32(8+n+3) &^ 3 }

// newDirBlocks are the directory blocks as mke2fs leaves them: the root holds
// "lost+found", lost+found holds nothing.
func newDirBlocks(sb *Superblock, in *Inode) ([]DirBlock, error) {
	if in.Number != RootInode && in.Number != sb.FirstInode {
		return nil, fmt.Errorf("image: inode %d is not a directory", in.Number)
	}
	end := uint32(sb.BlockSize())
	if sb.ROCompat&MetadataCsum != 0 {
		end -= 12 // the checksum's fake entry at the end of the block
	}
	ft := uint8(0)
	if sb.Incompat&Filetype != 0 {
		ft = ftDir
	}
	names := []Dirent{{Inode: in.Number, Name: "."}, {Inode: RootInode, Name: ".."}}
	if in.Number == RootInode && in.Links > 2 { // lost+found may have been removed since
		names = append(names, Dirent{Inode: sb.FirstInode, Name: "lost+found"})
	}
	off := uint32(0)
	for i := range names {
		names[i].Offset, names[i].Type = uint16(off), ft
		if names[i].RecLen = direntLen(len(names[i].Name)); i == len(names)-1 {
			names[i].RecLen = end - off
		}
		off += names[i].RecLen
	}
	if in.Number != RootInode && sb.Incompat&InlineData != 0 {
		// It grew out of its inode: the room after ".." is an entry of its own.
		names[1].RecLen = direntLen(2)
		off = uint32(names[1].Offset) + names[1].RecLen
		names = append(names, Dirent{Offset: uint16(off), RecLen: end - off})
	}
	blocks := []DirBlock{{Entries: names}}
	for l := uint32(1); l < uint32(in.Size/sb.BlockSize()); l++ {
		blocks = append(blocks, DirBlock{Logical: l, Entries: []Dirent{{RecLen: end}}})
	}
	return blocks, nil
}
