package imagewriter

import (
	"hash/crc32"

	"mbsim/filesystem/image"
)

// checksums makes the checksums of metadata_csum and uninit_bg.
type checksums struct {
	on   bool   // metadata_csum
	seed uint32 // of the file system
	desc func(id uint32, d []byte) uint16
}

func newChecksums(sb *image.Superblock, raw []byte) checksums {
	c := image.NewChecksums(sb, raw)
	return checksums{on: sb.ROCompat&image.MetadataCsum != 0, seed: c.Seed(), desc: c.Desc}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// crc continues a checksum over b, as ext4 does: without the final inversion.
func crc(sum uint32, b []byte) uint32 { return ^crc32.Update(^sum, castagnoli, b) }

// crc32Of continues a checksum over a number of 32 bits.
func crc32Of(sum, n uint32) uint32 {
	var b [4]byte
	le.PutUint32(b[:], n)
	return crc(sum, b[:])
}

// inode is the seed of the checksums of an inode and of the blocks that belong to it
// (i_csum_seed).
func (c *checksums) inode(number, generation uint32) uint32 {
	return crc32Of(crc32Of(c.seed, number), generation)
}
