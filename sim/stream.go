package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Stream returns the random stream of this name. It depends on nothing but its
// arguments: streams of different names, replications or seeds have nothing to do
// with each other.
//
// The generator is ChaCha8. Its key is the SHA-256 of the seed and the replication
// as 64-bit little-endian numbers, followed by the name.
func Stream(seed uint64, replication int, name string) *rand.Rand {
	b := make([]byte, 0, 16+len(name))
	b = binary.LittleEndian.AppendUint64(b, seed)
	b = binary.LittleEndian.AppendUint64(b, uint64(replication))
	b = append(b, name...)
	return rand.New(rand.NewChaCha8(sha256.Sum256(b)))
}

// Streams are the streams of one replication.
func Streams(seed uint64, replication int) func(name string) *rand.Rand {
	return func(name string) *rand.Rand { return Stream(seed, replication, name) }
}
