package reports

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"mbsim/filesystem"
)

// FileFrag writes files in the form of filefrag -v of e2fsprogs 1.47.0
// (frag_report), one after the other as the tool does with several arguments: its
// columns grow with the widest file so far.
type FileFrag struct {
	w         *bufio.Writer
	blockSize int64
	blocks    int64 // f_blocks of statfs
	began     bool  // the lines about the file system are written
	logical   int   // width of the columns of logical blocks
	physical  int   // width of the columns of physical blocks
}

// NewFileFrag makes a writer for files of a file system with these counts.
func NewFileFrag(w io.Writer, s filesystem.Statfs) *FileFrag {
	return &FileFrag{w: bufio.NewWriter(w), blockSize: s.BlockSize, blocks: s.Blocks, logical: 8, physical: 10}
}

// Write writes one file.
func (x *FileFrag) Write(f *filesystem.FileInfo) error {
	// Files of indirect blocks have merged extents; then the tool also tells the size of
	// cylinder groups, which are ext2's block groups.
	indirect := len(f.Extents) > 0 && f.Extents[0].Flags&filesystem.ExtentMerged != 0
	if !x.began {
		fmt.Fprintf(x.w, "Filesystem type is: ef53\n")
		if indirect {
			group := 8 * x.blockSize
			fmt.Fprintf(x.w, "Filesystem cylinder groups approximately %d\n", (x.blocks+group-1)/group)
		}
		x.began = true
	}
	// Columns only grow, from file to file, as in the tool.
	n := (f.Size + x.blockSize - 1) / x.blockSize
	x.physical = max(x.physical, log10(x.blocks))
	x.logical = max(x.logical, log10(n))
	fmt.Fprintf(x.w, "File size of %s is %d (%d block%s of %d bytes)\n", f.Path, f.Size, n, plural(n), x.blockSize)
	// A file without extents has no table.
	pieces := int64(1)
	if len(f.Extents) > 0 {
		fmt.Fprintf(x.w, " ext: %*s %*s length: %*s flags:\n", x.logical*2+3, "logical_offset:", x.physical*2+3, "physical_offset:", x.physical+1, "expected:")
		pieces = x.extents(f)
	} else {
		pieces = 0
	}
	fmt.Fprintf(x.w, "%s: %d extent%s found\n", f.Path, pieces, plural(pieces))
	return x.w.Flush() // reports the errors of all of these
}

// extents writes the lines of a file's extents and counts its pieces
// (filefrag_fiemap).
func (x *FileFrag) extents(f *filesystem.FileInfo) (pieces int64) {
	var last filesystem.Extent
	for i, e := range f.Extents {
		// The tool expects an extent where the one before it ends, or where it would be if the
		// hole between them were filled. Another place begins a new piece, except at the file's
		// start; the column shows what was expected.
		start := uint64(e.Physical)
		expected := uint64(last.Physical) + e.Logical - last.Logical
		if e.Logical != 0 && start != expected && start != uint64(last.Physical)+last.Len {
			pieces++
		} else {
			expected = 0
			pieces = max(pieces, 1)
		}
		x.extent(i, &e, expected, f.Size)
		last = e
	}
	return pieces
}

// fileFragFlags are the names of the flags, in the tool's order.
var fileFragFlags = []struct {
	flag filesystem.ExtentFlags
	name string
}{
	{filesystem.ExtentLast, "last"}, {filesystem.ExtentUnknown, "unknown_loc"}, {filesystem.ExtentDelalloc, "delalloc"},
	{filesystem.ExtentNotAligned, "not_aligned"}, {filesystem.ExtentInline, "inline"}, {filesystem.ExtentUnwritten, "unwritten"},
	{filesystem.ExtentMerged, "merged"},
}

// extent writes the line of one extent (print_extent_info).
func (x *FileFrag) extent(i int, e *filesystem.Extent, expected uint64, size int64) {
	// A delayed extent has no place yet, so that no number of it means anything.
	unknown := e.Flags&filesystem.ExtentUnknown != 0
	physical, n, more := uint64(e.Physical), e.Len, e.Len-1
	if unknown {
		physical, n, more = 0, 0, 0
	}
	// The column of the expected block stays empty where the place is as expected.
	tail := strings.Repeat(" ", min(x.physical, 19)+2)
	if expected != 0 && !unknown {
		tail = fmt.Sprintf("%*d: ", x.physical, expected)
	}
	// Flags, and the tool's own mark where the extent reaches the file's end.
	var flags []string
	for _, k := range fileFragFlags {
		if e.Flags&k.flag != 0 {
			flags = append(flags, k.name)
		}
	}
	if int64(e.Logical+e.Len)*x.blockSize >= size {
		flags = append(flags, "eof")
	}
	// Then the line itself.
	tail += strings.Join(flags, ",")
	if len(flags) == 0 {
		tail = tail[:len(tail)-1] // the tool cuts a last character that it takes for a comma
	}
	fmt.Fprintf(x.w, "%4d: %*d..%*d: %*d..%*d: %6d: %s\n", i, x.logical, e.Logical, x.logical, e.Logical+e.Len-1,
		x.physical, physical, x.physical, physical+more, n, tail)
}

// log10 is the whole part of the decimal logarithm, 0 of nothing.
func log10(n int64) int { return len(strconv.FormatInt(max(n, 1), 10)) - 1 }

func plural(n int64) string {
	if n == 1 {
		return ""
	}
	return "s"
}
