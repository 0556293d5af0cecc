// Package unpack reads what is compressed by gzip, xz or zstd. Which one it is the first bytes tell.
// Memory has a limit, whatever a stream asks for.
package unpack

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// Format is a compressed format.
type Format struct {
	Name, Magic string                             // Magic are the first bytes
	Unpack      string                             // the command that unpacks a file
	Open        func(io.Reader) (io.Reader, error) // what it returns may have a method Close()
}

// Formats are the compressed formats that are read.
var Formats = []Format{
	{"gzip", "\x1f\x8b", "gunzip -k", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"xz", "\xfd7zXZ\x00", "xz -dk", openXz},
	{"zstd", "\x28\xb5\x2f\xfd", "zstd -d", openZstd},
}

// maxWindow is the most memory, in bytes, that a zstd stream may ask for, as much as its
// strongest usual setting needs. An xz stream takes what it fills.
const maxWindow = 128 << 20

func openXz(r io.Reader) (io.Reader, error) {
	return xz.ReaderConfig{DictCap: 1 << 16}.NewReader(r)
}

func openZstd(r io.Reader) (io.Reader, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
}

// Text reads r, unpacked where its first bytes say that it is compressed. release gives back what
// the unpacking holds.
func Text(r io.Reader) (text io.Reader, release func(), err error) {
	b := bufio.NewReaderSize(r, 1<<16)
	head, _ := b.Peek(8) // what is wrong with the input reading it will tell
	for _, f := range Formats {
		if !bytes.HasPrefix(head, []byte(f.Magic)) {
			continue
		}
		text, err := f.Open(b)
		if err != nil {
			return nil, nil, fmt.Errorf("unpacking it (%s): %w", f.Name, err)
		}
		release := func() {}
		if c, ok := text.(interface{ Close() }); ok {
			release = c.Close
		}
		return text, release, nil
	}
	return b, func() {}, nil
}
