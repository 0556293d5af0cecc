package mballoc

// InodePreallocs is how a kernel keeps the preallocations of an inode, and which it
// gives up where they are too many.
type InodePreallocs interface {
	// add puts a new preallocation among those of its inode.
	add(p *prealloc)
	// used notes that a request has been served from p.
	used(p *prealloc)
	// excess is how many of an inode's preallocations are to be discarded after a
	// request, from the tail of its list on.
	excess(a *Allocator, in *Inode) uint32
	// looks is how many preallocations of an inode the kernel looks at in a search in which a walk
	// of the list here has come by so many, walked. Only time depends on it.
	looks(in *Inode, walked int) int
}

// recentFirst keeps the preallocations of an inode in a list, the most recently used
// first. Where there are over a quarter more than mb_max_inode_prealloc, those beyond
// that go, the least recently used first (i_prealloc_list, ext4_mb_trim_inode_pa).
type recentFirst struct{}

func (recentFirst) add(p *prealloc) { p.inode.pas.pushObj(p) }

func (recentFirst) used(p *prealloc) {
	l := &p.inode.pas
	l.removeObj(p)
	l.pushObj(p)
}

// looks says that the kernel walks the same list.
func (recentFirst) looks(_ *Inode, walked int) int { return walked }

func (recentFirst) excess(a *Allocator, in *Inode) uint32 {
	limit := int(a.tunables.MaxInodePrealloc)
	if n := int(in.active); n > limit+limit>>2+1 {
		return uint32(n - limit)
	}
	return 0
}
