package ext4

import (
	"math"
	"math/bits"
	"slices"
	"sort"
)

// Some kernels keep the page cache of a regular file in folios of 2^order pages (large
// folios). A write makes each as large as the write, its alignment and the pages that are
// there already allow. A write goes folio by folio, and writeback gives all of a folio a place
// before it sends it. That decides where a write switches to allocation at once, and where
// writeback's requests end if a folio does not get all of its blocks at once.
//
// Deviates from the kernel: memory for a folio is always found, and reading makes no folios.
// Without large folios (Quirks.LargeFolios) nothing is recorded, and a page is a page.

// maxFolioBits is the logarithm of the largest folio's bytes, PMD_SIZE of x86 (MAX_PAGECACHE_ORDER).
const maxFolioBits = 21

// folioRun is a run of folios of the same size in the cache of a file. Runs are sorted, and do
// not overlap.
type folioRun struct {
	page  uint32 // the first page
	count uint32 // how many folios follow each other
	order uint8  // each has 2^order pages
}

func (r *folioRun) end() uint32 { return r.page + r.count<<r.order }

// folioSet are the folios of a file.
type folioSet []folioRun

// fileFolios are the folios of a file where they are kept: most files have one run, for which
// the slice begins in the array. What it has allocated it keeps for the next file of the number.
type fileFolios struct {
	runs  folioSet
	first [1]folioRun
}

// at returns the index of the first run that ends behind page.
func (s folioSet) at(page uint32) int {
	if n := len(s); n == 0 || s[n-1].end() <= page {
		return n
	}
	return sort.Search(len(s), func(i int) bool { return s[i].end() > page })
}

// find returns the folio that holds page, as a range of pages; false where there is none.
func (s folioSet) find(page uint32) (start, end uint32, ok bool) {
	i := s.at(page)
	if i == len(s) || s[i].page > page {
		return 0, 0, false
	}
	size := uint32(1) << s[i].order
	start = s[i].page + (page-s[i].page)&^(size-1)
	return start, start + size, true
}

// free says whether none of the pages [page, end) is in the cache.
func (s folioSet) free(page, end uint32) bool {
	i := s.at(page)
	return i == len(s) || s[i].page >= end
}

// add puts a folio where no page is, and joins it with its neighbours of the same size.
func (s *folioSet) add(page uint32, order uint8) {
	i := s.at(page)
	if i > 0 && (*s)[i-1].end() == page && (*s)[i-1].order == order {
		p := &(*s)[i-1]
		p.count++
		if i < len(*s) && (*s)[i].page == p.end() && (*s)[i].order == order {
			p.count += (*s)[i].count
			*s = slices.Delete(*s, i, i+1)
		}
		return
	}
	if end := page + 1<<order; i < len(*s) && (*s)[i].page == end && (*s)[i].order == order {
		(*s)[i].page, (*s)[i].count = page, (*s)[i].count+1
		return
	}
	*s = slices.Insert(*s, i, folioRun{page, 1, order})
}

// remove drops the folios in [page, end), at whose edges folios end.
func (s *folioSet) remove(page, end uint32) {
	i := s.at(page)
	for i < len(*s) && (*s)[i].page < end {
		r := (*s)[i]
		// What lies before and behind the range stays.
		var keep [2]folioRun
		k := 0
		if r.page < page {
			keep[k] = folioRun{r.page, (page - r.page) >> r.order, r.order}
			k++
		}
		if r.end() > end {
			keep[k] = folioRun{end, (r.end() - end) >> r.order, r.order}
			k++
		}
		*s = slices.Replace(*s, i, i+1, keep[:k]...)
		if r.end() > end {
			return
		}
		if r.page < page {
			i++
		}
	}
}

// split cuts the folio that holds page so that page stands alone, in as few folios as there
// can be: halves, quarters, and so on (folio_split).
func (s *folioSet) split(page uint32) {
	start, end, ok := s.find(page)
	if !ok || end-start == 1 {
		return
	}
	s.remove(start, end)
	for end-start > 1 {
		// The half without the page becomes a folio.
		mid := start + (end-start)/2
		order := uint8(bits.TrailingZeros32(mid - start))
		if page < mid {
			s.add(mid, order)
			end = mid
		} else {
			s.add(start, order)
			start = mid
		}
	}
	s.add(start, 0)
}

// folioOrder is the order of the folio that a write of n bytes wants, in pages
// (fgf_set_order).
func (fs *FS) folioOrder(n int64) uint8 {
	order := bits.Len64(uint64(n>>fs.pageBits)) - 1
	return uint8(max(0, order))
}

// getFolio returns the folio that holds page, as a range of pages. If there is none, one is
// made, of the order or as large as fits (__filemap_get_folio).
func (fs *FS) getFolio(in *inode, page uint32, order uint8) (start, end uint32) {
	s := fs.inodes.folios(in.Number)
	if start, end, ok := s.find(page); ok {
		return start, end
	}
	// A folio begins at a multiple of its size, and covers no page that is there.
	order = min(order, fs.maxFolioOrder)
	if page&(1<<order-1) != 0 {
		order = uint8(bits.TrailingZeros32(page))
	}
	for order > 0 && !s.free(page, page+1<<order) {
		order--
	}
	s.add(page, order)
	return page, page + 1<<order
}

// writeUnit returns how many of the n bytes from pos on are written at once: those in the next
// page, or in the folio that is made for them (generic_perform_write, write_begin_get_folio).
func (fs *FS) writeUnit(in *inode, pos, n int64) int64 {
	if !fs.largeFolios(in) {
		return min(fs.pageSize-pos&(fs.pageSize-1), n)
	}
	most := fs.pageSize << fs.maxFolioOrder
	n = min(n, most-pos&(most-1))
	_, end := fs.getFolio(in, uint32(pos>>fs.pageBits), fs.folioOrder(n))
	return min(n, int64(end)<<fs.pageBits-pos)
}

// coverFolios makes the folios for the first n bytes of a write of total bytes from pos on.
func (fs *FS) coverFolios(in *inode, pos, n, total int64) {
	if !fs.largeFolios(in) {
		return
	}
	for end := pos + n; pos < end; {
		k := fs.writeUnit(in, pos, total)
		pos += k
		total -= k
	}
}

// largeFolios says whether the cache of the file may have folios of many pages
// (ext4_set_inode_mapping_order).
func (fs *FS) largeFolios(in *inode) bool { return fs.quirks.LargeFolios && in.Regular }

// folioOf returns the blocks of the page or folio that block lblk lies in, the first and the one
// behind the last. The last page of the largest file has one block less than others, as no
// file has 2^32 blocks.
func (fs *FS) folioOf(in *inode, lblk uint32) (start, end uint32) {
	bpp := fs.blocksPerPage
	if fs.largeFolios(in) {
		if first, behind, ok := fs.inodes.folios(in.Number).find(lblk / bpp); ok {
			return first * bpp, uint32(min(uint64(behind)*uint64(bpp), maxBlocks))
		}
	}
	start = lblk &^ (bpp - 1)
	return start, uint32(min(uint64(start)+uint64(bpp), maxBlocks))
}

// cutFolios drops the folios in the bytes [from, to) of a file, whose dirty blocks there are
// clean already (truncate_inode_pages_range). A large folio at an edge is split, unless the
// rest of it is dirty.
func (fs *FS) cutFolios(in *inode, from, to int64) {
	if !fs.largeFolios(in) {
		return
	}
	s := fs.inodes.folios(in.Number)
	if len(*s) == 0 || to <= from {
		return
	}
	fs.cutEdge(in, s, from, from, to)
	if to < math.MaxInt64 {
		fs.cutEdge(in, s, to-1, from, to)
	}
	// Whole folios go. Those at the edges that could not be split stay.
	first := uint32((from + fs.pageSize - 1) >> fs.pageBits)
	end := uint32(min(to>>fs.pageBits, math.MaxUint32))
	if start, behind, ok := s.find(first); ok && start < first {
		first = behind
	}
	if start, behind, ok := s.find(end); ok && start < end && behind > end {
		end = start
	}
	if first < end {
		s.remove(first, end)
	}
}

// cutEdge splits the folio that holds byte at, if it reaches beyond [from, to) and can be split
// (truncate_inode_partial_folio).
func (fs *FS) cutEdge(in *inode, s *folioSet, at, from, to int64) {
	start, end, ok := s.find(uint32(at >> fs.pageBits))
	first, behind := int64(start)<<fs.pageBits, int64(end)<<fs.pageBits
	if !ok || end-start == 1 || from <= first && to >= behind {
		return
	}
	// Its buffers must be clean to be given up.
	c := &in.fileMap().cache
	bpp := fs.blocksPerPage
	if i := c.At(start * bpp); i < len(c.Runs()) && c.Runs()[i].Lblk < end*bpp {
		return
	}
	s.split(uint32(max(from, first) >> fs.pageBits))
	// The part behind the range is split off too.
	if to < behind {
		s.split(uint32(to >> fs.pageBits))
	}
}

// dropFolios drops all folios that hold a byte of [from, to), as direct IO does
// (invalidate_inode_pages2_range).
func (fs *FS) dropFolios(in *inode, from, to int64) {
	if !fs.largeFolios(in) || to <= from {
		return
	}
	s := fs.inodes.folios(in.Number)
	first, end := uint32(from>>fs.pageBits), uint32((to-1)>>fs.pageBits)+1
	if start, _, ok := s.find(first); ok {
		first = start
	}
	if _, behind, ok := s.find(end - 1); ok {
		end = behind
	}
	s.remove(first, end)
}

// forgetFolios drops all folios of a file.
func (fs *FS) forgetFolios(in *inode) {
	if fs.largeFolios(in) {
		s := fs.inodes.folios(in.Number)
		*s = (*s)[:0]
	}
}
