package dirent

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
)

// recordedSeed is the hash seed that the oracle's recorders give mke2fs.
var recordedSeed = SeedOf([16]byte{0x6d, 0x62, 0x73, 0x69, 0x6d, 0x00, 0x40, 0x00, 0x80, 14: 0, 15: 2})

// TestHashName compares with what debugfs prints for the same names.
func TestHashName(t *testing.T) {
	f, err := os.Open("testdata/hashes.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for sc := bufio.NewScanner(f); sc.Scan(); {
		w := strings.Fields(sc.Text())
		if w[0] == "#" {
			continue
		}
		version, _ := strconv.Atoi(w[0])
		seed := Seed{}
		if w[1] != "-" {
			seed = recordedSeed
		}
		hash, minor := HashName(w[2], HashVersion(version), seed)
		if got := strconv.FormatUint(uint64(hash), 16) + " " + strconv.FormatUint(uint64(minor), 16); got != w[3]+" "+w[4] {
			t.Errorf("version %d, seed %s, %q: got %s, want %s %s", version, w[1], w[2], got, w[3], w[4])
		}
		n++
	}
	if n < 500 {
		t.Errorf("only %d names compared", n)
	}
}

func TestUnsigned(t *testing.T) {
	for v, want := range map[HashVersion]HashVersion{Legacy: LegacyUnsigned, HalfMD4: HalfMD4Unsigned, TEA: TEAUnsigned, TEAUnsigned: TEAUnsigned} {
		if got := v.Unsigned(); got != want {
			t.Errorf("%d.Unsigned() = %d, want %d", v, got, want)
		}
	}
}

func BenchmarkHashName(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		HashName("a-name-of-ordinary-length.txt", HalfMD4, recordedSeed)
	}
}
