package imagetest

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
	"strings"
)

//go:embed testdata/*.img.gz
var compressed embed.FS

// Seed is a sound image.
type Seed struct {
	Name  string // of its layout: "ext4-bigalloc"
	Image []byte
	lines []int // where lines of 64 bytes begin that are not all zero
}

// lineLen is the length of a line that an edit names, in bytes.
const lineLen = 64

// Seeds are the images whose names begin with prefix, by name.
func Seeds(prefix string) ([]*Seed, error) {
	files, err := compressed.ReadDir("testdata")
	if err != nil {
		return nil, err
	}
	var seeds []*Seed
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), prefix) {
			continue
		}
		raw, err := compressed.ReadFile("testdata/" + f.Name())
		if err != nil {
			return nil, err
		}
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, err
		}
		s := &Seed{Name: strings.TrimSuffix(f.Name(), ".img.gz")}
		if s.Image, err = io.ReadAll(z); err != nil {
			return nil, err
		}
		s.findLines()
		seeds = append(seeds, s)
	}
	return seeds, nil
}

// findLines finds the lines that say something. Of those that repeat the line
// before, as a file's content does, it takes the first.
func (s *Seed) findLines() {
	zero := make([]byte, lineLen)
	last := zero
	for at := 0; at+lineLen <= len(s.Image); at += lineLen {
		line := s.Image[at : at+lineLen]
		if !bytes.Equal(line, zero) && !bytes.Equal(line, last) {
			s.lines = append(s.lines, at)
		}
		last = line
	}
}
