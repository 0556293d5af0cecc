package reports

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"mbsim/metrics"
)

// The objects of the page's data, which its script reads. Times are seconds since
// the start of the run.
type (
	dataPage struct {
		Unit   dataUnit    `json:"unit"`
		Runs   []dataRun   `json:"runs"`
		Charts []dataChart `json:"charts"`
		Study  *dataStudy  `json:"study,omitempty"`
	}
	// dataUnit is that of time axes.
	dataUnit struct {
		Name    string  `json:"name"`
		Seconds float64 `json:"seconds"`
	}
	dataRun struct {
		Name      string                 `json:"name"`
		End       float64                `json:"end"`
		BlockSize int64                  `json:"block_size"`
		Groups    int                    `json:"groups"`
		Phases    []dataPhase            `json:"phases"`
		Times     column                 `json:"times"`
		Series    map[string]*column     `json:"series"`
		Final     map[string]json.Number `json:"final"`
		Map       *dataMap               `json:"map,omitempty"`
		Snapshots []dataSnapshot         `json:"snapshots"`
	}
	dataPhase struct {
		Name     string  `json:"name"`
		Start    float64 `json:"start"`
		Measured bool    `json:"measured"`
	}
	// dataMap has a byte a band and time in base64, time after time: the share
	// of 250 in use.
	dataMap struct {
		PerBand int    `json:"per_band"`
		Bands   int    `json:"bands"`
		Times   column `json:"times"`
		Used    string `json:"used"`
	}
	dataSnapshot struct {
		Time   float64    `json:"t"`
		Free   [][2]int64 `json:"free"`
		Files  [][2]int64 `json:"files"`
		Pieces [][2]int64 `json:"pieces"`
	}
	dataChart struct {
		ID    string       `json:"id"`
		Label string       `json:"label"`
		Scale scaleKind    `json:"scale"`
		Lines []dataLine   `json:"lines"`
		Runs  [][]dataRate `json:"rates,omitempty"` // a run each, of lines that are rates
	}
	dataLine struct {
		Name   string    `json:"name"`
		Metric string    `json:"metric,omitempty"`
		Factor []float64 `json:"factor,omitempty"` // a run each
		Whole  bool      `json:"whole,omitempty"`  // counts things
		Off    bool      `json:"off,omitempty"`
		Words  string    `json:"words,omitempty"` // of several runs
	}
	dataRate struct {
		X column `json:"x"`
		Y column `json:"y"`
	}
)

// column is a list of numbers: to six digits, or whole ones, which are written as
// differences. Where some rows have none Rows tells which do.
type column struct {
	Rows   []int         `json:"i,omitempty"` // as differences
	Deltas []json.Number `json:"d,omitempty"`
	Values []json.Number `json:"v,omitempty"`
}

// columnOf packs numbers. NaN means that a row has none.
func columnOf(values []float64) *column {
	c := &column{}
	// Whole numbers are written as differences, which are short, if all of them can be. Above
	// 2^52 a float64 is not exact enough to add the differences up again.
	whole, n := true, 0
	for _, v := range values {
		if !math.IsNaN(v) {
			n++
			whole = whole && v == math.Trunc(v) && math.Abs(v) < 1<<52
		}
	}
	// Where every row has a value its places need not be told.
	before, row := 0., 0
	for i, v := range values {
		if math.IsNaN(v) {
			continue
		}
		if n < len(values) {
			c.Rows = append(c.Rows, i-row)
			row = i
		}
		if whole {
			c.Deltas = append(c.Deltas, json.Number(strconv.FormatFloat(v-before, 'f', 0, 64)))
			before = v
		} else {
			c.Values = append(c.Values, sixDigits(v))
		}
	}
	return c
}

// sixDigits is a number to six digits; zero where it is not finite.
func sixDigits(v float64) json.Number {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "0"
	}
	return json.Number(strconv.FormatFloat(v, 'g', 6, 64))
}

// moments are times as seconds since start, to the microsecond, or to the
// nanosecond in a run of less than a second.
func moments(times []int64, start, end int64) column {
	// A short run needs more digits to tell its samples apart.
	digits := 6
	if end-start < 1e9 {
		digits = 9
	}
	var c column
	for _, t := range times {
		c.Values = append(c.Values, json.Number(strconv.FormatFloat(float64(t-start)/1e9, 'f', digits, 64)))
	}
	return c
}

// dataOf is the data of the whole page.
func (p *Page) dataOf() (*dataPage, error) {
	d := &dataPage{}
	span := int64(0)
	// The runs, and with them the unit of time axes: that of the longest run.
	for i, r := range p.Runs {
		one, err := dataOfRun(r, p.name(i))
		if err != nil {
			return nil, err
		}
		d.Runs = append(d.Runs, *one)
		span = max(span, r.Result.End-r.Result.Start)
	}
	unit, ns := timeUnit(span)
	d.Unit = dataUnit{unit, ns / 1e9}
	// The charts that show something; the page's text has a sentence for the others.
	for i := range charts {
		c := &charts[i]
		if !c.applies(p.Runs) || c.flat(p.Runs) {
			continue
		}
		one, err := c.data(p)
		if err != nil {
			return nil, err
		}
		d.Charts = append(d.Charts, *one)
	}
	if p.Study != nil {
		d.Study = p.Study.data()
	}
	return d, nil
}

// dataOfRun packs one run.
func dataOfRun(r *Run, name string) (*dataRun, error) {
	res := r.Result
	// From nanoseconds of the clock to seconds since the run's start.
	seconds := func(t int64) float64 { return float64(t-res.Start) / 1e9 }
	d := &dataRun{
		Name: name, End: seconds(res.End), BlockSize: res.BlockSize, Groups: res.Groups,
		Times: moments(res.Series.Times, res.Start, res.End), Series: make(map[string]*column), Final: make(map[string]json.Number),
	}
	// Each metric over time.
	for _, id := range res.Series.Columns() {
		values := make([]float64, len(res.Series.Rows))
		for i, row := range res.Series.Rows {
			values[i] = row[id]
		}
		d.Series[metrics.At(id).Name] = columnOf(values)
	}
	// The final values, those of the measured phases where there are any.
	row := lastRow(r)
	for id, m := range metrics.List() {
		if row.Has(metrics.ID(id)) && !math.IsInf(row[id], 0) {
			d.Final[m.Name] = json.Number(number(row[id]))
		}
	}
	// Phases, block map and histograms.
	for _, p := range res.Phases {
		d.Phases = append(d.Phases, dataPhase{p.Name, seconds(p.Start), p.Measured})
	}
	if m := res.Map; m != nil && len(m.Times) > 0 {
		d.Map = &dataMap{PerBand: m.PerBand, Bands: m.Bands(), Times: moments(m.Times, res.Start, res.End), Used: mapBytes(m)}
	}
	for _, s := range res.Snapshots {
		d.Snapshots = append(d.Snapshots, dataSnapshot{seconds(s.Time), pairs(&s.Free.Sizes), pairs(&s.FilesByExtents), pairs(&s.ExtentsBySize)})
	}
	return d, nil
}

// mapBytes packs the shares of a block map as dataMap has them. They are rounded as in
// blockmap.csv first, so that a page of a stored run is that of the run itself.
func mapBytes(m *metrics.BlockMap) string {
	var b []byte
	for _, used := range m.Used {
		for _, u := range used {
			b = append(b, byte(math.Round(min(max(fourPlaces(u), 0), 1)*250)))
		}
	}
	return base64.StdEncoding.EncodeToString(b)
}

// data is what the script needs to draw the chart.
func (c *chart) data(p *Page) (*dataChart, error) {
	runs := p.Runs
	d := &dataChart{ID: c.id, Label: c.label, Scale: c.scale}
	rates := make([][]dataRate, len(runs))
	for i := range c.lines {
		l := &c.lines[i]
		// What no run has, as the criteria of other kernels, would only fill the legend.
		if l.metric != "" && !slices.ContainsFunc(runs, func(r *Run) bool { return has(r, l.metric) }) {
			continue
		}
		// The line by itself, and what it comes to in each run.
		line := dataLine{Name: l.name, Metric: l.metric, Off: l.off}
		if len(runs) > 1 {
			line.Words = compareWords(l, c.unit(), runs, p.names())
		}
		// A rate has no metric of its own, so that Find may fail.
		if id, err := metrics.Find(l.metric); err == nil {
			line.Whole = metrics.At(id).Kind == metrics.Counter
		}
		// Factors and rates differ from run to run. The script can scale a metric, but rates are
		// computed here.
		for k, r := range runs {
			if l.factor != nil {
				line.Factor = append(line.Factor, l.factor(r.Result))
			}
			if l.per == "" {
				continue
			}
			var rate dataRate
			if has(r, l.per) {
				x, y, err := l.points(r.Result)
				if err != nil {
					return nil, err
				}
				for j := range x {
					rate.X.Values = append(rate.X.Values, sixDigits(x[j]/1e9))
					rate.Y.Values = append(rate.Y.Values, sixDigits(y[j]))
				}
			}
			rates[k] = append(rates[k], rate)
			d.Runs = rates
		}
		d.Lines = append(d.Lines, line)
	}
	return d, nil
}
