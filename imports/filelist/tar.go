package filelist

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// isTar says whether first bytes are those of a tar file: its first header has a checksum that no text has
// by chance.
func isTar(head []byte) bool {
	const header = 512 // bytes
	if len(head) < header {
		return false
	}
	// A first member may have headers in front of it that go on behind head: that is no error of a header.
	_, err := tar.NewReader(bytes.NewReader(head)).Next()
	return err == nil || errors.Is(err, io.ErrUnexpectedEOF)
}

// tarReader reads a tar file. What its members hold is passed over, but for sparse ones, whose holes are
// found by their zeros.
type tarReader struct {
	tar   *tar.Reader
	name  string
	entry Entry
	err   error
	block [hole]byte
	data  []Range
}

// hole is the least part of a sparse file that is taken for a hole where it is all zero, in bytes: a block of
// the usual file system.
const hole = 4096

// maxSparse is the size, in bytes, up to which a sparse file is read: to read the zeros of a larger one would
// take minutes.
const maxSparse = 1 << 40

func newTarReader(r io.Reader, name string) *tarReader {
	return &tarReader{tar: tar.NewReader(r), name: name}
}

func (r *tarReader) Entry() *Entry               { return &r.entry }
func (r *tarReader) Err() error                  { return r.err }
func (r *tarReader) Read() (int64, int64, error) { return int64(r.entry.Place), 0, nil }

func (r *tarReader) Next() bool {
	if r.err != nil {
		return false
	}
	h, err := r.tar.Next()
	// What holds for all members, as git archive puts it in front of them, is none itself.
	for err == nil && h.Typeflag == tar.TypeXGlobalHeader {
		h, err = r.tar.Next()
	}
	if err == io.EOF {
		return false
	}
	place := r.entry.Place + 1
	if err == nil {
		r.entry = Entry{Place: place, Size: h.Size, Target: h.Linkname}
		r.entry.setPath(h.Name)
		err = r.kind(h)
	}
	if err != nil {
		r.err = fmt.Errorf("%s: member %d of the tar file: %w", r.name, place, err)
		return false
	}
	return true
}

// kind says what a member is.
func (r *tarReader) kind(h *tar.Header) error {
	switch h.Typeflag {
	case tar.TypeReg, '\x00', tar.TypeCont:
		r.entry.Kind = File
		if sparse(h) {
			return r.holes(h.Size)
		}
	case tar.TypeGNUSparse:
		r.entry.Kind = File
		return r.holes(h.Size)
	case tar.TypeDir:
		r.entry.Kind = Dir
	case tar.TypeLink:
		r.entry.Kind = HardLink
	case tar.TypeSymlink:
		r.entry.Kind = Symlink
	default:
		r.entry.Kind = Special
	}
	return nil
}

// sparse says whether the records of a member in pax form say that it is sparse.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// holes finds the parts of a sparse file that have data. archive/tar does not tell where they are, but reads
// zeros where there are none.
func (r *tarReader) holes(size int64) error {
	if size > maxSparse {
		return fmt.Errorf("a sparse file of %d bytes: at most %d are read", size, int64(maxSparse))
	}
	r.data = r.data[:0]
	for off := int64(0); off < size; off += hole {
		n, err := io.ReadFull(r.tar, r.block[:min(hole, size-off)])
		if err != nil {
			return err
		}
		if r.block == [hole]byte{} {
			continue
		}
		clear(r.block[:]) // what is left of a full block must not count for the last, short one
		if last := len(r.data) - 1; last >= 0 && r.data[last].Off+r.data[last].Len == off {
			r.data[last].Len += int64(n)
		} else {
			r.data = append(r.data, Range{off, int64(n)})
		}
	}
	// Not nil, also where all of it is a hole.
	r.entry.Data = append(make([]Range, 0, 1), r.data...)
	return nil
}
