package ext4

import "mbsim/filesystem"

// StatusTree counts what all inodes remember of their blocks.
//
// Deviates from the kernel: hits are those of data of files, and of blocks that
// directories grow by. There the journal looks up every block that it writes, and
// a name that is not known yet reads the blocks of its directory; and a page of
// the cache remembers where it lies, where here the tree is asked again. Misses
// and extents are the kernel's, but for the journal's own inode and for
// directories read back after a remount.
func (fs *FS) StatusTree() filesystem.StatusTree { return fs.esStats }

// count notes that n ranges of status s came, or went where n is negative
// (ext4_es_init_extent, ext4_es_free_extent).
func (t *esTree) count(s esStatus, n int32) {
	st := t.stats
	if st == nil {
		return // no file's
	}
	st.Extents += int64(n)
	if s&esDelayed != 0 {
		return
	}
	if t.reclaimable == 0 {
		st.Inodes++
	}
	st.Reclaimable += int64(n)
	if t.reclaimable += n; t.reclaimable == 0 {
		st.Inodes--
	}
}

// ask is a lookup that counts (ext4_es_lookup_extent).
func (t *esTree) ask(lblk uint32) (esExtent, bool) {
	x, ok := t.lookup(lblk)
	if ok {
		t.stats.Hits++
	} else {
		t.stats.Misses++
	}
	return x, ok
}
