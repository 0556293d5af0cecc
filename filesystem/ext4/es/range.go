package es

import (
	"fmt"
	"strings"

	"mbsim/allocator"
)

// MaxBlocks is a number of blocks that no file has (EXT_MAX_BLOCKS). Ranges end before it.
const MaxBlocks = 0xffffffff

// Status is what the extent status tree says about a range of blocks, one bit or two.
type Status uint8

// The statuses of extents_status.h. A range may be unwritten and delayed at
// once: a write to it is pending above blocks that fallocate has given it.
const (
	Written   Status = 1 << iota // mapped, and its data is on disk
	Unwritten                    // mapped, and reads as zeroes
	Delayed                      // written in memory, with no place on disk yet
	Hole                         // neither mapped nor delayed
)

// String names the parts of a status, as in "unwritten+delayed".
func (s Status) String() string {
	var names []string
	for i, name := range [...]string{"written", "unwritten", "delayed", "hole"} {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "+")
}

// Range is one range of the extent status tree: the blocks [Lblk, Lblk+Len) of the file
// (struct extent_status).
type Range struct {
	Lblk, Len uint32
	pblk      allocator.Block48 // of the first block
	Status    Status
}

// NewRange makes the range [lblk, lblk+n). pblk is the place of its first block, and has no
// meaning for holes and delayed ranges.
func NewRange(lblk, n uint32, pblk allocator.Block, s Status) Range {
	return Range{Lblk: lblk, Len: n, pblk: allocator.Pack48(pblk), Status: s}
}

// Pblk is where the first block of the range lies, if it is mapped (es_pblk).
func (e *Range) Pblk() allocator.Block { return e.pblk.Block() }

// Last is the last block of the range (ext4_es_end).
func (e *Range) Last() uint32 { return e.Lblk + e.Len - 1 }

// Covers reports whether block lblk lies in the range.
func (e *Range) Covers(lblk uint32) bool {
	return lblk >= e.Lblk && lblk-e.Lblk < e.Len
}

// cutFront takes the first n blocks away from the range.
func (e *Range) cutFront(n uint32) {
	e.Lblk += n
	e.Len -= n
	e.pblk = allocator.Pack48(e.Pblk() + allocator.Block(n))
}

// IsMapped says whether the range has its place on disk (ext4_es_is_mapped).
func (e *Range) IsMapped() bool { return e.Status&(Written|Unwritten) != 0 }

// IsDelayed says whether a write to the range is pending, whether or not it has a place
// (ext4_es_is_delayed).
func (e *Range) IsDelayed() bool { return e.Status&Delayed != 0 }

// IsDelayedOnly says whether a write to the range is pending and it has no place yet
// (ext4_es_is_delonly).
func (e *Range) IsDelayedOnly() bool { return e.Status&Delayed != 0 && e.Status&Unwritten == 0 }

// String is the range as Tree.String lists it.
func (e *Range) String() string {
	s := fmt.Sprintf("%d-%d %v", e.Lblk, e.Last(), e.Status)
	if e.IsMapped() {
		s += fmt.Sprintf("@%d", e.Pblk())
	}
	return s
}
