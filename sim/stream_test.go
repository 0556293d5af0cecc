package sim

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
)

// The draws of a stream are part of what a seed means: they may never change.
// The values were computed once by this code; TestStreamKey says that they
// are right.
func TestStreamGolden(t *testing.T) {
	for _, c := range []struct {
		seed        uint64
		replication int
		name        string
		want        string
	}{
		{1, 0, "workload", "77c53352cac3fefa 56d03b587663d0a9 831803 0.199975"},
		{1, 1, "workload", "9d781602dc0dea0e 47bd31815428a81d 24677 0.387711"},
		{2, 0, "workload", "3015492e41d400a9 6eb1d8f5e2f79c88 665996 0.107933"},
		{1, 0, "workload ", "756185c8566a5f46 04774e3a0eb4fd83 660390 0.288746"},
		{1, 0, "", "0739cc34ef50e35f fd862378b0a2784d 856958 0.213341"},
	} {
		r := Stream(c.seed, c.replication, c.name)
		got := fmt.Sprintf("%016x %016x %d %.6f", r.Uint64(), r.Uint64(), r.IntN(1000000), r.Float64())
		if got != c.want {
			t.Errorf("Stream(%d, %d, %q): got %s, want %s", c.seed, c.replication, c.name, got, c.want)
		}
	}
}

// Stream is ChaCha8 keyed by the SHA-256 of seed, replication and name. The key
// is from: printf '\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0cpu' | sha256sum
func TestStreamKey(t *testing.T) {
	key, err := hex.DecodeString("027b61336c339acb19ab948e976e3fc08ede426aba6b8672bcd3a4d012bca226")
	if err != nil {
		t.Fatal(err)
	}
	want := rand.New(rand.NewChaCha8([32]byte(key)))
	got := Streams(1, 2)("cpu")
	for range 100 {
		if g, w := got.Uint64(), want.Uint64(); g != w {
			t.Fatalf("got %x, want %x", g, w)
		}
	}
}

// A stream is not moved by how much others draw.
func TestStreamIndependence(t *testing.T) {
	streams := Streams(7, 0)
	alone := streams("a").Uint64()
	a, b := streams("a"), streams("b")
	for range 1000 {
		b.Uint64()
	}
	if a.Uint64() != alone {
		t.Error("draws from b moved a")
	}
}
