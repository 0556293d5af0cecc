package dirent

import (
	"encoding/binary"
	"math/bits"
)

// place says where a name lies: the units before it in the whole directory, each
// block taken for a whole one. A directory of 16 GiB has a place for each.
type place uint32

// table finds the places of names by their hash: open addressing, linear probing.
// It does not know the names, so that one of another name comes along where
// hashes are equal. Its zero value is empty.
type table struct {
	entries []entry // a power of two, never full
	used    int
}

// entry is a name in the table.
type entry struct {
	hash uint32
	at   place // and one, so that a zero entry is a free one
}

// hashText is a hash of a name for the table. It decides nothing.
func hashText(text []byte) uint32 {
	const odd = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio
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

// mix folds the product of a and b.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// add adds a name.
func (t *table) add(hash uint32, at place) {
	if t.used >= len(t.entries)/8*7 {
		t.grow()
	}
	t.put(entry{hash, at + 1})
	t.used++
}

func (t *table) put(e entry) {
	mask := len(t.entries) - 1
	i := int(e.hash) & mask
	for t.entries[i].at != 0 {
		i = (i + 1) & mask
	}
	t.entries[i] = e
}

func (t *table) grow() {
	old := t.entries
	t.entries = make([]entry, max(8, 2*len(old)))
	for _, e := range old {
		if e.at != 0 {
			t.put(e)
		}
	}
}

// remove removes entry i. Entries behind it that could lie there move up, so that
// a search need never pass a free entry.
func (t *table) remove(i int) {
	mask := len(t.entries) - 1
	for j := (i + 1) & mask; t.entries[j].at != 0; j = (j + 1) & mask {
		home := int(t.entries[j].hash) & mask
		if (j-home)&mask >= (j-i)&mask {
			t.entries[i] = t.entries[j]
			i = j
		}
	}
	t.entries[i] = entry{}
	t.used--
}

// move says that a name has gone from one place to another. It may take the entry
// of a name of equal hash that has just come to from and goes on later.
func (t *table) move(hash uint32, from, to place) {
	mask := len(t.entries) - 1
	i := int(hash) & mask
	for t.entries[i] != (entry{hash, from + 1}) {
		i = (i + 1) & mask
	}
	t.entries[i].at = to + 1
}
