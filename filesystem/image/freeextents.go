package image

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"mbsim/internal/input"
)

// FreeExtents is into what pieces the free space of a file system is cut, as e2freefrag or
// mb_groups tell it.
type FreeExtents struct {
	name      string
	blockSize uint64    // bytes, of the bins' counts
	longest   uint64    // KiB, of the longest piece; 0 where that is not told
	bins      []freeBin // of e2freefrag
	groups    []freeGroup
}

// freeBin is a line of e2freefrag's histogram.
type freeBin struct {
	line   int
	min    uint64 // the shortest piece, blocks
	end    uint64 // one more than the longest, blocks
	pieces uint64
	blocks uint64
}

// freeGroup is a line of mb_groups.
type freeGroup struct {
	line   int
	free   uint32 // clusters
	pieces uint32
	chunks []uint32 // free chunks of 2^i clusters
}

// maxPieces bounds the pieces of free space that a text may tell: each takes memory.
const maxPieces = 1 << 26

var (
	blockSizeText = regexp.MustCompile(`^Blocksize: (\d+) bytes`)
	longestText   = regexp.MustCompile(`^Max\. free extent: (\d+) KB`)
	binText       = regexp.MustCompile(`^(\d+)([KMGTP])\.\.\. *(\d+)([KMGTP])- *: *(\d+) +(\d+)\b`)
	groupText     = regexp.MustCompile(`^#(\d+) *: *(\d+) +(\d+) +\d+ +(?:\d+ +)*\[([ \d]*)\]`)
)

// ReadFreeExtents reads what e2freefrag prints, or /proc/fs/ext4/DEV/mb_groups, plain or
// gzip. Its errors begin with name:line.
func ReadFreeExtents(r io.Reader, name string) (*FreeExtents, error) {
	text, err := input.Gunzip(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f := &FreeExtents{name: name}
	lines := input.NewLines(utf16Text(text), name, input.MaxLine)
	pieces, idle := uint64(0), 0
	for lines.Next() {
		// Lines that tell nothing are left: titles, totals, what stands before and behind.
		n, known, err := f.line(plainLine(lines.Line()), lines.Number())
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, lines.Number(), err)
		}
		if pieces += n; pieces > maxPieces {
			return nil, fmt.Errorf("%s:%d: more than %d pieces of free space", name, lines.Number(), maxPieces)
		}
		if idle++; known {
			idle = 0
		}
		if idle > maxIdle {
			return nil, fmt.Errorf("%s:%d: %d lines that tell nothing", name, lines.Number(), maxIdle)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, namedError(name, err)
	}
	switch {
	case len(f.bins) == 0 && len(f.groups) == 0:
		return nil, fmt.Errorf("%s: neither the histogram of e2freefrag nor mb_groups", name)
	case len(f.bins) > 0 && len(f.groups) > 0:
		return nil, fmt.Errorf("%s: both the histogram of e2freefrag and mb_groups: want one of them", name)
	case len(f.bins) > 0 && f.blockSize == 0:
		return nil, fmt.Errorf("%s: the line \"Blocksize:\" of e2freefrag is missing", name)
	}
	return f, nil
}

// namedError gives an error of reading a text its name; that of a long line has it.
func namedError(name string, err error) error {
	if errors.As(err, new(*input.LongLine)) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// line takes over one line, and reports how many pieces it tells and whether it is one of
// those that tell anything.
func (f *FreeExtents) line(s string, number int) (pieces uint64, known bool, err error) {
	if m := blockSizeText.FindStringSubmatch(s); m != nil {
		f.blockSize, err = strconv.ParseUint(m[1], 10, 31)
		if err != nil || f.blockSize < 1024 || f.blockSize&(f.blockSize-1) != 0 {
			return 0, true, fmt.Errorf("blocks of %s bytes", m[1])
		}
		return 0, true, nil
	}
	if m := longestText.FindStringSubmatch(s); m != nil {
		if f.longest, err = strconv.ParseUint(m[1], 10, 50); err != nil {
			return 0, true, fmt.Errorf("want a number, have %.40q", m[1])
		}
		return 0, true, nil
	}
	if m := binText.FindStringSubmatch(s); m != nil {
		return f.bin(m, number)
	}
	if m := groupText.FindStringSubmatch(s); m != nil {
		return f.group(m, number)
	}
	return 0, false, nil
}

// bin takes over a line such as "8K...   16K-  :   12   40   0.03%": twelve pieces of 8 KiB
// to less than 16 KiB have 40 blocks together.
func (f *FreeExtents) bin(m []string, number int) (uint64, bool, error) {
	if f.blockSize == 0 {
		return 0, true, errors.New("the line \"Blocksize:\" of e2freefrag must come before its histogram")
	}
	low, err1 := sizeArg("", m[1]+m[2])
	high, err2 := sizeArg("", m[3]+m[4])
	pieces, err3 := strconv.ParseUint(m[5], 10, 48)
	blocks, err4 := strconv.ParseUint(m[6], 10, 48)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return 0, true, fmt.Errorf("want sizes and counts, have %.60q", m[0])
	}
	// From bytes to blocks; with large blocks the first classes are below one.
	b := freeBin{line: number, min: max(1, uint64(low)/f.blockSize), end: max(2, uint64(high)/f.blockSize), pieces: pieces, blocks: blocks}
	if b.pieces == 0 && b.blocks == 0 {
		return 0, true, nil
	}
	if b.blocks < b.pieces*b.min || b.blocks > b.pieces*(b.end-1) {
		return 0, true, fmt.Errorf("%d pieces of %s%s to %s%s cannot have %d blocks of %d bytes", pieces, m[1], m[2], m[3], m[4], blocks, f.blockSize)
	}
	f.bins = append(f.bins, b)
	return pieces, true, nil
}

// group takes over a line of mb_groups: free clusters, pieces, and the chunks of 2^i.
func (f *FreeExtents) group(m []string, number int) (uint64, bool, error) {
	id, err1 := strconv.ParseUint(m[1], 10, 32)
	free, err2 := strconv.ParseUint(m[2], 10, 32)
	pieces, err3 := strconv.ParseUint(m[3], 10, 32)
	if err := errors.Join(err1, err2, err3); err != nil {
		return 0, true, fmt.Errorf("want numbers, have %.60q", m[0])
	}
	if id != uint64(len(f.groups)) {
		return 0, true, fmt.Errorf("group %d, where group %d should be", id, len(f.groups))
	}
	// The chunks are the pieces as the buddy divides them: together all that is free.
	g := freeGroup{line: number, free: uint32(free), pieces: uint32(pieces)}
	sum, count := uint64(0), uint64(0)
	for i, w := range strings.Fields(m[4]) {
		n, err := strconv.ParseUint(w, 10, 32)
		if err != nil || i > 31 {
			return 0, true, fmt.Errorf("want counts of chunks, have %.60q", m[4])
		}
		g.chunks = append(g.chunks, uint32(n))
		sum, count = sum+n<<i, count+n
	}
	if sum != free || count < pieces || (pieces == 0) != (free == 0) {
		return 0, true, fmt.Errorf("group %d has %d free clusters in %d pieces, and %d chunks of %d clusters", id, free, pieces, count, sum)
	}
	f.groups = append(f.groups, g)
	return count, true, nil
}
