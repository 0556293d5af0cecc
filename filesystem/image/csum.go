package image

import (
	"encoding/binary"
	"hash/crc32"
)

// crc32c continues the checksum crc over b, as ext4 does: without the final inversion.
func crc32c(crc uint32, b []byte) uint32 {
	return ^crc32.Update(^crc, crc32.MakeTable(crc32.Castagnoli), b) // made once
}

// crc16 continues the checksum crc over b. It is the CRC-16 of descriptors under uninit_bg
// (polynomial x^16+x^15+x^2+1, reflected).
func crc16(crc uint16, b []byte) uint16 {
	for _, c := range b {
		crc ^= uint16(c)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xa001
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}

// checksums checks the metadata of an image.
type checksums struct {
	crc32c bool // metadata_csum
	crc16  bool // uninit_bg
	seed   uint32
	uuid   UUID
}

func newChecksums(sb *Superblock, raw []byte) checksums {
	c := checksums{crc32c: sb.ROCompat&MetadataCsum != 0, uuid: sb.UUID}
	c.crc16 = !c.crc32c && sb.ROCompat&UninitBG != 0
	c.seed = crc32c(^uint32(0), sb.UUID[:])
	if sb.Incompat&CsumSeed != 0 {
		c.seed = binary.LittleEndian.Uint32(raw[0x270:])
	}
	return c
}

// desc is the checksum of a group descriptor (ext4_group_desc_csum).
func (c *checksums) desc(id uint32, d []byte) uint16 {
	// The field of the checksum itself (bg_checksum) counts as zeros with metadata_csum and
	// is left out of the old CRC-16.
	const field = 0x1e
	var n [4]byte
	binary.LittleEndian.PutUint32(n[:], id)
	if c.crc32c {
		crc := crc32c(c.seed, n[:])
		crc = crc32c(crc, d[:field])
		crc = crc32c(crc, []byte{0, 0})
		return uint16(crc32c(crc, d[field+2:]))
	}
	crc := crc16(^uint16(0), c.uuid[:])
	crc = crc16(crc, n[:])
	crc = crc16(crc, d[:field])
	if len(d) > 32 {
		crc = crc16(crc, d[field+2:])
	}
	return crc
}

// bitmap reports whether a bitmap agrees with its checksum in the descriptor,
// the low half at lo, the high half at hi where the descriptor has it.
func (c *checksums) bitmap(bits, d []byte, lo, hi int) bool {
	if !c.crc32c {
		return true
	}
	crc := crc32c(c.seed, bits)
	if uint16(crc) != binary.LittleEndian.Uint16(d[lo:]) {
		return false
	}
	return len(d) < hi+2 || uint16(crc>>16) == binary.LittleEndian.Uint16(d[hi:])
}
