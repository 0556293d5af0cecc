package imagetest

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"

	"mbsim/filesystem/image"
)

// editLen is the length of one change in the input of Edit, in bytes.
const editLen = 6

// Edit is the image with changes, each of six bytes: which line that is not zero
// (16 bits), where in it and what to do (8), and the value (24). The checksums are
// right again afterwards, and so are the counts of the descriptors unless the
// first byte of changes, which comes before them, is odd.
func (s *Seed) Edit(changes []byte) []byte {
	img := bytes.Clone(s.Image)
	if len(changes) == 0 {
		return img
	}
	counts := changes[0]&1 == 0
	for changes = changes[1:]; len(changes) >= editLen; changes = changes[editLen:] {
		s.change(img, changes)
	}
	image.Mend(img, counts)
	return img
}

// change makes one change: it writes one, two or four bytes, or copies four from
// another line.
func (s *Seed) change(img, c []byte) {
	le := binary.LittleEndian
	at := s.lines[int(le.Uint16(c))%len(s.lines)]
	value := uint32(c[3]) | uint32(c[4])<<8 | uint32(c[5])<<16
	place := int(c[2] & (lineLen - 1))
	switch c[2] >> 6 {
	case 0:
		img[at+place] = c[3]
	case 1:
		le.PutUint16(img[at+place&^1:], uint16(value))
	case 2:
		if c[5] == 0xff { // also numbers that are large
			value |= 0xff << 24
		}
		le.PutUint32(img[at+place&^3:], value)
	default:
		from := s.lines[int(value&0xffff)%len(s.lines)] + int(c[5]&(lineLen-1)&^3)
		copy(img[at+place&^3:][:4], s.Image[from:])
	}
}

// RandomChanges draws an input of Edit.
func RandomChanges(r *rand.Rand) []byte {
	changes := make([]byte, 1+editLen*(1+r.IntN(3)))
	for i := range changes {
		changes[i] = byte(r.Uint32())
		if i > 0 && (i-1)%editLen > 2 && r.IntN(3) == 0 {
			changes[i] = 0 // small numbers more often
		}
	}
	if r.IntN(2) == 0 {
		changes[2] = 0 // the first lines: superblock, descriptors, bitmaps, inodes
	}
	return changes
}
