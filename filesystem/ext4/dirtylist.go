package ext4

import "iter"

// dirtyList is the list of inodes with something to write back, the oldest first (b_dirty).
// It is a slice with gaps: to take an inode out touches no other one, and writeback need
// not read an inode to know the next.
type dirtyList struct {
	places []*inode // nil for a gap; the first is at head, the last is none
	head   int
	count  int // number of inodes
}

// add puts an inode at the end.
func (l *dirtyList) add(in *inode) {
	// Before the slice would grow, gaps are closed if they are more than half of it. So
	// each inode is moved rarely.
	if len(l.places) == cap(l.places) && l.count < len(l.places)/2 {
		l.squeeze()
	}
	l.places = append(l.places, in)
	in.dirtyPlace = int32(len(l.places))
	l.count++
}

// squeeze closes the gaps.
func (l *dirtyList) squeeze() {
	all := l.places
	l.places, l.head = all[:0], 0
	for _, in := range all {
		if in != nil {
			l.places = append(l.places, in)
			in.dirtyPlace = int32(len(l.places))
		}
	}
	clear(all[len(l.places):])
}

// remove takes an inode out.
func (l *dirtyList) remove(in *inode) {
	l.places[in.dirtyPlace-1] = nil
	in.dirtyPlace = 0
	l.count--
	if l.count == 0 {
		l.places, l.head = l.places[:0], 0
		return
	}
	// The list neither begins nor ends with a gap.
	for l.places[l.head] == nil {
		l.head++
	}
	for l.places[len(l.places)-1] == nil {
		l.places = l.places[:len(l.places)-1]
	}
}

// all lists the inodes in order. The list must not change meanwhile.
func (l *dirtyList) all() iter.Seq[*inode] {
	return func(yield func(*inode) bool) {
		for _, in := range l.places[l.head:] {
			if in != nil && !yield(in) {
				return
			}
		}
	}
}

// appendPlaces appends the whole list with its gaps to a slice, without a look at any
// inode.
func (l *dirtyList) appendPlaces(to []*inode) []*inode { return append(to, l.places[l.head:]...) }

// onDirtyList says whether the inode is on the list.
func (in *inode) onDirtyList() bool { return in.dirtyPlace != 0 }

// markDirty puts an inode at the end of the list of dirty inodes, unless it is on it
// already (__mark_inode_dirty).
func (fs *FS) markDirty(in *inode) {
	if in.onDirtyList() {
		return
	}
	if fs.opt.Clock != nil {
		in.dirtied = fs.opt.Clock()
	}
	fs.dirty.add(in)
}

// cleanInode takes an inode off the list of dirty inodes, if it is on it.
func (fs *FS) cleanInode(in *inode) {
	if in.onDirtyList() {
		fs.dirty.remove(in)
	}
}
