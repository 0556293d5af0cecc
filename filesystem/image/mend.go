package image

import (
	"math/bits"

	"mbsim/allocator"
)

// Mend makes an image that was edited consistent again where inconsistency hides
// the edit: the checksums of superblock, descriptors and bitmaps, and, if counts
// is set, what the descriptors count against the bitmaps. It is for tests, which
// would otherwise see little but wrong checksums. An image whose superblock makes
// no sense it leaves.
func Mend(img []byte, counts bool) {
	if len(img) < 2048 {
		return
	}
	raw := img[1024:2048]
	var sb Superblock
	s := &imageSource{readState: readState{sb: &sb}}
	parsed := sb.parse(raw)
	s.sums = newChecksums(s.sb, raw)
	if parsed == nil && sb.check() == nil {
		s.mendGroups(img, counts)
	}
	if s.sums.crc32c {
		raw[0x175] = 1
		le.PutUint32(raw[0x3fc:], crc32c(^uint32(0), raw[:0x3fc]))
	}
}

// mendGroups mends the descriptors of all groups.
func (s *imageSource) mendGroups(img []byte, counts bool) {
	sb := s.sb
	for n := range sb.DescBlocks() {
		at := uint64(s.descBlock(n)) << sb.BlockBits
		for i := range sb.DescPerBlock() {
			id := n*sb.DescPerBlock() + i
			from := at + uint64(i)*uint64(sb.DescSize)
			if end := from + uint64(sb.DescSize); uint64(id) < uint64(sb.Groups()) && end <= uint64(len(img)) {
				s.mendGroup(img, id, img[from:end], counts)
			}
		}
	}
}

// mendGroup mends the descriptor d of group id.
func (s *imageSource) mendGroup(img []byte, id uint32, d []byte, counts bool) {
	block := func(lo, hi int) []byte {
		b := uint64(le.Uint32(d[lo:]))
		if len(d) >= 64 {
			b |= uint64(le.Uint32(d[hi:])) << 32
		}
		if b >= uint64(len(img))>>s.sb.BlockBits {
			return nil
		}
		return img[b<<s.sb.BlockBits:][:s.sb.BlockSize()]
	}
	flags := le.Uint16(d[0x12:])
	if !s.sums.crc32c && !s.sums.crc16 {
		flags = 0
	}
	geo := s.sb.Geometry()
	if b := block(0, 0x20); b != nil && flags&bgBlockUninit == 0 {
		s.mendBitmap(b[:s.sb.ClustersPerGroup/8], d, 0x18, 0x38)
		if counts {
			le.PutUint16(d[0xc:], uint16(zeros(b, geo.ClustersIn(allocator.GroupID(id)))))
		}
	}
	if b := block(4, 0x24); b != nil && flags&bgInodeUninit == 0 {
		s.mendBitmap(b[:(s.sb.InodesPerGroup+7)/8], d, 0x1a, 0x3a)
		if counts {
			le.PutUint16(d[0xe:], uint16(zeros(b, s.sb.InodesPerGroup)))
		}
	}
	if s.sums.crc32c || s.sums.crc16 {
		le.PutUint16(d[0x1e:], s.sums.desc(id, d))
	}
}

// mendBitmap puts the checksum of a bitmap into its descriptor.
func (s *imageSource) mendBitmap(b, d []byte, lo, hi int) {
	if !s.sums.crc32c {
		return
	}
	crc := crc32c(s.sums.seed, b)
	le.PutUint16(d[lo:], uint16(crc))
	if len(d) >= hi+2 {
		le.PutUint16(d[hi:], uint16(crc>>16))
	}
}

// zeros is the number of the first n bits that are not set.
func zeros(b []byte, n uint32) (count uint32) {
	for i := uint32(0); i < n; i += 8 {
		word := b[i/8]
		if n-i < 8 {
			word |= 0xff << (n - i)
		}
		count += uint32(8 - bits.OnesCount8(word))
	}
	return count
}
