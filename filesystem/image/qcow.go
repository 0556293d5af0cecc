package image

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// qcow reads an image in the format qcow2, version 2 or 3, as e2image -Q writes it: without a
// backing file, encryption, compression or other data files.
//
// The image is divided into clusters. A table of one level, all of which is in the header's
// table (L1), leads to tables of the second level (L2), of one cluster each, which lead to
// the clusters.
type qcow struct {
	r       io.ReaderAt
	file    int64 // bytes of the file
	size    int64 // bytes of the image
	bits    uint  // log2 of a cluster's bytes
	l1      int64 // where the first table lies
	l1Count uint32

	// The table of the second level that was used last. Several may read at once.
	mu   sync.Mutex
	l2At int64 // where it lies, 0 for none
	l2   []byte
}

const (
	qcowOffset     = 0x00fffffffffffe00 // of an entry: where it leads
	qcowCompressed = 1 << 62
	qcowZero       = 1 // version 3: the cluster reads as zeros
)

// openQcow reads the header.
func openQcow(r io.ReaderAt, file int64) (io.ReaderAt, int64, error) {
	var h [72]byte
	if _, err := r.ReadAt(h[:], 0); err != nil {
		return nil, 0, fmt.Errorf("a qcow2 image that is cut short")
	}
	// All numbers are big-endian.
	be := binary.BigEndian
	version := be.Uint32(h[4:])
	q := &qcow{r: r, file: file, bits: uint(be.Uint32(h[20:])), size: int64(be.Uint64(h[24:])), l1Count: be.Uint32(h[36:]), l1: int64(be.Uint64(h[40:]))}
	switch {
	case version != 2 && version != 3:
		return nil, 0, fmt.Errorf("a qcow image of version %d: convert it first (qemu-img convert -O raw)", version)
	case be.Uint64(h[8:]) != 0:
		return nil, 0, fmt.Errorf("a qcow2 image with a backing file: convert it first (qemu-img convert -O raw)")
	case be.Uint32(h[32:]) != 0:
		return nil, 0, fmt.Errorf("an encrypted qcow2 image: convert it first (qemu-img convert -O raw)")
	case q.bits < 9 || q.bits > 21 || q.size < 0 || q.l1 < 0 || q.l1 > file:
		return nil, 0, fmt.Errorf("a damaged qcow2 image: clusters of 2^%d bytes, %d bytes, its first table at %d", q.bits, q.size, q.l1)
	}
	// Version 3 may have features that make the clusters something else.
	if version == 3 {
		var f [8]byte
		if _, err := r.ReadAt(f[:], 72); err != nil {
			return nil, 0, fmt.Errorf("a qcow2 image that is cut short")
		}
		const dirty = 1 // only reference counts may be wrong
		if incompatible := be.Uint64(f[:]); incompatible&^dirty != 0 {
			return nil, 0, fmt.Errorf("a qcow2 image with the features 0x%x: convert it first (qemu-img convert -O raw)", incompatible)
		}
	}
	return q, q.size, nil
}

// ReadAt implements io.ReaderAt.
func (q *qcow) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && off < q.size {
		// As far as the cluster goes, the image and p.
		in := off & (1<<q.bits - 1)
		k := int(min(1<<q.bits-in, int64(len(p)-n), q.size-off))
		at, err := q.find(off)
		switch {
		case err != nil:
			return n, err
		case at == 0 || at >= q.file:
			// Not there, or behind the end of the file, as e2image leaves the last ones.
			clear(p[n : n+k])
		default:
			m, err := q.r.ReadAt(p[n:n+k], at+in)
			if err != nil && err != io.EOF {
				return n, err
			}
			clear(p[n+m : n+k])
		}
		n, off = n+k, off+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// find is where in the file the cluster of the image's byte off lies, 0 where it is zeros.
func (q *qcow) find(off int64) (int64, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	be := binary.BigEndian
	cluster := uint64(off) >> q.bits
	per := uint64(1) << (q.bits - 3) // entries of a table
	i := cluster / per
	if i >= uint64(q.l1Count) {
		return 0, fmt.Errorf("qcow2: byte %d lies behind the tables", off)
	}
	// The entry of the first table leads to one of the second.
	var e [8]byte
	if _, err := q.r.ReadAt(e[:], q.l1+int64(i)*8); err != nil {
		return 0, fmt.Errorf("qcow2: the first table: %w", err)
	}
	table := int64(be.Uint64(e[:]) & qcowOffset)
	if table == 0 {
		return 0, nil
	}
	if table != q.l2At {
		if q.l2 == nil {
			q.l2 = make([]byte, 1<<q.bits)
		}
		n, err := q.r.ReadAt(q.l2, table)
		if err != nil && err != io.EOF {
			return 0, fmt.Errorf("qcow2: the table at %d: %w", table, err)
		}
		clear(q.l2[n:])
		q.l2At = table
	}
	entry := be.Uint64(q.l2[cluster%per*8:])
	switch {
	case entry&qcowCompressed != 0:
		return 0, fmt.Errorf("qcow2: a compressed cluster: convert the image first (qemu-img convert -O raw)")
	case entry&qcowZero != 0:
		return 0, nil
	}
	return int64(entry & qcowOffset), nil
}
