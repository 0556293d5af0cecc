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

// inodePage holds the inodes of inodesPerPage numbers, in chunks.
type inodePage [inodesPerPage / inodesPerChunk]*inodeChunk

// inodeChunk holds the inodes of inodesPerChunk numbers.
type inodeChunk [inodesPerChunk]inode

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
	return &t.pages[number/inodesPerPage][number%inodesPerPage/inodesPerChunk][number%inodesPerChunk]
}

// find returns the inode with this number, nil if it is not in memory.
func (t *inodeCache) find(number uint32) *inode {
	i := number / inodesPerPage
	if int(i) >= len(t.pages) || t.pages[i] == nil || t.pages[i][number%inodesPerPage/inodesPerChunk] == nil {
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
	chunk := &(*page)[number%inodesPerPage/inodesPerChunk]
	if *chunk == nil {
		*chunk = new(inodeChunk)
	}
	return &(*chunk)[number%inodesPerChunk]
}

// all lists the inodes in memory by number.
func (t *inodeCache) all() iter.Seq[*inode] {
	return func(yield func(*inode) bool) {
		// Pages and chunks that were never touched are passed over.
		for _, page := range t.pages {
			if page == nil {
				continue
			}
			for _, chunk := range page {
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
