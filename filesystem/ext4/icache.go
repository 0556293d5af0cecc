package ext4

import (
	"iter"

	"mbsim/filesystem/ext4/es"
)

// inodeCache keeps the inodes in memory by number. Neighbours in number are neighbours in
// memory: numbers are given out in ascending order, so files that are made one after the
// other, and written back in that order, are met in a row.
//
// Pages, and the chunks in them, are made on first use. A chunk stays for ever, and with it
// what its inodes have allocated.
type inodeCache struct {
	pages       []*inodePage
	sharedLarge *largeInode // the one of all inodes that need none of their own; nobody changes it
}

// inodePage holds the inodes of inodesPerPage numbers, in chunks, and beside them the folios of
// their files, in kernels that keep pages together. In the inode itself the folios would be in
// the way of all other kernels, and of files that have none.
type inodePage struct {
	inodes [inodesPerPage / inodesPerChunk]*inodeChunk
	folios [inodesPerPage / inodesPerChunk]*folioChunk
}

// inodeChunk holds the inodes of inodesPerChunk numbers.
type inodeChunk [inodesPerChunk]inode

// folioChunk holds the folios of the files of inodesPerChunk numbers.
type folioChunk [inodesPerChunk]fileFolios

const (
	inodesPerPage  = 1024
	inodesPerChunk = 16
)

// newInodeCache makes an empty cache for the numbers 1 to last.
func newInodeCache(last uint32, stats *es.Shared) inodeCache {
	return inodeCache{
		pages:       make([]*inodePage, last/inodesPerPage+1),
		sharedLarge: &largeInode{isShared: true, m: fileMap{es: es.New(stats)}},
	}
}

// at returns the inode with this number, which must be in memory.
func (t *inodeCache) at(number uint32) *inode {
	return &t.pages[number/inodesPerPage].inodes[number%inodesPerPage/inodesPerChunk][number%inodesPerChunk]
}

// find returns the inode with this number, nil if it is not in memory.
func (t *inodeCache) find(number uint32) *inode {
	i := number / inodesPerPage
	if int(i) >= len(t.pages) || t.pages[i] == nil || t.pages[i].inodes[number%inodesPerPage/inodesPerChunk] == nil {
		return nil
	}
	if in := t.at(number); in.live {
		return in
	}
	return nil
}

// place returns the inode structure for this number, in use or not, and makes it on first
// use.
func (t *inodeCache) place(number uint32) *inode {
	page := &t.pages[number/inodesPerPage]
	if *page == nil {
		*page = new(inodePage)
	}
	chunk := &(*page).inodes[number%inodesPerPage/inodesPerChunk]
	if *chunk == nil {
		*chunk = new(inodeChunk)
	}
	return &(*chunk)[number%inodesPerChunk]
}

// folios returns the folios of the inode with this number, which must be in memory.
func (t *inodeCache) folios(number uint32) *folioSet {
	chunk := &t.pages[number/inodesPerPage].folios[number%inodesPerPage/inodesPerChunk]
	if *chunk == nil {
		*chunk = new(folioChunk)
	}
	f := &(*chunk)[number%inodesPerChunk]
	if f.runs == nil {
		f.runs = f.first[:0]
	}
	return &f.runs
}

// all lists the inodes in memory by number.
func (t *inodeCache) all() iter.Seq[*inode] {
	return func(yield func(*inode) bool) {
		// Pages and chunks that were never touched are passed over.
		for _, page := range t.pages {
			if page == nil {
				continue
			}
			for _, chunk := range page.inodes {
				if chunk == nil {
					continue
				}
				for i := range chunk {
					if in := &chunk[i]; in.live && !yield(in) {
						return
					}
				}
			}
		}
	}
}
