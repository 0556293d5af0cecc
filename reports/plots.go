package reports

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg/draw"

	"mbsim/metrics"
)

// Plot is a picture of a run.
type Plot struct {
	Name    string // of its file, without its ending
	Title   string
	Caption string // one plain sentence that says what to look for
	draw    func(pic *picture, c draw.Canvas, r *Run) error
	run     *Run
}

// Write writes the picture.
func (p *Plot) Write(w io.Writer, s Size, form FileFormat) error {
	pic := newPicture(s, form)
	if err := p.draw(pic, pic.heading(p.Title, subtitle(p.run)), p.run); err != nil {
		return err
	}
	// What made the run goes into the file's metadata, behind title and caption.
	settings := append([]Setting{{"Title", p.Title}, {"Description", p.Caption}}, p.run.Manifest.settings()...)
	return pic.write(w, settings)
}

// subtitle names the run and its phases.
func subtitle(r *Run) string {
	s := fmt.Sprintf("%s, seed %d", r.Manifest.Scenario, r.Manifest.Seed)
	if r.Manifest.Scenario == "" {
		s = fmt.Sprintf("seed %d", r.Manifest.Seed)
	}
	// A single phase needs no name.
	if len(r.Result.Phases) < 2 {
		return s
	}
	// Times are given in the unit of the time axis.
	unit, ns := timeUnit(r.Result.End - r.Result.Start)
	var names []string
	for _, p := range r.Result.Phases {
		at := float64(p.Start-r.Result.Start) / ns
		names = append(names, fmt.Sprintf("%s from %s %s", p.Name, decimals(at, digitsFor(at)), unit))
	}
	return s + " (" + strings.Join(names, ", ") + ")"
}

// digitsFor is how many decimals show v to about three digits.
func digitsFor(v float64) int {
	if v == 0 || v == math.Trunc(v) {
		return 0
	}
	return min(max(2-int(math.Floor(math.Log10(math.Abs(v)))), 0), 3)
}

// Plots are the pictures of a run: those that apply to its policy.
func Plots(r *Run) []*Plot {
	all := []*Plot{
		{Name: "fragmentation", Title: "How fragmented files are over time",
			Caption: "Fewer extents a file and scores nearer 100% mean that files lie in longer runs.", draw: drawFragmentation},
		{Name: "free-extents", Title: "Free space by the size of its pieces, at the start and at the end",
			Caption: "The further right the free space lies, the longer the runs that files can still get.", draw: drawFreeExtents},
		{Name: "block-map", Title: "How full each block group is over time",
			Caption: "Each row is a group of the device; dark is full.", draw: drawBlockMap},
		{Name: "criteria", Title: "How searches for blocks ended, and how many groups they looked at",
			Caption: "Searches that end in a later criteria found nothing that fits well, and cost more groups.", draw: drawCriteria},
		{Name: "preallocation", Title: "Space preallocated, used and given back, and chunks lost to other CPUs",
			Caption: "What is given back was set aside in vain.", draw: drawPreallocation},
		{Name: "bitmaps", Title: "Block bitmaps read from the device and buddies built",
			Caption: "Each bitmap read costs a wait for the device, unless it was read ahead.", draw: drawBitmaps},
		{Name: "latency", Title: "How long calls take over time",
			Caption: "99% of the calls in each interval took at most so long; peaks are stalls.", draw: drawLatency},
		{Name: "throughput", Title: "Operations and bytes written a second over time",
			Caption: "What falls while the load stays is slowed by the file system.", draw: drawThroughput},
		{Name: "windows", Title: "Reservation windows of files, and groups searched",
			Caption: "Windows given back unused kept others away from free space for nothing.", draw: drawWindows},
	}
	// Leave out what the run's policy does not have, and what was not sampled.
	mballoc, windows := has(r, "mb_reqs"), has(r, "rsv_reqs")
	all = slices.DeleteFunc(all, func(p *Plot) bool {
		switch p.Name {
		case "free-extents":
			return len(r.Result.Snapshots) == 0 || r.Result.Snapshots[0].Free.Total == 0
		case "block-map":
			return r.Result.Map == nil || len(r.Result.Map.Times) == 0
		case "criteria", "preallocation", "bitmaps":
			return !mballoc
		case "latency", "throughput":
			return !has(r, "time_s")
		case "windows":
			return !windows
		}
		return false
	})
	for _, p := range all {
		p.run = r
	}
	return all
}

// has says whether the run has a value for the metric.
func has(r *Run, name string) bool {
	_, err := r.Result.Value(name)
	return err == nil
}

// clock is the time axis of a run.
type clock struct {
	start  int64
	ns     float64 // nanoseconds in a unit of the axis
	x0, x1 float64
	label  string
	marks  []float64 // where phases begin
}

func clockOf(r *metrics.Result) clock {
	unit, ns := timeUnit(r.End - r.Start)
	c := clock{start: r.Start, ns: ns, x1: float64(r.End-r.Start) / ns, label: "simulated time (" + unit + ")"}
	// A run in which no time passes still needs an axis.
	if c.x1 == 0 {
		c.x1 = 1
	}
	// The first phase begins with the axis, so that it has no mark.
	for _, p := range r.Phases {
		if x := c.at(p.Start); x > c.x0 && x < c.x1 {
			c.marks = append(c.marks, x)
		}
	}
	return c
}

// at is the place of time t, in nanoseconds, on the axis.
func (c *clock) at(t int64) float64 { return float64(t-c.start) / c.ns }

// curve is a metric over time, times scale.
func (c *clock) curve(s *metrics.Series, label, name string, scale float64) (curve, error) {
	times, y, err := s.Points(name)
	if err != nil {
		return curve{}, err
	}
	out := curve{name: label}
	for i := range times {
		out.x = append(out.x, c.at(times[i]))
		out.y = append(out.y, y[i]*scale)
	}
	return out, nil
}

// curves are pairs of label and metric.
func (c *clock) curves(s *metrics.Series, scale float64, pairs ...string) ([]curve, error) {
	var out []curve
	for ; len(pairs) > 0; pairs = pairs[2:] {
		one, err := c.curve(s, pairs[0], pairs[1], scale)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// rateWindows is the number of values of a rate's curve.
const rateWindows = 60

// rate is how much the metrics over grow while the metric per grows by one, in windows of
// equally many rows.
func (c *clock) rate(s *metrics.Series, label, per string, over ...string) (curve, error) {
	out := curve{name: label}
	// Look up the names.
	den, err := metrics.Find(per)
	if err != nil {
		return out, err
	}
	nums := make([]metrics.ID, len(over))
	for i, name := range over {
		if nums[i], err = metrics.Find(name); err != nil {
			return out, err
		}
	}
	// sum adds the metrics over in a row.
	sum := func(r metrics.Row) (v float64) {
		for _, id := range nums {
			v += r[id]
		}
		return v
	}
	// The number of rows in a window is rounded up. A window in which per does not grow has no
	// rate.
	n := len(s.Rows)
	step := max(1, (n-1+rateWindows-1)/rateWindows)
	for i := 0; i+1 < n; i += step {
		j := min(i+step, n-1)
		a, b := s.Rows[i], s.Rows[j]
		// A last window that is cut short says nothing of a rate: the load has ended in it.
		if i > 0 && j-i < step {
			break
		}
		if d := b[den] - a[den]; d > 0 {
			out.x = append(out.x, (c.at(s.Times[i])+c.at(s.Times[j]))/2)
			out.y = append(out.y, (sum(b)-sum(a))/d)
		}
	}
	return out, nil
}

// drawFragmentation draws the number of extents of files, and their layout scores.
func drawFragmentation(pic *picture, c draw.Canvas, r *Run) error {
	k := clockOf(r.Result)
	extents, err := k.curves(r.Result.Series, 1, "mean", "extents_per_file_mean", "90% of files have at most", "extents_per_file_p90",
		"99% of files have at most", "extents_per_file_p99")
	if err != nil {
		return err
	}
	scores, err := k.curves(r.Result.Series, 1, "of all blocks", "layout_score", "mean of files", "layout_score_mean",
		"dynamic: files read in order of path", "dynamic_layout_score")
	if err != nil {
		return err
	}
	pic.stack(c, []*panel{
		{curves: extents, label: "extents a file", empty: "no file has a block yet"},
		{curves: scores, label: "layout score", share: true, empty: "no file has two blocks yet"},
	}, &k)
	return nil
}

// criteriaOf lists the criteria that the run's kernel has.
func criteriaOf(r *Run) []metrics.Criterion {
	return slices.DeleteFunc(metrics.Criteria(), func(c metrics.Criterion) bool { return !has(r, c.Hits) })
}

// drawCriteria draws in which criteria searches ended, and how many groups requests looked at.
func drawCriteria(pic *picture, c draw.Canvas, r *Run) error {
	k := clockOf(r.Result)
	var labels []string // a curve's name, then its metric
	for _, c := range criteriaOf(r) {
		labels = append(labels, c.Label, c.Hits)
	}
	hits, err := k.curves(r.Result.Series, 1, labels...)
	if err != nil {
		return err
	}
	// The cost of searching: groups for each request.
	scanned, err := k.rate(r.Result.Series, "scanned", "mb_reqs", "mb_groups_scanned")
	if err != nil {
		return err
	}
	looked, err := k.rate(r.Result.Series, "considered, in all criteria", "mb_reqs", "mb_groups_considered")
	if err != nil {
		return err
	}
	pic.stack(c, []*panel{
		{curves: hits, label: "searches so far", integer: true, fromZero: true, noLog: true, empty: "no request needed a search: all were served from preallocations"},
		{curves: []curve{scanned, looked}, label: "groups a request", fromZero: true, empty: "no group was searched"},
	}, &k)
	return nil
}

// drawPreallocation draws what became of preallocated space, and chunks lost to other CPUs.
func drawPreallocation(pic *picture, c draw.Canvas, r *Run) error {
	k := clockOf(r.Result)
	res := r.Result
	cluster := float64(res.BlockSize * res.ClusterBlocks)
	// The unit is the one in which the largest value is a number below 1024.
	top := 0.
	for _, v := range []struct {
		name string
		size float64
	}{{"mb_preallocated", cluster}, {"mb_discarded", cluster}, {"mb_pa_blocks_used", float64(res.BlockSize)}} {
		n, err := res.Value(v.name)
		if err != nil {
			return err
		}
		top = max(top, n*v.size)
	}
	scaled, prefix := binaryScale(top)
	unit := 1.
	if scaled > 0 {
		unit = scaled / top
	}
	// Preallocations are counted in clusters, what is used of them in blocks: convert both.
	space, err := k.curves(res.Series, cluster*unit, "set aside", "mb_preallocated", "given back unused", "mb_discarded")
	if err != nil {
		return err
	}
	used, err := k.curve(res.Series, "used by later requests", "mb_pa_blocks_used", float64(res.BlockSize)*unit)
	if err != nil {
		return err
	}
	name := "bytes"
	if prefix != "" {
		name = prefix + "iB"
	}
	lost, err := k.curve(res.Series, "", "mb_lost", 1)
	if err != nil {
		return err
	}
	pic.stack(c, []*panel{
		{curves: []curve{space[0], used, space[1]}, label: name + " so far", fromZero: true, noLog: true, empty: "nothing was preallocated"},
		{curves: []curve{lost}, label: "chunks lost so far", integer: true, fromZero: true, noLog: true, empty: "no chunk was lost: no CPU took what another had found"},
	}, &k)
	return nil
}

// drawWindows draws ext2's reservation windows, and how many groups requests searched.
func drawWindows(pic *picture, c draw.Canvas, r *Run) error {
	k := clockOf(r.Result)
	windows, err := k.curves(r.Result.Series, 1, "made", "rsv_windows_made", "of these twice the last", "rsv_windows_doubled",
		"given back", "rsv_windows_discarded", "no room found", "rsv_windows_failed")
	if err != nil {
		return err
	}
	visited, err := k.rate(r.Result.Series, "", "rsv_reqs", "rsv_groups_visited")
	if err != nil {
		return err
	}
	pic.stack(c, []*panel{
		{curves: windows, label: "windows so far", integer: true, fromZero: true, noLog: true, empty: "no file was given a window"},
		{curves: []curve{visited}, label: "groups a request", fromZero: true, empty: "no group was searched"},
	}, &k)
	return nil
}

// drawBitmaps draws how many bitmaps were read and how many buddies were built.
func drawBitmaps(pic *picture, c draw.Canvas, r *Run) error {
	k := clockOf(r.Result)
	all, err := k.curves(r.Result.Series, 1, "bitmaps read", "mb_bitmap_loads", "of these read ahead (prefetch IOs)", "mb_prefetch_ios", "buddies built", "mb_buddies_generated")
	if err != nil {
		return err
	}
	pic.stack(c, []*panel{{curves: all, label: "groups so far", integer: true, fromZero: true, noLog: true, empty: "no bitmap was read"}}, &k)
	return nil
}
