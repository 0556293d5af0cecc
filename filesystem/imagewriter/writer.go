package imagewriter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"mbsim/allocator"
	"mbsim/filesystem/image"
)

var le = binary.LittleEndian

// Content is what takes the place of the data of files.
type Content uint8

const (
	Zero   Content = iota // holes of the target, which read as zeros
	Random                // bytes that seed, inode and place in the file decide
	Name                  // text that names file, inode and offset
)

// Contents are the names of the kinds of content, in their order.
func Contents() []string { return []string{"zero", "random", "name"} }

// Options are how to write.
type Options struct {
	Content Content
	Seed    uint64 // of random content, and of the UUID where the layout has none
	Epoch   int64  // the date of simulated time 0, seconds since 1970
	Now     int64  // the simulated time of the layout, ns
	// Dense says that the target may hold anything where nothing was written: zeros are written too.
	Dense bool
}

// Target is what the file system is written to: a file, or a device.
type Target interface {
	io.ReaderAt
	io.WriterAt
}

// Size is how many bytes of a target a layout takes.
func Size(l *image.Layout) int64 { return int64(l.Super.Blocks) << l.Super.BlockBits }

// Write writes the file system that l describes. Where l comes from an image, the target must be a
// copy of it. The error is the target's, or says what of l cannot be written.
func Write(to Target, l *image.Layout, o Options) error {
	w := &writer{to: to, l: l, o: o, sb: l.Super, patch: l.Raw() != nil}
	w.blockSize = w.sb.BlockSize()
	if err := w.check(); err != nil {
		return err
	}
	if err := w.prepare(); err != nil {
		return err
	}
	// What the superblock and the descriptors count is known once all else is written.
	for _, part := range []func() error{w.deleted, w.inodes, w.contents, w.special, w.groups, w.superblocks} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// writer is one file system on its way to a target.
type writer struct {
	to Target
	l  *image.Layout
	o  Options
	sb image.Superblock

	blockSize  int64
	patch      bool   // the target holds the image that l was mounted from
	raw        []byte // the superblock as it is at the start, 1024 bytes
	sums       checksums
	table      tableBlock
	journal    image.Inode // the journal's inode, and its i_block, which the superblock copies
	journalMap []byte
	largeFile  bool // a file is too large for 31 bits
	zeros      []byte

	was   []uint64 // the inode bitmap of group wasOf of the image
	wasOf allocator.GroupID
	freed []allocator.Block // blocks of attributes that nobody has any more
}

// check refuses what cannot be written.
func (w *writer) check() error {
	s := &w.sb
	switch {
	case w.patch:
		return nil
	case s.Incompat&image.MMP != 0:
		return fmt.Errorf("a new file system with the feature mmp cannot be written: the simulator does not keep its block")
	case s.ROCompat&(image.Quota|image.Project) != 0:
		return fmt.Errorf("a new file system with the feature quota cannot be written: the simulator has no quota files")
	case s.Compat&image.HasJournal != 0 && s.JournalInode == 0:
		return fmt.Errorf("a file system with an external journal cannot be written")
	}
	if w.l.Reads() {
		return w.checkOwners()
	}
	return nil
}

// prepare reads what is in the target, and sets up checksums.
func (w *writer) prepare() error {
	w.raw = make([]byte, 1024)
	w.zeros = make([]byte, w.blockSize)
	if w.patch {
		if _, err := w.to.ReadAt(w.raw, 1024); err != nil {
			return err
		}
	} else if w.sb.UUID == (image.UUID{}) {
		w.sb.UUID = newUUID(w.o.Seed)
	}
	if !w.patch && w.sb.Incompat&image.CsumSeed != 0 {
		le.PutUint32(w.raw[0x270:], crc(^uint32(0), w.sb.UUID[:]))
	}
	w.sums = newChecksums(&w.sb, w.raw)
	return nil
}

// newUUID is a UUID that a seed decides, with the version and variant bits of random ones.
func newUUID(seed uint64) (u image.UUID) {
	fillRandom(u[:], seed, 0, 0)
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u
}

// put writes whole blocks from b on, unless the target has them already.
func (w *writer) put(b allocator.Block, data []byte) error {
	if b >= w.sb.Blocks || allocator.Block(int64(len(data))/w.blockSize) > w.sb.Blocks-b {
		return fmt.Errorf("block %d lies outside the file system of %d blocks", b, w.sb.Blocks)
	}
	at := int64(b) << w.sb.BlockBits
	switch {
	case w.patch:
		have := make([]byte, len(data))
		if _, err := w.to.ReadAt(have, at); err != nil {
			return err
		}
		if bytes.Equal(have, data) {
			return nil
		}
	case !w.o.Dense && allZero(data):
		return nil
	}
	_, err := w.to.WriteAt(data, at)
	return err
}

// get reads block b of the target, which is zeros where nothing was written yet.
func (w *writer) get(b allocator.Block) ([]byte, error) {
	buf := make([]byte, w.blockSize)
	if w.patch {
		if _, err := w.to.ReadAt(buf, int64(b)<<w.sb.BlockBits); err != nil {
			return nil, fmt.Errorf("block %d cannot be read: %w", b, err)
		}
	}
	return buf, nil
}

func allZero(b []byte) bool {
	for len(b) >= 8 {
		if le.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// seconds is a simulated time as a date: seconds since 1970, and nanoseconds.
func (w *writer) seconds(simulated int64) (sec int64, ns uint32) {
	return w.o.Epoch + simulated/1e9, uint32(simulated % 1e9)
}
