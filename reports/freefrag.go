package reports

import (
	"bufio"
	"fmt"
	"io"

	"mbsim/metrics"
)

// WriteFreeFrag writes the free space in the form of e2freefrag of e2fsprogs
// 1.47.0, called without options (dump_chunk_info). device stands where the tool
// names its argument, and freeBlocks is the superblock's count.
//
// With bigalloc the tool itself miscounts (see metrics.FreeSpace); this does not.
func WriteFreeFrag(w io.Writer, device string, f *metrics.FreeSpace, freeBlocks uint64) error {
	b := bufio.NewWriter(w) // Flush reports the error
	// The device and its free blocks.
	percent := func(n uint64, of uint64) float64 { return float64(n) * 100 / float64(of) }
	fmt.Fprintf(b, "Device: %s\nBlocksize: %d bytes\n", device, f.BlockSize)
	fmt.Fprintf(b, "Total blocks: %d\nFree blocks: %d (%.1f%%)\n", f.Total, freeBlocks, percent(freeBlocks, f.Total))
	// From blocks to kibibytes.
	scale := uint64(f.BlockSize >> 10)
	mean := uint64(0)
	if f.Extents > 0 {
		mean = f.Blocks / f.Extents
	}
	fmt.Fprintf(b, "\nMin. free extent: %d KB \nMax. free extent: %d KB\nAvg. free extent: %d KB\n", f.Min*scale, f.Max*scale, mean*scale)
	fmt.Fprintf(b, "Num. free extent: %d\n", f.Extents)
	// A line for each class that has pieces. The share is of the superblock's count.
	fmt.Fprintf(b, "\nHISTOGRAM OF FREE EXTENT SIZES:\n%s :  %12s  %12s  %7s\n", "Extent Size Range", "Free extents", "Free Blocks", "Percent")
	for i, bin := range joinTop(&f.Sizes) {
		if bin.Count == 0 {
			continue
		}
		from, fromUnit := scaled(uint64(f.BlockSize) << i)
		to, toUnit := scaled(uint64(f.BlockSize) << (i + 1))
		if toUnit != fromUnit {
			// The tool's upper end keeps the unit of the lower one.
			to, toUnit = to*1024, fromUnit
		}
		end := fmt.Sprintf("%5d%c-", to, toUnit)
		if i == freefragClasses-1 {
			end = "max "
		}
		fmt.Fprintf(b, "%5d%c...%7s  :  %12d  %12d  %6.2f%%\n", from, fromUnit, end, bin.Count, bin.Sum, percent(uint64(bin.Sum), freeBlocks))
	}
	return b.Flush()
}

// freefragClasses are the tool's classes (MAX_HIST, whose class 0 stays empty).
const freefragClasses = 31

// joinTop adds the classes above the tool's last one to that one, where it ends with "max".
func joinTop(b *metrics.Bins) []metrics.Bin {
	out := append([]metrics.Bin(nil), b[:freefragClasses]...)
	top := &out[freefragClasses-1]
	for _, x := range b[freefragClasses:] {
		top.Count += x.Count
		top.Sum += x.Sum
	}
	return out
}

// scaled is v, a power of two of at least 1024 bytes, as a number below 1024 and its unit.
func scaled(v uint64) (uint64, byte) {
	unit := 0
	for v >>= 10; v >= 1024; v >>= 10 {
		unit++
	}
	return v, "KMGTPE"[unit]
}
