package image

import (
	"bytes"
	"fmt"
	"io"

	"mbsim/internal/input"
	"mbsim/internal/memory"
	"mbsim/internal/unpack"
)

// What is here finds the file system inside of what people keep images in: compressed by
// gzip, xz or zstd, in the format qcow2 as e2image -Q writes it, or in a partition of a
// whole disk.

// An image that is compressed is unpacked into memory. Only blocks that are not zero are
// kept, and both what is kept and what is unpacked have a limit: a file of a few bytes may
// unpack to more than any machine has.
const (
	keptBlock = 4096 // bytes of a block that is kept or not
	maxNested = 4    // containers in containers
)

// The limits in bytes, which tests make smaller.
var (
	maxUnpacked int64 = 64 << 30
	maxKept     int64 = 1 << 30
)

// contained finds what an image file of size bytes holds: r itself, or what is in the
// container that it is.
func contained(r io.ReaderAt, size int64) (io.ReaderAt, int64, error) {
	for range maxNested {
		inner, n, err := unpackOnce(r, size)
		if err != nil {
			return nil, 0, err
		}
		if inner == nil {
			return r, size, nil
		}
		r, size = inner, n
	}
	return nil, 0, fmt.Errorf("more than %d containers in each other", maxNested)
}

// unpackOnce opens a container. It returns nil for what is none.
func unpackOnce(r io.ReaderAt, size int64) (io.ReaderAt, int64, error) {
	// The first bytes tell. An image has zeros there, or a boot loader.
	var head [16]byte
	n, err := r.ReadAt(head[:], 0)
	if err != nil && err != io.EOF {
		return nil, 0, err
	}
	for _, p := range unpack.Formats {
		if bytes.HasPrefix(head[:n], []byte(p.Magic)) {
			s, err := unpackSparse(r, size, p.Open)
			if err != nil {
				return nil, 0, fmt.Errorf("unpacking it (%s): %w", p.Name, err)
			}
			return s, s.size, nil
		}
	}
	switch {
	case bytes.HasPrefix(head[:n], []byte("QFI\xfb")):
		return openQcow(r, size)
	case bytes.HasPrefix(head[:n], []byte("\x10\xb7\x2b\x7fExt2 Image")):
		return nil, 0, fmt.Errorf("an image file of e2image, which lacks the directories: make one with e2image -r (raw) or -Q (qcow2)")
	case bytes.HasPrefix(head[:n], []byte("BZh")):
		return nil, 0, fmt.Errorf("compressed by bzip2: unpack it first (bunzip2 -k)")
	case bytes.HasPrefix(head[:n], []byte("PK\x03\x04")), bytes.HasPrefix(head[:n], []byte("7z\xbc\xaf\x27\x1c")):
		return nil, 0, fmt.Errorf("a zip or 7z archive: unpack it first")
	case bytes.HasPrefix(head[:n], []byte("KDMV")), bytes.HasPrefix(head[:n], []byte("vhdxfile")), bytes.HasPrefix(head[:n], []byte("conectix")), bytes.HasPrefix(head[:n], []byte("<<< ")):
		return nil, 0, fmt.Errorf("a disk of a virtual machine: convert it first (qemu-img convert -O raw)")
	case bytes.HasPrefix(head[:n], []byte("\x3a\xff\x26\xed")):
		return nil, 0, fmt.Errorf("an Android sparse image: convert it first (simg2img)")
	}
	return nil, 0, nil
}

// sparse is an image in memory without its zeros.
type sparse struct {
	blocks map[int64]*[keptBlock]byte
	size   int64 // bytes
}

// unpackSparse reads all of a compressed image.
func unpackSparse(r io.ReaderAt, size int64, open func(io.Reader) (io.Reader, error)) (*sparse, error) {
	z, err := open(io.NewSectionReader(r, 0, size))
	if err != nil {
		return nil, err
	}
	if c, ok := z.(interface{ Close() }); ok {
		defer c.Close()
	}
	s := &sparse{blocks: make(map[int64]*[keptBlock]byte)}
	zero := make([]byte, keptBlock)
	buf := make([]byte, keptBlock)
	for at := int64(0); ; at++ {
		// The last block may be short. An end that comes too early is an error of the stream.
		n, err := 0, error(nil)
		for n < len(buf) && err == nil {
			var k int
			k, err = z.Read(buf[n:])
			n += k
		}
		s.size += int64(n)
		if err != nil && err != io.EOF {
			return nil, err
		}
		if n > 0 && !bytes.Equal(buf[:n], zero[:n]) {
			b := new([keptBlock]byte)
			copy(b[:], buf[:n])
			s.blocks[at] = b
		}
		if n < len(buf) {
			return s, nil
		}
		if err := s.checkSize(); err != nil {
			return nil, err
		}
	}
}

// checkSize refuses what has become too large.
func (s *sparse) checkSize() error {
	kept := int64(len(s.blocks)) * keptBlock
	switch {
	case s.size > maxUnpacked:
		return fmt.Errorf("more than %s: unpack it first, into a file", input.Bytes(maxUnpacked))
	case kept > maxKept:
		return fmt.Errorf("more than %s that are not zero: unpack it first, into a file", input.Bytes(maxKept))
	case kept%(64<<20) == 0 && kept > 0:
		return memory.Check("it unpacked", kept)
	}
	return nil
}

// ReadAt implements io.ReaderAt.
func (s *sparse) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && off < s.size {
		// As far as the block goes, the image and p.
		in := int(off % keptBlock)
		k := min(keptBlock-in, len(p)-n, int(min(s.size-off, keptBlock)))
		if b := s.blocks[off/keptBlock]; b != nil {
			copy(p[n:n+k], b[in:])
		} else {
			clear(p[n : n+k])
		}
		n, off = n+k, off+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
