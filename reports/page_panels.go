package reports

import (
	"math"

	"mbsim/metrics"
)

// chart is one plot over time on the page. Where the page has one run it shows
// all lines; with several, one line of each run.
type chart struct {
	id, title string
	label     string // of the y axis, with its unit
	scale     scaleKind
	lines     []chartLine
	group     string // of metrics, one of which a run must have
	words     func(*Run) string
}

// scaleKind is what the values of a chart are.
type scaleKind string

const (
	plainScale scaleKind = "plain"
	shareScale scaleKind = "share" // of 1
	bytesScale scaleKind = "bytes"
)

// chartLine is one line of a chart: a metric over time, multiplied by factor; or, where per is
// set, a rate: how much the metrics over grow while the metric per grows by one.
type chartLine struct {
	name    string
	subject string // of a sentence that compares runs
	metric  string
	off     bool                          // hidden until asked for, beside the other lines of a run
	factor  func(*metrics.Result) float64 // nil for 1
	over    []string
	per     string
}

// inClusters converts clusters to bytes.
func inClusters(r *metrics.Result) float64 { return float64(r.BlockSize * r.ClusterBlocks) }

// inBlocks converts blocks to bytes.
func inBlocks(r *metrics.Result) float64 { return float64(r.BlockSize) }

// charts are those of the page, in its order.
var charts = []chart{
	{id: "extents", title: "How many extents files are in", label: "extents a file", group: "extents_per_file_mean", words: extentWords, lines: []chartLine{
		{name: "mean", subject: "extents a file in the mean", metric: "extents_per_file_mean"},
		{name: "90% of files have at most", subject: "extents that 90% of the files do not exceed", metric: "extents_per_file_p90"},
		{name: "99% of files have at most", subject: "extents that 99% of the files do not exceed", metric: "extents_per_file_p99"},
		{name: "most", subject: "extents of the most fragmented file", metric: "extents_per_file_max", off: true}}},
	{id: "layout", title: "How contiguous files lie", label: "layout score", scale: shareScale, group: "layout_score", words: layoutWords, lines: []chartLine{
		{name: "of all blocks", subject: "layout score of all blocks", metric: "layout_score"},
		{name: "mean of files", subject: "mean of the files' layout scores", metric: "layout_score_mean"},
		{name: "files read in order of path", subject: "layout score of all files read in order of path", metric: "dynamic_layout_score"}}},
	{id: "used", title: "How full the device is", label: "blocks in use", scale: shareScale, group: "used_share", words: usedWords, lines: []chartLine{
		{name: "in use", subject: "share of the device in use", metric: "used_share"}}},
	{id: "pieces", title: "How many pieces the free space is in", label: "pieces", group: "free_extents", words: pieceWords, lines: []chartLine{
		{name: "pieces of free space", subject: "pieces of free space", metric: "free_extents"}}},
	{id: "criteria", title: "How searches for blocks ended", label: "searches so far", group: "mb_reqs", words: criteriaWords, lines: criteriaLines()},
	{id: "groups", title: "How many groups a request looks at", label: "groups a request", group: "mb_reqs", words: groupWords, lines: []chartLine{
		{name: "considered, in all criteria", subject: "groups considered a request, in the mean of the whole run", per: "mb_reqs", over: []string{"mb_groups_considered"}},
		{name: "scanned", subject: "groups scanned a request, in the mean of the whole run", per: "mb_reqs", over: []string{"mb_groups_scanned"}}}},
	{id: "prealloc", title: "Space preallocated, used and given back", label: "space so far", scale: bytesScale, group: "mb_preallocated", words: preallocWords, lines: []chartLine{
		{name: "set aside", subject: "space set aside", metric: "mb_preallocated", factor: inClusters},
		{name: "used by later requests", subject: "preallocated space that later requests used", metric: "mb_pa_blocks_used", factor: inBlocks},
		{name: "given back unused", subject: "preallocated space given back unused", metric: "mb_discarded", factor: inClusters}}},
	{id: "lost", title: "Chunks lost to other CPUs", label: "chunks so far", group: "mb_lost", words: lostWords, lines: []chartLine{
		{name: "chunks lost", subject: "chunks lost", metric: "mb_lost"}}},
	{id: "bitmaps", title: "Block bitmaps read and buddies built", label: "groups so far", group: "mb_bitmap_loads", words: bitmapWords, lines: []chartLine{
		{name: "bitmaps read", subject: "bitmaps read", metric: "mb_bitmap_loads"},
		{name: "of these read ahead (prefetch IOs)", subject: "bitmaps read ahead", metric: "mb_prefetch_ios"},
		{name: "buddies built", subject: "buddies built", metric: "mb_buddies_generated"}}},
	{id: "windows", title: "Reservation windows of files", label: "windows so far", group: "rsv_reqs", words: windowWords, lines: []chartLine{
		{name: "made", subject: "windows made", metric: "rsv_windows_made"},
		{name: "of these twice the last", subject: "windows twice as long as the last", metric: "rsv_windows_doubled"},
		{name: "given back", subject: "windows given back unused", metric: "rsv_windows_discarded"},
		{name: "no room found", subject: "windows that found no room", metric: "rsv_windows_failed"}}},
	{id: "visited", title: "How many groups a request visits", label: "groups a request", group: "rsv_reqs", words: visitedWords, lines: []chartLine{
		{name: "visited", subject: "groups visited a request, in the mean of the whole run", per: "rsv_reqs", over: []string{"rsv_groups_visited"}}}},
	{id: "speed", title: "How many operations a second", label: "operations a second", group: "time_s", words: speedWords, lines: []chartLine{
		{name: "operations", subject: "operations a second, in the mean of the whole run", per: "time_s", over: []string{"ops"}}}},
	{id: "waits", title: "What processes waited for", label: "seconds so far, of all", group: "time_s", words: waitWords, lines: waitLines()},
	{id: "latency", title: "How long the slowest calls took", label: "µs, since the point before", group: "time_s", words: latencyWords, lines: []chartLine{
		{name: "99% of fsyncs", subject: "µs that 99% of fsyncs do not exceed", metric: "latency_fsync_p99_us"},
		{name: "99% of writes", subject: "µs that 99% of writes do not exceed", metric: "latency_write_p99_us"},
		{name: "99% of creations", subject: "µs that 99% of creations do not exceed", metric: "latency_create_p99_us"},
		{name: "99% of allocations", subject: "µs that 99% of allocations do not exceed", metric: "latency_allocation_p99_us"}}},
	{id: "device", title: "How busy the device is", label: "of the time", scale: shareScale, group: "time_s", words: deviceWords, lines: []chartLine{
		{name: "busy", subject: "share of the time in which the device was busy", per: "time_s", over: []string{"device_busy_s"}}}},
}

// waits are what processes wait for in runs in which work takes time.
var waits = []struct{ name, what string }{
	{"io", "data to or from the device"}, {"commit", "a commit"}, {"bitmap", "a block bitmap"}, {"group_lock", "a group's lock"},
	{"inode_lock", "an inode's lock"}, {"locality_group", "a locality group"}, {"stream_lock", "the stream goal's lock"},
}

func waitLines() (lines []chartLine) {
	for _, w := range waits {
		lines = append(lines, chartLine{name: w.what, subject: "seconds that processes waited for " + w.what, metric: "wait_" + w.name + "_s"})
	}
	return lines
}

// criteriaLines are a line for each criterion.
func criteriaLines() (lines []chartLine) {
	for _, c := range metrics.Criteria() {
		lines = append(lines, chartLine{name: c.Label, subject: "searches that ended in " + c.Label, metric: c.Hits})
	}
	return lines
}

// unit is that of the chart's values, as the registry names units; "" for plain numbers.
func (c *chart) unit() string {
	return map[scaleKind]string{shareScale: "share", bytesScale: "bytes"}[c.scale]
}

// applies says whether any of the runs has what the chart shows.
func (c *chart) applies(runs []*Run) bool {
	for _, r := range runs {
		if has(r, c.group) {
			return true
		}
	}
	return false
}

// points returns the line of a run: times in nanoseconds since its start, and values.
func (l *chartLine) points(r *metrics.Result) (times []float64, values []float64, err error) {
	if l.per != "" {
		return l.rate(r)
	}
	at, values, err := r.Series.Points(l.metric)
	if err != nil {
		return nil, nil, err
	}
	// A metric as it is, in the unit of the axis.
	factor := 1.
	if l.factor != nil {
		factor = l.factor(r)
	}
	for i := range at {
		times = append(times, float64(at[i]-r.Start))
		values[i] *= factor
	}
	return times, values, nil
}

// pageWindows is the largest number of values of a rate's line.
const pageWindows = 100

// rate computes the line of a rate. Time is cut into windows in which per grows by at least a
// hundredth of what it grows in the whole run. What is left at the end is added to the last
// window, since a rate over a few requests says nothing.
func (l *chartLine) rate(r *metrics.Result) (times []float64, values []float64, err error) {
	// Look up the names: per first, then those of over.
	ids := make([]metrics.ID, 0, len(l.over)+1)
	for _, name := range append([]string{l.per}, l.over...) {
		id, err := metrics.Find(name)
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, id)
	}
	// One row is no window, and a run without requests has no rate.
	rows, at := r.Series.Rows, r.Series.Times
	if len(rows) < 2 || !rows[0].Has(ids[0]) {
		return nil, nil, nil
	}
	// grown is how much per, and the metrics over together, grow from row i to row j.
	grown := func(i, j int) (per, over float64) {
		for _, id := range ids[1:] {
			over += rows[j][id] - rows[i][id]
		}
		return rows[j][ids[0]] - rows[i][ids[0]], over
	}
	last := len(rows) - 1
	all, _ := grown(0, last)
	// The least growth of per in a window.
	least := all / pageWindows
	// Lengthen the window until per has grown enough in it.
	for i := 0; i < last; {
		j := i + 1
		for j < last {
			if per, _ := grown(i, j); per >= least {
				break
			}
			j++
		}
		// Too little would be left for another window: take it in.
		if rest, _ := grown(j, last); rest < least {
			j = last
		}
		// The point stands in the middle of the window.
		if per, over := grown(i, j); per > 0 && !math.IsNaN(over) {
			times = append(times, float64(at[i]-r.Start)/2+float64(at[j]-r.Start)/2)
			values = append(values, over/per)
		}
		i = j
	}
	return times, values, nil
}

// final returns what the line comes to over the whole run, and whether it has a value.
func (l *chartLine) final(r *metrics.Result) (float64, bool) {
	if l.per != "" {
		// The rate of the whole run is that of the sums.
		sum := 0.
		for _, name := range l.over {
			// A missing metric has the value 0 here, and is reported as missing.
			v, err := r.Value(name)
			if err != nil {
				return 0, false
			}
			sum += v
		}
		n, err := r.Value(l.per)
		return sum / n, err == nil && n > 0
	}
	v, err := r.Value(l.metric)
	if l.factor != nil {
		v *= l.factor(r)
	}
	return v, err == nil
}

// flat says whether the chart would show nothing but zeros, or nothing.
func (c *chart) flat(runs []*Run) bool {
	for _, r := range runs {
		for i := range c.lines {
			_, values, err := c.lines[i].points(r.Result)
			// A line that cannot be drawn shows nothing either.
			if err != nil {
				continue
			}
			for _, v := range values {
				if v != 0 {
					return false
				}
			}
		}
	}
	return true
}
