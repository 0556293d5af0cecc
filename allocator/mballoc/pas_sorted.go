package mballoc

import "math/bits"

// sortedByStart keeps the preallocations of an inode by the block of the file that they begin
// at, as many as there are (i_prealloc_node, a tree). The one that begins last is first: an
// inode gives up its preallocations from the tail on, and the kernel from the beginning of
// the file.
type sortedByStart struct{}

func (sortedByStart) add(p *prealloc) {
	l := &p.inode.pas
	at := l.head
	for at != nil && at.lstart > p.lstart {
		at = at.objNext
	}
	l.insertObj(p, at)
}

func (sortedByStart) used(*prealloc) {}

func (sortedByStart) excess(*Allocator, *Inode) uint32 { return 0 }

// looks is the depth of the tree: a search goes down one way from the root.
func (sortedByStart) looks(in *Inode, _ int) int { return bits.Len32(uint32(in.active)) }
