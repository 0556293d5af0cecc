package reports

import (
	"fmt"
	"math"
	"strings"
)

// What is here says in one sentence what a plot of the page shows. Each sentence
// is computed from the run, so that it is true of it.

// final is the last value of a metric, 0 where it has none.
func (r *Run) final(name string) float64 {
	v, err := r.Result.Value(name)
	if err != nil {
		return 0
	}
	return v
}

// ends are the first and the last value of a metric, and whether it has any.
func (r *Run) ends(name string) (first, last float64, ok bool) {
	_, v, err := r.Result.Series.Points(name)
	if err != nil || len(v) == 0 {
		return 0, 0, false
	}
	return v[0], v[len(v)-1], true
}

// amount is a value with its unit: 28,097 files, 3.2%, 1.5 GiB.
func amount(v float64, unit string) string {
	value, shown := human(v, unit)
	value = trimZeros(value)
	switch shown {
	case "%":
		return value + "%"
	case "":
		return value
	}
	if value == "1" {
		shown = one(shown)
	}
	return value + " " + shown
}

// one is the singular of a unit.
func one(unit string) string {
	if s, ok := strings.CutSuffix(unit, "ies"); ok {
		return s + "y"
	}
	return strings.TrimSuffix(unit, "s")
}

// few is a number to about four digits.
func few(v float64) string {
	s, _ := human(v, "")
	return trimZeros(s)
}

// trimZeros takes the zeros off the end of a fraction.
func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// share is part of whole in per cent: 12.3%.
func share(part, whole float64) string {
	if whole == 0 {
		return "0%"
	}
	p := part / whole * 100
	switch {
	case p > 0 && p < 0.1:
		return "less than 0.1%"
	case p > 99.9 && p < 100:
		return "more than 99.9%"
	}
	return decimals(p, 1) + "%"
}

// when is a time of a run: 45.2 s.
func (r *Run) when(t int64) string {
	unit, ns := timeUnit(r.Result.End - r.Result.Start)
	v := float64(t-r.Result.Start) / ns
	return decimals(v, digitsFor(v)) + " " + unit
}

// extentWords says how many extents files are in.
func extentWords(r *Run) string {
	_, last, ok := r.ends("extents_per_file_mean")
	if !ok {
		return "No file has a block."
	}
	return fmt.Sprintf("At the end a file is in %s extents in the mean, 99%% of the files are in at most %s, and the most fragmented is in %s.",
		few(last), few(r.final("extents_per_file_p99")), few(r.final("extents_per_file_max")))
}

// layoutWords says how contiguous files are.
func layoutWords(r *Run) string {
	if !has(r, "layout_score") {
		return "No file has two blocks."
	}
	s := fmt.Sprintf("At the end %s of the blocks lie right behind the block before them in their file", share(r.final("layout_score"), 1))
	if has(r, "dynamic_layout_score") {
		s += fmt.Sprintf("; with all files read in order of path it is %s", share(r.final("dynamic_layout_score"), 1))
	}
	return s + "."
}

// usedWords says how full the device is.
func usedWords(r *Run) string {
	times, used, err := r.Result.Series.Points("used_share")
	if err != nil || len(used) == 0 {
		return "How full the device is was not sampled."
	}
	// The moment at which the device was fullest, if that was not at the end.
	at, most := 0, math.Inf(-1)
	for i, v := range used {
		if v > most {
			at, most = i, v
		}
	}
	s := fmt.Sprintf("At the start %s of the device is in use, at the end %s", share(used[0], 1), share(used[len(used)-1], 1))
	if at > 0 && most-used[len(used)-1] > 0.001 {
		s += fmt.Sprintf("; the most is %s, after %s", share(most, 1), r.when(times[at]))
	}
	return s + "."
}

// pieceWords says in how many pieces the free space is.
func pieceWords(r *Run) string {
	first, last, ok := r.ends("free_extents")
	if !ok {
		return "The free space was not looked at."
	}
	bs := float64(r.Result.BlockSize)
	if last == 0 {
		return "At the end there is no free space."
	}
	return fmt.Sprintf("The free space is in %s at the start and in %s at the end, the longest of which has %s.",
		amount(first, "pieces"), commas(last), amount(r.final("free_extent_max")*bs, "bytes"))
}

// criteriaWords says in which criteria searches ended.
func criteriaWords(r *Run) string {
	// Requests served from preallocations or at their goal need no search.
	sum := 0.
	for _, c := range criteriaOf(r) {
		sum += r.final(c.Hits)
	}
	if sum == 0 {
		return "No request needed a search: preallocations or the goal itself served all of them."
	}
	var parts []string
	for _, c := range criteriaOf(r) {
		if n := r.final(c.Hits); n > 0 {
			parts = append(parts, share(n, sum)+" ended in "+c.Label)
		}
	}
	return fmt.Sprintf("%s needed %s: %s.", amount(r.final("mb_reqs"), "requests"), amount(sum, "searches"), joinWords(parts))
}

// joinWords lists parts: a, b and c.
func joinWords(parts []string) string {
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + " and " + parts[n-1]
	}
	return strings.Join(parts, "")
}

// groupWords says how many groups a request looks at.
func groupWords(r *Run) string {
	line := chartLine{per: "mb_reqs", over: []string{"mb_groups_considered"}}
	mean, ok := line.final(r.Result)
	if !ok {
		return "There was no request for blocks."
	}
	at, most := worst(r, &line)
	s := fmt.Sprintf("A request looks at %s groups in the mean of the whole run", few(mean))
	if most > mean*1.05 {
		s += fmt.Sprintf("; around %s it was %s", r.when(at), few(most))
	}
	return s + "."
}

// worst returns when a rate is largest, in nanoseconds of the run, and how large it is.
func worst(r *Run, line *chartLine) (at int64, most float64) {
	times, v, err := line.points(r.Result)
	if err != nil {
		return 0, 0
	}
	for i := range v {
		if v[i] > most {
			at, most = r.Result.Start+int64(times[i]), v[i]
		}
	}
	return at, most
}

// preallocWords says what became of preallocated space.
func preallocWords(r *Run) string {
	cluster, block := inClusters(r.Result), inBlocks(r.Result)
	made, used, back := r.final("mb_preallocated")*cluster, r.final("mb_pa_blocks_used")*block, r.final("mb_discarded")*cluster
	if made == 0 {
		return "Nothing was preallocated."
	}
	return fmt.Sprintf("%s were set aside; later requests used %s, and %s (%s) were given back unused.",
		amount(made, "bytes"), amount(used, "bytes"), amount(back, "bytes"), share(back, made))
}

// lostWords says how many chunks were lost to other CPUs.
func lostWords(r *Run) string {
	n := r.final("mb_lost")
	if n == 0 {
		return "No chunk was lost: no CPU took what another had found."
	}
	return fmt.Sprintf("%s taken by another CPU after the search and before the use: %s of all requests.",
		amount(n, "chunks")+was(n), share(n, r.final("mb_reqs")))
}

// was is the verb after a count.
func was(n float64) string {
	if n == 1 {
		return " was"
	}
	return " were"
}

// bitmapWords says how many bitmaps were read and buddies were built.
func bitmapWords(r *Run) string {
	n := r.final("mb_bitmap_loads")
	if n == 0 {
		return "No bitmap was read from the device."
	}
	return fmt.Sprintf("%s%s read, %s of them ahead; %s%s built, on a device of %s.", amount(n, "bitmaps"), was(n), commas(r.final("mb_prefetch_ios")),
		amount(r.final("mb_buddies_generated"), "buddies"), was(r.final("mb_buddies_generated")), amount(float64(r.Result.Groups), "groups"))
}

// windowWords says what became of ext2's reservation windows.
func windowWords(r *Run) string {
	made := r.final("rsv_windows_made")
	if made == 0 {
		return "No file was given a window."
	}
	return fmt.Sprintf("%s%s made, %s given back unused, and %s found no room.", amount(made, "windows"), was(made),
		commas(r.final("rsv_windows_discarded")), commas(r.final("rsv_windows_failed")))
}

// visitedWords says how many groups a request of ext2 visits.
func visitedWords(r *Run) string {
	line := chartLine{per: "rsv_reqs", over: []string{"rsv_groups_visited"}}
	mean, ok := line.final(r.Result)
	if !ok {
		return "There was no request for blocks."
	}
	return fmt.Sprintf("A request visits %s groups in the mean of the whole run.", few(mean))
}
