package dirent

import (
	"encoding/binary"
	"math/bits"
)

// place says where a name lies: the units before it in the whole directory, each
// block taken for a whole one. A directory of 16 GiB has a place for each.
type place uint32

// table finds the places of names by their hash: open addressing, linear probing.
// It does not know the names: see Dir.find.
type table struct {
	entries []entry // never full; see home
	used    int
	// The name asked for last, its hash, and the entry where the search ended, or
	// -1 where that may be another now: who adds or removes a name has mostly
	// asked for it just before.
	asked     string
	askedHash uint32
	askedAt   int32
}

// entry is a name in the table, with what it names: who looks that up need not wait for
// the memory in which the name is.
type entry struct {
	hash uint32
	at   place // and one, so that a zero entry is a free one
	ino  uint32
}

func newTable() table { return table{entries: make([]entry, 1), askedAt: -1} }

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

// home is the entry where the search for a hash begins.
func (t *table) home(hash uint32) int { return int(uint64(hash) * uint64(len(t.entries)) >> 32) }

// next is the entry that a search goes on to from entry i.
func (t *table) next(i int) int {
	if i++; i < len(t.entries) {
		return i
	}
	return 0
}

// add adds a name for inode ino.
func (t *table) add(hash uint32, at place, ino uint32) {
	t.askedAt = -1
	if t.used >= len(t.entries)/4*3 {
		t.grow()
	}
	t.put(entry{hash, at + 1, ino})
	t.used++
}

func (t *table) put(e entry) {
	i := t.home(e.hash)
	for t.entries[i].at != 0 {
		i = t.next(i)
	}
	t.entries[i] = e
}

// grow makes the table half as large again, so that it is never much too large.
func (t *table) grow() {
	old := t.entries
	t.entries = make([]entry, (len(old)*3/2+8)&^7)
	for _, e := range old {
		if e.at != 0 {
			t.put(e)
		}
	}
}

// remove removes entry i. Entries behind it that could lie there move up, so that
// a search need never pass a free entry.
func (t *table) remove(i int) {
	t.askedAt = -1
	for j := t.next(i); t.entries[j].at != 0; j = t.next(j) {
		if t.distance(t.home(t.entries[j].hash), j) >= t.distance(i, j) {
			t.entries[i] = t.entries[j]
			i = j
		}
	}
	t.entries[i] = entry{}
	t.used--
}

// distance is how far a search goes from entry i to entry j.
func (t *table) distance(i, j int) int {
	if j >= i {
		return j - i
	}
	return j - i + len(t.entries)
}

// move says that a name of ino has gone from one place to another. A name of equal
// hash may have just come to from, and go on later.
func (t *table) move(hash uint32, from, to place, ino uint32) {
	t.askedAt = -1
	i := t.home(hash)
	for t.entries[i] != (entry{hash, from + 1, ino}) {
		i = t.next(i)
	}
	t.entries[i].at = to + 1
}

// find is the entry of a name in d.names; a free one where it is not there.
func (d *Dir) find(text string) (i int, ok bool) {
	t := &d.names
	if t.askedAt < 0 || text != t.asked {
		d.search(text)
	}
	return int(t.askedAt), t.entries[t.askedAt].at != 0
}

// search sets t.asked and what goes with it. It returns the entry where it ended.
func (d *Dir) search(text string) entry {
	t := &d.names
	hash := hashText([]byte(text))
	i := t.home(hash)
	e := t.entries[i]
	for ; e.at != 0; e = t.entries[i] {
		if e.hash == hash {
			b, off := d.slotAt(e.at - 1)
			blk := &d.blocks[b]
			if string(blk.data[off+headerLen:off+headerLen+blk.at(off).text()]) == text {
				break
			}
		}
		i = t.next(i)
	}
	t.asked, t.askedHash, t.askedAt = text, hash, int32(i)
	return e
}
