package ext4

import "iter"

// dirtyList is the inodes with something to write back, the oldest first (b_dirty).
// They stand in a slice with gaps: to take one out touches no other inode, and
// writeback need not read one to know the next.
type dirtyList struct {
	places []*inode // nil for a gap; the first is at head, the last is none
	head   int
	n      int // inodes
}

// add puts in at the end.
func (l *dirtyList) add(in *inode) {
	if len(l.places) == cap(l.places) && l.n < len(l.places)/2 {
		l.squeeze()
	}
	l.places = append(l.places, in)
	in.dirtyPlace = int32(len(l.places))
	l.n++
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

// remove takes in out.
func (l *dirtyList) remove(in *inode) {
	l.places[in.dirtyPlace-1] = nil
	in.dirtyPlace = 0
	l.n--
	if l.n == 0 {
		l.places, l.head = l.places[:0], 0
		return
	}
	for l.places[l.head] == nil {
		l.head++
	}
	for l.places[len(l.places)-1] == nil {
		l.places = l.places[:len(l.places)-1]
	}
}

// all lists them. The list must not change meanwhile.
func (l *dirtyList) all() iter.Seq[*inode] {
	return func(yield func(*inode) bool) {
		for _, in := range l.places[l.head:] {
			if in != nil && !yield(in) {
				return
			}
		}
	}
}

// appendPlaces appends all of them, and the gaps between them: that takes no look at any.
func (l *dirtyList) appendPlaces(to []*inode) []*inode { return append(to, l.places[l.head:]...) }

// onDirtyList says whether in has something to write back.
func (in *inode) onDirtyList() bool { return in.dirtyPlace != 0 }

// markDirty puts in at the end of the list of dirty inodes, unless it is on it
// (__mark_inode_dirty).
func (fs *FS) markDirty(in *inode) {
	if in.onDirtyList() {
		return
	}
	if fs.opt.Clock != nil {
		in.dirtied = fs.opt.Clock()
	}
	fs.dirty.add(in)
}

// cleanInode takes in off the list of dirty inodes.
func (fs *FS) cleanInode(in *inode) {
	if in.onDirtyList() {
		fs.dirty.remove(in)
	}
}
