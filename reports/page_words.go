package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"mbsim/metrics"
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

func extentWords(r *Run) string {
	_, last, ok := r.ends("extents_per_file_mean")
	if !ok {
		return "No file has a block."
	}
	return fmt.Sprintf("At the end a file is in %s extents in the mean, 99%% of the files are in at most %s, and the most fragmented is in %s.",
		few(last), few(r.final("extents_per_file_p99")), few(r.final("extents_per_file_max")))
}

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

func usedWords(r *Run) string {
	times, used, err := r.Result.Series.Points("used_share")
	if err != nil || len(used) == 0 {
		return "How full the device is was not sampled."
	}
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

func criteriaWords(r *Run) string {
	var hits [4]float64
	sum := 0.
	for i := range hits {
		hits[i] = r.final(fmt.Sprintf("mb_cr%d_hits", i))
		sum += hits[i]
	}
	if sum == 0 {
		return "No request needed a search: preallocations or the goal itself served all of them."
	}
	var parts []string
	for i, n := range hits {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s ended in criteria %d", share(n, sum), i))
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

func groupWords(r *Run) string {
	line := chartLine{per: "mb_reqs", over: considered}
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

// worst is where a rate is largest.
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

func preallocWords(r *Run) string {
	cluster, block := inClusters(r.Result), inBlocks(r.Result)
	made, used, back := r.final("mb_preallocated")*cluster, r.final("mb_pa_blocks_used")*block, r.final("mb_discarded")*cluster
	if made == 0 {
		return "Nothing was preallocated."
	}
	return fmt.Sprintf("%s were set aside; later requests used %s, and %s (%s) were given back unused.",
		amount(made, "bytes"), amount(used, "bytes"), amount(back, "bytes"), share(back, made))
}

func lostWords(r *Run) string {
	n := r.final("mb_lost")
	if n == 0 {
		return "No chunk was lost: no CPU took what another had found."
	}
	return fmt.Sprintf("%s taken by another CPU after the search and before the use: %s of all requests.",
		amount(n, "chunks")+was(n), share(n, r.final("mb_reqs")))
}

func was(n float64) string {
	if n == 1 {
		return " was"
	}
	return " were"
}

func bitmapWords(r *Run) string {
	n := r.final("mb_bitmap_loads")
	if n == 0 {
		return "No bitmap was read from the device."
	}
	return fmt.Sprintf("%s%s read, %s of them ahead; %s%s built, on a device of %s.", amount(n, "bitmaps"), was(n), commas(r.final("mb_prefetch_ios")),
		amount(r.final("mb_buddies_generated"), "buddies"), was(r.final("mb_buddies_generated")), amount(float64(r.Result.Groups), "groups"))
}

func windowWords(r *Run) string {
	made := r.final("rsv_windows_made")
	if made == 0 {
		return "No file was given a window."
	}
	return fmt.Sprintf("%s%s made, %s given back unused, and %s found no room.", amount(made, "windows"), was(made),
		commas(r.final("rsv_windows_discarded")), commas(r.final("rsv_windows_failed")))
}

func visitedWords(r *Run) string {
	line := chartLine{per: "rsv_reqs", over: []string{"rsv_groups_visited"}}
	mean, ok := line.final(r.Result)
	if !ok {
		return "There was no request for blocks."
	}
	return fmt.Sprintf("A request visits %s groups in the mean of the whole run.", few(mean))
}

func speedWords(r *Run) string {
	line := chartLine{per: "time_s", over: []string{"ops"}}
	mean, ok := line.final(r.Result)
	if !ok {
		return "No time has passed."
	}
	at, most := worst(r, &line)
	s := fmt.Sprintf("%s operations a second in the mean of the whole run", few(math.Round(mean*10)/10))
	if most > mean*1.05 {
		s += fmt.Sprintf("; around %s it was %s", r.when(at), few(math.Round(most*10)/10))
	}
	return s + "."
}

func waitWords(r *Run) string {
	type wait struct {
		what string
		s    float64
	}
	var all []wait
	sum := 0.
	for _, w := range waits {
		v := r.final("wait_" + w.name + "_s")
		sum += v
		if v > 0 {
			all = append(all, wait{w.what, v})
		}
	}
	if sum == 0 {
		return "No process had to wait for another, nor for the device."
	}
	slices.SortStableFunc(all, func(a, b wait) int { return compareFloats(b.s, a.s) })
	var parts []string
	for _, w := range all[:min(3, len(all))] {
		parts = append(parts, fmt.Sprintf("%s of it for %s", share(w.s, sum), w.what))
	}
	return fmt.Sprintf("Processes waited %s s in all, each on its own: %s.", few(sum), joinWords(parts))
}

func latencyWords(r *Run) string {
	var parts []string
	for _, w := range []struct{ name, what string }{{"fsync", "fsyncs"}, {"write", "writes"}, {"create", "creations"}, {"allocation", "allocations"}} {
		if name := "latency_" + w.name + "_p99_us"; has(r, name) {
			parts = append(parts, fmt.Sprintf("99%% of %s took at most %s", w.what, microseconds(r.final(name))))
		}
	}
	if len(parts) == 0 {
		return "No call was timed."
	}
	return "At the end " + joinWords(parts) + "."
}

// microseconds is a time as people read it.
func microseconds(v float64) string {
	switch {
	case v < 1e3:
		return few(v) + " µs"
	case v < 1e6:
		return few(v/1e3) + " ms"
	}
	return few(v/1e6) + " s"
}

func deviceWords(r *Run) string {
	busy, ok := (&chartLine{per: "time_s", over: []string{"device_busy_s"}}).final(r.Result)
	if !ok {
		return "No time has passed."
	}
	return fmt.Sprintf("The device was busy for %s of the time; %s were read from it and %s written to it.", share(busy, 1),
		amount(r.final("device_bytes_read"), "bytes"), amount(r.final("device_bytes_written"), "bytes"))
}

func mapWords(r *Run) string {
	m := r.Result.Map
	used := m.Used[len(m.Used)-1]
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

// extentSizeWords finds the median of blocks: half of the data lies in extents at
// least as long.
func extentSizeWords(r *Run) string {
	s := r.Result.Snapshots[len(r.Result.Snapshots)-1]
	all := int64(0)
	for _, b := range s.ExtentsBySize {
		all += b.Sum
	}
	if all == 0 {
		return "At the end no file has a block."
	}
	from := len(s.ExtentsBySize) - 1
	for sum := s.ExtentsBySize[from].Sum; sum*2 < all; sum += s.ExtentsBySize[from].Sum {
		from--
	}
	size := math.Pow(2, float64(from)) * inBlocks(r.Result)
	return fmt.Sprintf("At the end at least half of the data of files lies in extents of %s or more.", amount(size, "bytes"))
}

// compareWords compares what a line comes to in several runs.
func compareWords(l *chartLine, unit string, runs []*Run, names []string) string {
	var parts []string
	first := math.NaN()
	for i, r := range runs {
		v, ok := l.final(r.Result)
		if !ok {
			parts = append(parts, names[i]+" has none")
			continue
		}
		s := names[i] + " " + amount(v, unit)
		if i == 0 {
			first = v
		} else if !math.IsNaN(first) {
			s += " (" + relative(first, v, unit) + ")"
		}
		parts = append(parts, s)
	}
	return fmt.Sprintf("At the end, %s: %s.", l.subject, strings.Join(parts, ", "))
}

// relative is the change from a to b: +4.2%, of shares +1.3 points.
func relative(a, b float64, unit string) string {
	sign := "+"
	if b < a {
		sign = "−"
	}
	points := math.Abs(b-a) * 100
	switch {
	case a == b:
		return "the same"
	case unit == "share" && points < 0.01:
		return sign + "<0.01 pp"
	case unit == "share":
		return sign + decimals(points, 2) + " pp"
	case a == 0:
		return "from 0"
	}
	p := points / math.Abs(a)
	switch {
	case p < 0.1:
		return sign + "<0.1%"
	case p >= 1000:
		return sign + few(math.Round(p/10)*10) + "%"
	}
	return sign + decimals(p, 1) + "%"
}

// phaseWords name the phases, where there are several.
func phaseWords(r *Run) string {
	if len(r.Result.Phases) < 2 {
		return ""
	}
	var parts []string
	for _, p := range r.Result.Phases {
		s := fmt.Sprintf("%s from %s", p.Name, r.when(p.Start))
		if p.Measured {
			s += " (measured)"
		}
		parts = append(parts, s)
	}
	return "Dashed lines are where phases begin: " + joinWords(parts) + "."
}
