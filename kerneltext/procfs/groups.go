package procfs

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"strconv"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
)

// columns is how many orders a line of mb_groups shows, whatever the block size.
const columns = 14

const groupsHeader = "#group: free  frags first [ 2^0   2^1   2^2   2^3   2^4   2^5   2^6   2^7   2^8   2^9   2^10  2^11  2^12  2^13  ]\n"

// WriteGroups writes mb_groups of groups 0 to n-1 (ext4_mb_seq_groups_show).
// Where info is the allocator's GroupInfo, reading loads each buddy, as the
// kernel's file does.
func WriteGroups(w io.Writer, n allocator.GroupID, info func(allocator.GroupID) mballoc.GroupInfo) error {
	b := bufio.NewWriter(w)
	writeGroups(b, func(yield func(allocator.GroupID) bool) {
		for id := range n {
			if !yield(id) {
				return
			}
		}
	}, info)
	return b.Flush()
}

// WriteLoadedGroups writes mb_groups of the groups whose buddies are in memory, and in a last line
// how many others there are. The kernel has no such file: that of a large file system is as long as
// the file system, whatever was done with it.
func WriteLoadedGroups(w io.Writer, a *mballoc.Allocator) error {
	b := bufio.NewWriter(w)
	listed := writeGroups(b, a.Loaded(), a.GroupInfo)
	fmt.Fprintf(b, "# %d more groups, whose buddies are not in memory\n", a.Groups()-listed)
	return b.Flush()
}

// writeGroups writes the header and a line for each group, and returns how many there were.
func writeGroups(b *bufio.Writer, groups iter.Seq[allocator.GroupID], info func(allocator.GroupID) mballoc.GroupInfo) (n allocator.GroupID) {
	b.WriteString(groupsHeader) // Flush reports the error
	var line []byte
	for id := range groups {
		n++
		g := info(id)
		line = appendPadded(append(line[:0], '#'), uint32(id))
		line = append(line, ": "...)
		line = append(appendPadded(line, g.Free), ' ')
		line = append(appendPadded(line, g.Fragments), ' ')
		line = append(appendPadded(line, g.FirstFree), " ["...)
		for o := range columns {
			c := uint32(0)
			if o < g.Orders {
				c = g.Counters[o]
			}
			line = appendPadded(append(line, ' '), c)
		}
		b.Write(append(line, " ]\n"...))
	}
	return n
}

// appendPadded appends v, left-aligned in five columns.
func appendPadded(line []byte, v uint32) []byte {
	n := len(line)
	line = strconv.AppendUint(line, uint64(v), 10)
	for len(line)-n < 5 {
		line = append(line, ' ')
	}
	return line
}
