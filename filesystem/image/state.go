package image

import (
	"cmp"
	"io"
	"slices"

	"mbsim/allocator"
)

// Start is the layout that the file system of this one was mounted from; nil where this is one
// that nobody has mounted.
func (l *Layout) Start() *Layout { return l.start }

// Raw is the image that the layout was opened from, or that it was mounted from: all bytes of
// the file system. It is nil where there is no image.
func (l *Layout) Raw() io.ReaderAt {
	if l.start != nil {
		return l.start.Raw()
	}
	if s, ok := l.src.(*imageSource); ok {
		return s.r
	}
	return nil
}

// Reads says whether the layout comes from what was read, whole or in part, and not from
// mkfs: then blocks may be in use that it knows no owner of.
func (l *Layout) Reads() bool {
	if l.start != nil {
		return l.start.Reads()
	}
	_, made := l.src.(*mkfsSource)
	return !made
}

// Prefix is where a group begins with copies of the superblock and of the descriptors.
type Prefix struct {
	HasSuper bool
	Super    allocator.Block // the copy of the superblock, where the group has one
	Desc     allocator.Block // the first block of the descriptors
	Blocks   uint32          // of descriptors in use
	Reserved uint32          // reserved ones behind them
	First    uint32          // which block of the whole table of descriptors the first one is
	End      allocator.Block // of all of it
}

// Prefix tells what group id begins with.
func (s *Superblock) Prefix(id allocator.GroupID) Prefix {
	p := s.prefix(id)
	out := Prefix{HasSuper: p.hasSuper, Super: p.super, Desc: p.gdt, Blocks: p.gdtLen, Reserved: p.reserved, End: p.end}
	if per := allocator.GroupID(s.DescPerBlock()); s.Incompat&MetaBG != 0 && uint32(id/per) >= s.FirstMetaBG {
		out.First = uint32(id / per)
	}
	return out
}

// ClustersIn is the number of clusters of group id.
func (s *Superblock) ClustersIn(id allocator.GroupID) uint32 { return s.clustersIn(id) }

// BackupGroupsOf lists the groups behind the first that hold copies of the superblock and of the
// descriptors, as the resize inode lists them.
func (s *Superblock) BackupGroupsOf() (ids []allocator.GroupID) {
	for id := allocator.GroupID(1); id < s.Groups(); id++ {
		if s.HasSuper(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Unnamed are the inodes of Reserved that no directory names, by number: the resize inode, the
// journal and the orphan file. Whoever mounts the file system leaves them as they are.
func (l *Layout) Unnamed() (list []Inode) {
	for _, in := range l.Reserved {
		if in.Number != RootInode && in.Number < l.Super.FirstInode || in.Number == l.Super.OrphanInode {
			list = append(list, in)
		}
	}
	slices.SortFunc(list, func(a, b Inode) int { return cmp.Compare(a.Number, b.Number) })
	return list
}

// AppendBlock adds block b at a logical block behind all that the inode has, 0 for a hole.
func (i *Inode) AppendBlock(logical uint64, b allocator.Block) {
	if b != 0 {
		appendBlock(i, logical, b)
	}
}

// Checksums makes the checksums of a file system's descriptors.
type Checksums struct{ c checksums }

// NewChecksums are those of a file system; raw is its superblock of 1024 bytes, which holds the seed
// of checksums where that is not the UUID's (metadata_csum_seed).
func NewChecksums(sb *Superblock, raw []byte) *Checksums { return &Checksums{newChecksums(sb, raw)} }

// Seed is where every checksum of metadata_csum begins.
func (c *Checksums) Seed() uint32 { return c.c.seed }

// Desc is the checksum of the descriptor d of group id, with metadata_csum or uninit_bg.
func (c *Checksums) Desc(id uint32, d []byte) uint16 { return c.c.desc(id, d) }
