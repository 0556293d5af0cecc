package dirent

import (
	"encoding/binary"
	"math/bits"
)

// place says where a name lies: the units before it in the whole directory, each
// block taken for a whole one. A directory of 16 GiB has a place for each.
type place uint32

// table finds the places of names by their hash. It is a hash table with open addressing
// and linear probing. It does not hold the names: Dir.Find compares them where they lie.
type table struct {
	entries []entry // never full; see home
	used    int
	changes uint32 // additions and removals, which may move other entries (Cursor)
}

// entry is a name in the table, with the inode that it names, so that a lookup need not read
// that from the directory's block.
type entry struct {
	hash uint32
	at   place // the name's place plus 1, so that a zero entry is a free one
	ino  uint32
}

func newTable() table { return table{entries: make([]entry, 1)} }

// hashText is a hash of a name for the table. It has no influence on where names lie.
func hashText(text []byte) uint32 {
	const odd = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio
	// Eight bytes at a time, then the rest as one word: its first and last four bytes, or
	// its first, middle and last byte. The length keeps apart what overlaps.
	h := uint64(len(text)) * odd
	for len(text) > 8 {
		h = mix(h^binary.LittleEndian.Uint64(text), odd)
		text = text[8:]
	}
	var last uint64
	if n := len(text); n >= 4 { // the two halves may overlap
		last = uint64(binary.LittleEndian.Uint32(text))<<32 | uint64(binary.LittleEndian.Uint32(text[n-4:]))
	} else if n > 0 {
		last = uint64(text[0])<<16 | uint64(text[n/2])<<8 | uint64(text[n-1])
	}
	return uint32(mix(h^last, odd))
}

// mix is the exclusive or of both halves of the 128-bit product of a and b.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// home is the entry where the search for a hash begins.
func (t *table) home(hash uint32) int { return int(uint64(hash) * uint64(len(t.entries)) >> 32) }

// next is the entry that a search goes on to from entry i.
func (t *table) next(i int) int {
	if i++; i < len(t.entries) {
		return i
	}
	return 0
}

// add stores e in entry i, which is free: a search for its name ended there.
func (t *table) add(i int, e entry) {
	// Growing gives every name another entry, so that of e must be searched again.
	if t.used >= len(t.entries)/4*3 {
		t.grow()
		i = t.freeEntry(e.hash)
	}
	t.entries[i] = e
	t.used++
	t.changes++
}

// freeEntry is the entry where a search for a hash ends if no name is the one that is
// searched.
func (t *table) freeEntry(hash uint32) int {
	i := t.home(hash)
	for t.entries[i].at != 0 {
		i = t.next(i)
	}
	return i
}

// grow makes the table half as large again, so that it is never much too large.
func (t *table) grow() {
	old := t.entries
	t.entries = make([]entry, (len(old)*3/2+8)&^7)
	for _, e := range old {
		if e.at != 0 {
			t.entries[t.freeEntry(e.hash)] = e
		}
	}
}

// remove removes entry i. Entries behind it that could lie there move up, so that
// a search need never pass a free entry.
func (t *table) remove(i int) {
	for j := t.next(i); t.entries[j].at != 0; j = t.next(j) {
		if t.distance(t.home(t.entries[j].hash), j) >= t.distance(i, j) {
			t.entries[i] = t.entries[j]
			i = j
		}
	}
	t.entries[i] = entry{}
	t.used--
	t.changes++
}

// distance is how far a search goes from entry i to entry j.
func (t *table) distance(i, j int) int {
	if j >= i {
		return j - i
	}
	return j - i + len(t.entries)
}

// move notes that a name of ino has moved from one place to another. While a directory is
// rebuilt, a name of equal hash may have just moved to from and move on later: the inode
// tells the two apart.
func (t *table) move(hash uint32, from, to place, ino uint32) {
	i := t.home(hash)
	for t.entries[i] != (entry{hash, from + 1, ino}) {
		i = t.next(i)
	}
	t.entries[i].at = to + 1
}
