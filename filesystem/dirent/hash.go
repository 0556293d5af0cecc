package dirent

import (
	"encoding/binary"
	"math/bits"
)

// HashVersion is the function that hashes names. The first three are what a
// superblock or a directory's root stores; the unsigned ones differ in how they
// read bytes above 127, and a flag of the superblock asks for them.
type HashVersion uint8

// The hash versions (DX_HASH_* of the kernel).
const (
	Legacy          HashVersion = 0
	HalfMD4         HashVersion = 1
	TEA             HashVersion = 2
	LegacyUnsigned  HashVersion = 3
	HalfMD4Unsigned HashVersion = 4
	TEAUnsigned     HashVersion = 5
)

// Unsigned is the version that reads bytes as unsigned characters, as
// EXT2_FLAGS_UNSIGNED_HASH in the superblock asks.
func (v HashVersion) Unsigned() HashVersion {
	if v <= TEA {
		return v + 3
	}
	return v
}

// Seed is s_hash_seed of the superblock as the kernel reads it: four words.
// All zeros stand for MD4's initial state.
type Seed [4]uint32

// SeedOf is the seed stored as a UUID: its bytes are four little-endian words.
func SeedOf(uuid [16]byte) Seed {
	var s Seed
	for i := range s {
		s[i] = binary.LittleEndian.Uint32(uuid[4*i:])
	}
	return s
}

// endOfDirectory is the hash that no name may have: readdir uses it to say that
// there is nothing more.
const endOfDirectory = 0x7fffffff << 1

// HashName is the hash of a name and its minor hash, which only orders names of
// equal hash for readdir (ext4fs_dirhash). The lowest bit of the hash is clear:
// the index uses it to mark a range that begins in the middle of equal hashes.
// It does not deviate from the kernel for the versions named here, and panics
// for others. ext4 also hashes the names of top-level directories with HalfMD4
// to choose their group.
func HashName(name string, v HashVersion, seed Seed) (hash, minor uint32) {
	return hashBytes([]byte(name), v, seed)
}

// hashBytes is HashName of a name in a block.
func hashBytes(name []byte, v HashVersion, seed Seed) (hash, minor uint32) {
	state := seed
	if state == (Seed{}) {
		state = Seed{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}
	}
	signed := v <= TEA
	switch v {
	case Legacy, LegacyUnsigned:
		hash = legacyHash(name, signed)
	case HalfMD4, HalfMD4Unsigned:
		for at := 0; at < len(name); at += 32 {
			var in [8]uint32
			packName(in[:], name[at:], signed)
			halfMD4(&state, &in)
		}
		hash, minor = state[1], state[2]
	case TEA, TEAUnsigned:
		for at := 0; at < len(name); at += 16 {
			var in [4]uint32
			packName(in[:], name[at:], signed)
			tea(&state, &in)
		}
		hash, minor = state[0], state[1]
	default:
		panic("dirent: unknown hash version")
	}
	hash &^= 1
	if hash == endOfDirectory {
		hash -= 2
	}
	return hash, minor
}

// char is byte c of a name as C's char: sign-extended or not.
func char(c byte, signed bool) uint32 {
	if signed {
		return uint32(int32(int8(c)))
	}
	return uint32(c)
}

// packName fills words with the first bytes of s, four a word, the first byte
// highest. What s leaves over is filled with a pattern of its length
// (str2hashbuf).
func packName(words []uint32, s []byte, signed bool) {
	pad := uint32(len(s)) * 0x0101
	pad |= pad << 16
	s = s[:min(len(s), 4*len(words))]
	for i := range words {
		w := pad
		for range min(4, len(s)) {
			w = char(s[0], signed) + w<<8
			s = s[1:]
		}
		words[i] = w
	}
}

// legacyHash is the hash of ext3's first indexed directories (dx_hack_hash).
func legacyHash(name []byte, signed bool) uint32 {
	h0, h1 := uint32(0x12a3fe2d), uint32(0x37abe8f9)
	for i := range len(name) {
		h := h1 + (h0 ^ char(name[i], signed)*7152373)
		if h&0x80000000 != 0 {
			h -= 0x7fffffff
		}
		h0, h1 = h, h0
	}
	return h0 << 1
}

// md4Round describes one of the three rounds of halfMD4: the order in which it
// takes the input words, its constant, and its rotations.
type md4Round struct {
	order  [8]uint8
	add    uint32
	rotate [4]int
}

var md4Rounds = [3]md4Round{
	{[8]uint8{0, 1, 2, 3, 4, 5, 6, 7}, 0, [4]int{3, 7, 11, 19}},
	{[8]uint8{1, 3, 5, 7, 0, 2, 4, 6}, 0x5a827999, [4]int{3, 5, 9, 13}},  // sqrt(2) * 2^30
	{[8]uint8{3, 7, 2, 6, 1, 5, 0, 4}, 0x6ed9eba1, [4]int{3, 9, 11, 15}}, // sqrt(3) * 2^30
}

// halfMD4 mixes in into state: MD4's three rounds (RFC 1320) over half as many
// words (half_md4_transform).
func halfMD4(state *Seed, in *[8]uint32) {
	a, b, c, d := state[0], state[1], state[2], state[3]
	for r := range md4Rounds {
		round := &md4Rounds[r]
		for i, word := range round.order {
			var f uint32
			switch r {
			case 0:
				f = d ^ b&(c^d)
			case 1:
				f = b&c + (b^c)&d
			default:
				f = b ^ c ^ d
			}
			a = bits.RotateLeft32(a+f+in[word]+round.add, round.rotate[i%4])
			a, b, c, d = d, a, b, c
		}
	}
	state[0] += a
	state[1] += b
	state[2] += c
	state[3] += d
}

// tea mixes in into the first two words of state by 16 rounds of the Tiny
// Encryption Algorithm (TEA_transform).
func tea(state *Seed, in *[4]uint32) {
	x, y := state[0], state[1]
	sum := uint32(0)
	for range 16 {
		sum += 0x9e3779b9 // 2^32 divided by the golden ratio
		x += (y<<4 + in[0]) ^ (y + sum) ^ (y>>5 + in[1])
		y += (x<<4 + in[2]) ^ (x + sum) ^ (x>>5 + in[3])
	}
	state[0] += x
	state[1] += y
}
