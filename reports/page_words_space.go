package reports

import (
	"fmt"
	"math"
	"strings"

	"mbsim/metrics"
)

// Sentences on the block map and the histograms.

// mapWords says how many groups, or bands of groups, are nearly full or nearly empty at the end.
func mapWords(r *Run) string {
	m := r.Result.Map
	used := m.Used[len(m.Used)-1]
	// Count the bands at both ends, and find the fullest.
	full, empty, top := 0, 0, 0
	for i, u := range used {
		if u >= 0.9 {
			full++
		}
		if u <= 0.1 {
			empty++
		}
		if u > used[top] {
			top = i
		}
	}
	// With several groups a band, a band is called a run of groups.
	what, fullest := "group", fmt.Sprintf("group %d", top)
	if m.PerBand > 1 {
		what = fmt.Sprintf("run of %s groups", commas(float64(m.PerBand)))
		fullest = fmt.Sprintf("the run from group %s on", commas(float64(top*m.PerBand)))
	}
	whats := strings.Replace(what, "run", "runs", 1)
	if m.PerBand == 1 && len(used) != 1 {
		whats = "groups"
	}
	return fmt.Sprintf("At the end %s of %s %s are at least 90%% full and %s at most 10%%; the fullest is %s, %s of it in use.",
		zero(full), commas(float64(len(used))), whats, zero(empty), fullest, share(float64(used[top]), 1))
}

// freeWords says how much of the free space lies in large pieces, at the end and at the start.
func freeWords(r *Run) string {
	s := r.Result.Snapshots
	first, last := &s[0].Free, &s[len(s)-1].Free
	if last.Blocks == 0 {
		return "At the end there is no free space."
	}
	const size = 8 << 20
	part := func(f *metrics.FreeSpace) string {
		if f.Blocks == 0 {
			return "none"
		}
		return share(f.ShareFrom(size), 1)
	}
	return fmt.Sprintf("%s of the free space is in pieces of at least 8 MiB at the end, and %s at the start.", part(last), part(first))
}

// fileWords says how many files lie in one extent.
func fileWords(r *Run) string {
	s := r.Result.Snapshots[len(r.Result.Snapshots)-1]
	n := int64(0)
	for _, b := range s.FilesByExtents {
		n += b.Count
	}
	if n == 0 {
		return "At the end no file has a block."
	}
	one := s.FilesByExtents[0].Count
	return fmt.Sprintf("At the end %s of %s with blocks (%s) lie in one extent.", commas(float64(one)), amount(float64(n), "files"), share(float64(one), float64(n)))
}

// extentSizeWords says in how long extents the data lies: the median over blocks, so that half
// of the data lies in extents at least as long.
func extentSizeWords(r *Run) string {
	s := r.Result.Snapshots[len(r.Result.Snapshots)-1]
	all := int64(0)
	for _, b := range s.ExtentsBySize {
		all += b.Sum
	}
	if all == 0 {
		return "At the end no file has a block."
	}
	// Add up from the longest extents down until half of the blocks are found.
	from := len(s.ExtentsBySize) - 1
	for sum := s.ExtentsBySize[from].Sum; sum*2 < all; sum += s.ExtentsBySize[from].Sum {
		from--
	}
	size := math.Pow(2, float64(from)) * inBlocks(r.Result)
	return fmt.Sprintf("At the end at least half of the data of files lies in extents of %s or more.", amount(size, "bytes"))
}
