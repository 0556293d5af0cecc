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
	// A seed of zeros stands for the initial state of MD4.
	state := seed
	if state == (Seed{}) {
		state = Seed{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}
	}
	signed := v <= TEA
	switch v {
	case Legacy, LegacyUnsigned:
		hash = legacyHash(name, signed)
	// Names are hashed in pieces of 32 bytes, the hash of each starting from the last.
	case HalfMD4, HalfMD4Unsigned:
		for at := 0; at < len(name); at += 32 {
			var in [8]uint32
			packName(in[:], name[at:], signed)
			halfMD4(&state, &in)
		}
		hash, minor = state[1], state[2]
	// As above, in pieces of 16 bytes.
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
	// The lowest bit is not part of the hash; the hash that means the end of a directory is
	// replaced by the one before it.
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
	// What is left over is filled with the length of the rest of the name, byte by byte.
	pad := uint32(len(s)) * 0x0101
	pad |= pad << 16
	for i := range words {
		switch w := pad; len(s) {
		case 0:
			words[i] = pad
		// An incomplete word keeps the pattern above its bytes.
		case 1, 2, 3:
			for _, c := range s {
				w = char(c, signed) + w<<8
			}
			words[i], s = w, nil
		default:
			words[i] = char(s[0], signed)<<24 + char(s[1], signed)<<16 + char(s[2], signed)<<8 + char(s[3], signed)
			s = s[4:]
		}
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

// halfMD4 mixes in into state: MD4's three rounds (RFC 1320) over half as many
// words (half_md4_transform). The rounds take the words in the orders 01234567,
// 13570246 and 37261504.
func halfMD4(state *Seed, in *[8]uint32) {
	const add2, add3 = 0x5a827999, 0x6ed9eba1 // sqrt(2) and sqrt(3) * 2^30
	rotate := bits.RotateLeft32
	a, b, c, d := state[0], state[1], state[2], state[3]
	// Round 1 takes the words 0 1 2 3 4 5 6 7.
	for i := 0; i < 8; i += 4 {
		a = rotate(a+(d^b&(c^d))+in[i], 3)
		d = rotate(d+(c^a&(b^c))+in[i+1], 7)
		c = rotate(c+(b^d&(a^b))+in[i+2], 11)
		b = rotate(b+(a^c&(d^a))+in[i+3], 19)
	}
	// Round 2 takes the words 1 3 5 7 0 2 4 6.
	for i := 1; i >= 0; i-- {
		a = rotate(a+(b&c+(b^c)&d)+in[i]+add2, 3)
		d = rotate(d+(a&b+(a^b)&c)+in[i+2]+add2, 5)
		c = rotate(c+(d&a+(d^a)&b)+in[i+4]+add2, 9)
		b = rotate(b+(c&d+(c^d)&a)+in[i+6]+add2, 13)
	}
	// Round 3 takes the words 3 7 2 6 1 5 0 4.
	for i := 3; i > 0; i -= 2 {
		a = rotate(a+(b^c^d)+in[i]+add3, 3)
		d = rotate(d+(a^b^c)+in[i+4]+add3, 9)
		c = rotate(c+(d^a^b)+in[i-1]+add3, 11)
		b = rotate(b+(c^d^a)+in[i+3]+add3, 15)
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
