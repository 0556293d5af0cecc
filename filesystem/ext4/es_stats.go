package ext4

import "mbsim/filesystem"

// StatusTree returns the counters of the status trees of all inodes.
//
// Deviates from the kernel: hits are only those for data of files, and for blocks that
// directories grow by. In the kernel the journal looks up every block that it writes; a
// name that is not cached reads the blocks of its directory; and a page of the cache
// remembers where it lies, where here the tree is asked again. Misses and extents are the
// kernel's, except for the journal's own inode and for directories that are read back after
// a remount.
func (fs *FS) StatusTree() filesystem.StatusTree { return fs.esStats.StatusTree }

// count notes that n ranges of status s came, or went where n is negative
// (ext4_es_init_extent, ext4_es_free_extent).
func (t *esTree) count(s esStatus, n int32) {
	st := t.stats
	if st == nil {
		return // a tree that belongs to no file
	}
	st.Extents += int64(n)
	if s&esDelayed != 0 {
		return
	}
	if t.reclaimable == 0 {
		st.Inodes++
	}
	st.Reclaimable += int64(n)
	t.reclaimable += n
	if t.reclaimable == 0 {
		st.Inodes--
	}
}

// lookupCounted is lookup for the places where the kernel looks up, too, and so counts a
// hit or a miss (ext4_es_lookup_extent).
func (t *esTree) lookupCounted(lblk uint32) (esExtent, bool) {
	x, ok := t.lookup(lblk)
	if ok {
		t.stats.Hits++
	} else {
		t.stats.Misses++
	}
	return x, ok
}
