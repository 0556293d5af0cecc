package metrics

import (
	"fmt"
	"math"
	"slices"

	"mbsim/internal/nearest"
)

// Better is the direction in which a metric improves.
type Better uint8

// The directions.
const (
	Neither Better = iota // it describes the load, or is good or bad by context; every counter: it follows how much was done
	Lower
	Higher
)

var betterNames = [...]string{"neither", "lower", "higher"}

// String is the direction as results.json has it.
func (b Better) String() string { return betterNames[b] }

// Kind is how a metric behaves over time.
type Kind uint8

// The kinds.
const (
	Counter Kind = iota // counts up from the start of the run
	Gauge               // a state
	Ratio               // computed from other metrics
	Span                // of what happened in a stretch of time: the run, its measured phases, a phase, or since the last point of a curve
)

var kindNames = [...]string{"counter", "gauge", "ratio", "span"}

// String is the kind as results.json has it.
func (k Kind) String() string { return kindNames[k] }

// Metric is an entry of the registry.
type Metric struct {
	Name   string
	Unit   string // "share" is of 1
	Better Better
	Kind   Kind
	Group  string // heading in tables
	Source string // the kernel's field, the paper or the tool that the figure is from
	Doc    string // one sentence
	// Expensive says that the figure needs the whole tree or every bitmap, and
	// so is taken at fewer moments.
	Expensive bool
	// Headline metrics are those a summary shows.
	Headline bool

	// A Ratio is the sum of the metrics over divided by that of the metrics per.
	over, per []string
}

// ID is a metric's place in the registry. It may differ from version to version:
// store names.
type ID int

// registry holds all metrics in the order of tables, from the tables of
// registry.go and its neighbours.
var (
	registry = build()
	byName   = index(registry)
	quotient = resolve(registry, byName)
)

func index(all []Metric) map[string]ID {
	ids := make(map[string]ID, len(all))
	for i := range all {
		if _, twice := ids[all[i].Name]; twice {
			panic("metrics: " + all[i].Name + " is registered twice")
		}
		ids[all[i].Name] = ID(i)
	}
	return ids
}

// terms are the metrics whose sums a Ratio divides.
type terms struct {
	id        ID
	over, per []ID
}

func resolve(all []Metric, ids map[string]ID) []terms {
	var out []terms
	look := func(names []string) (t []ID) {
		for _, n := range names {
			id, ok := ids[n]
			if !ok {
				panic("metrics: a ratio of unknown " + n)
			}
			t = append(t, id)
		}
		return t
	}
	for i := range all {
		if all[i].Kind == Ratio {
			out = append(out, terms{ID(i), look(all[i].over), look(all[i].per)})
		}
	}
	return out
}

// List is the registry in the order of tables.
func List() []Metric { return append([]Metric(nil), registry...) }

// Find is the place of the metric of this name. The error names the nearest one.
func Find(name string) (ID, error) {
	if id, ok := byName[name]; ok {
		return id, nil
	}
	names := make([]string, len(registry))
	for i := range registry {
		names[i] = registry[i].Name
	}
	best, _ := nearest.Of(name, names)
	return 0, fmt.Errorf("unknown metric %q (did you mean %q?)", name, best)
}

// At describes the metric at id.
func At(id ID) Metric { return registry[id] }

// Heading is a group of metrics in a table.
type Heading struct {
	Name    string
	Metrics []ID
}

// Headings are the groups of the registry with their metrics, in the order of
// tables.
func Headings() []Heading {
	var out []Heading
	for id := range registry {
		i := slices.IndexFunc(out, func(h Heading) bool { return h.Name == registry[id].Group })
		if i < 0 {
			i = len(out)
			out = append(out, Heading{Name: registry[id].Group})
		}
		out[i].Metrics = append(out[i].Metrics, ID(id))
	}
	return out
}

// must is Find for names written in this package.
func must(name string) ID {
	id, err := Find(name)
	if err != nil {
		panic(err)
	}
	return id
}

// Row holds a value for every metric of the registry, NaN where it is absent.
type Row []float64

// NewRow is a row with nothing in it.
func NewRow() Row {
	r := make(Row, len(registry))
	for i := range r {
		r[i] = math.NaN()
	}
	return r
}

// Has reports whether the row holds a value for id.
func (r Row) Has(id ID) bool { return !math.IsNaN(r[id]) }

// Since is the row of a phase that began with start and ended with r.
func (r Row) Since(start Row) Row {
	d := append(Row(nil), r...)
	for id := range registry {
		if registry[id].Kind == Counter && start.Has(ID(id)) {
			d[id] -= start[id]
		}
	}
	d.computeRatios()
	return d
}

// plus adds the counters of a phase to those of the phases before it, and takes
// its gauges.
func (r Row) plus(phase Row) Row {
	d := append(Row(nil), phase...)
	for id := range registry {
		if registry[id].Kind == Counter && r.Has(ID(id)) {
			d[id] += r[id]
		}
	}
	d.computeRatios()
	return d
}

// computeRatios fills the metrics that are computed from others. What is divided
// by nothing is absent.
func (r Row) computeRatios() {
	for i := range quotient {
		q := &quotient[i]
		if r[q.id] = math.NaN(); r.sum(q.per) != 0 {
			r[q.id] = r.sum(q.over) / r.sum(q.per)
		}
	}
}

// sum is NaN where one of the metrics is absent.
func (r Row) sum(ids []ID) (s float64) {
	for _, id := range ids {
		s += r[id]
	}
	return s
}
