package device

import "fmt"

// Extent is a contiguous range of blocks.
type Extent struct {
	Block uint64
	Count uint64
}

// window is what the kernel reads ahead of a process that reads a file from its
// beginning, bytes (read_ahead_kb of 128).
const window = 128 * kib

// Reader reads files one after the other, each from its beginning to its end, one
// request at a time and in windows of 128 KiB, from a device on which nothing else
// happens. It needs no engine: the time depends on model and layout only.
//
// Deviates from the kernel: a window is not sent ahead of the one before, the
// first windows of a file are not smaller, and metadata takes no time.
type Reader struct {
	medium    medium
	max       int64
	size      int64
	blockSize int64
	now       int64
	last      int64
	stats     Stats
}

// ReadResult is what reading took.
type ReadResult struct {
	Time     int64 // ns
	Bytes    int64
	Requests uint64
	Seeks    uint64 // requests that did not begin where the one before ended
	Distance int64  // bytes from there, over all of them
}

// Rate is bytes a second, 0 where it took no time.
func (r *ReadResult) Rate() float64 {
	if r.Time == 0 {
		return 0
	}
	return float64(r.Bytes) / (float64(r.Time) / float64(second))
}

// NewReader returns a reader of a device of the given size, bytes.
func NewReader(m Model, size, blockSize int64) (*Reader, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	if size < 1 || size > pebi || blockSize < 1 || blockSize > size {
		return nil, fmt.Errorf("blocks of %d bytes on a device of %d bytes", blockSize, size)
	}
	r := &Reader{size: size, blockSize: blockSize, max: min(m.MaxRequest, window)}
	if m.Medium == None {
		r.max = window
	}
	var err error
	r.medium, err = newMedium(&m, size, &r.stats)
	return r, err
}

// File reads a file whose blocks are those of the extents, in this order. One that
// does not lie on the device is an error, and what comes before it has been read.
func (r *Reader) File(extents []Extent) error {
	left := window // of the window
	var from, to int64
	for _, x := range extents {
		blocks := uint64(r.size / r.blockSize)
		if x.Block > blocks || x.Count > blocks-x.Block {
			return fmt.Errorf("blocks %d+%d lie behind the end of the device, %d blocks", x.Block, x.Count, blocks)
		}
		at, end := int64(x.Block)*r.blockSize, int64(x.Block+x.Count)*r.blockSize
		for at < end {
			if at != to || left == 0 || to-from == r.max {
				r.read(from, to)
				from, to = at, at
			}
			if left == 0 {
				left = window
			}
			n := min(end-at, left, r.max-(to-from))
			at, to, left = at+n, to+n, left-n
		}
	}
	r.read(from, to)
	return nil
}

// read reads one request, unless it is empty.
func (r *Reader) read(from, to int64) {
	if from == to {
		return
	}
	if r.medium != nil {
		r.now = r.medium.start(r.now, Read, from, to)
	}
	r.stats.Commands++
	r.stats.ReadBytes += to - from
	if from != r.last {
		r.stats.Seeks++
		r.stats.Distance += max(from-r.last, r.last-from)
	}
	r.last = to
}

// Result is what reading has taken so far.
func (r *Reader) Result() ReadResult {
	return ReadResult{Time: r.now, Bytes: r.stats.ReadBytes, Requests: r.stats.Commands, Seeks: r.stats.Seeks, Distance: r.stats.Distance}
}

// ReadBack is the result of reading files, given by their extents, in this order.
func ReadBack(m Model, size, blockSize int64, files [][]Extent) (ReadResult, error) {
	r, err := NewReader(m, size, blockSize)
	if err != nil {
		return ReadResult{}, err
	}
	for _, f := range files {
		if err := r.File(f); err != nil {
			return ReadResult{}, err
		}
	}
	return r.Result(), nil
}
