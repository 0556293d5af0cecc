package metrics

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mbsim/allocator/mballoc"
	"mbsim/allocator/reservation"
)

func TestRegistryIsComplete(t *testing.T) {
	name := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	for _, m := range List() {
		switch {
		case !name.MatchString(m.Name):
			t.Errorf("name %q", m.Name)
		case m.Unit == "" || m.Group == "" || m.Source == "":
			t.Errorf("%s: unit %q, group %q, source %q", m.Name, m.Unit, m.Group, m.Source)
		case !strings.HasSuffix(m.Doc, ".") || strings.Contains(strings.TrimSuffix(m.Doc, "."), ". "):
			t.Errorf("%s: the doc is not one sentence: %q", m.Name, m.Doc)
		case m.Kind == Ratio != (len(m.per) > 0):
			t.Errorf("%s: kind %s, divided by %v", m.Name, m.Kind, m.per)
		}
	}
	for _, name := range headlines {
		if id, err := Find(name); err != nil || !At(id).Headline {
			t.Errorf("headline %s: %v", name, err)
		}
	}
	n := 0
	for _, h := range Headings() {
		n += len(h.Metrics)
	}
	if n != len(registry) {
		t.Errorf("the headings have %d metrics, the registry %d", n, len(registry))
	}
}

func TestFind(t *testing.T) {
	if id, err := Find("mb_reqs"); err != nil || At(id).Name != "mb_reqs" {
		t.Errorf("%v, %v", id, err)
	}
	_, err := Find("layout_scor")
	if err == nil || err.Error() != `unknown metric "layout_scor" (did you mean "layout_score"?)` {
		t.Error(err)
	}
}

// Every counter that a policy has must come out under one name: each is set to a
// number of its own, and all numbers must be found, but for those of the counters that
// are named as zero in every run, which must not. Of an array only the first elements, as
// many as rungs says, stand for something.
func checkCounters(t *testing.T, stats reflect.Value, rungs int, count func() []float64, zero ...string) {
	t.Helper()
	fields := map[float64]string{}
	next := uint64(1000)
	set := func(f reflect.Value, name string) {
		next++
		f.SetUint(next)
		fields[float64(next)] = name
	}
	for i := range stats.NumField() {
		f, name := stats.Field(i), stats.Type().Field(i).Name
		if f.Kind() == reflect.Array {
			for k := range min(f.Len(), rungs) {
				set(f.Index(k), fmt.Sprintf("%s[%d]", name, k))
			}
			continue
		}
		set(f, name)
	}
	shown := map[string]bool{}
	for _, v := range count() {
		if _, ok := fields[v]; !ok && !slices.Contains(sums(stats), v) {
			t.Errorf("a metric is %v, which no counter is", v)
		}
		shown[fields[v]] = true
	}
	for _, name := range fields {
		if is, want := shown[name], !slices.Contains(zero, name); is != want {
			t.Errorf("%s: a metric shows it: %v, want %v", name, is, want)
		}
	}
}

// sums are the sums over the counters' arrays.
func sums(stats reflect.Value) (all []float64) {
	for i := range stats.NumField() {
		if f := stats.Field(i); f.Kind() == reflect.Array {
			sum := 0.
			for k := range f.Len() {
				sum += float64(f.Index(k).Uint())
			}
			all = append(all, sum)
		}
	}
	return all
}

func TestEveryMballocCounterIsAMetric(t *testing.T) {
	for _, k := range mballoc.Kernels() {
		var s mballoc.Stats
		// Only kernels that take groups from lists take some in vain, with the rungs that do.
		var zero []string
		for i, r := range k.Ladder {
			if r.Lists == mballoc.NoLists || !k.Counters.BadSuggestions {
				zero = append(zero, fmt.Sprintf("BadSuggestions[%d]", i))
			}
		}
		checkCounters(t, reflect.ValueOf(&s).Elem(), len(k.Ladder), func() (v []float64) {
			for i := range mballocTable {
				if n := mballocTable[i].count(&k, &s); !math.IsNaN(n) { // the ladder has this rung
					v = append(v, n)
				}
			}
			return v
		}, zero...)
	}
}

func TestEveryReservationCounterIsAMetric(t *testing.T) {
	var s reservation.Stats
	checkCounters(t, reflect.ValueOf(&s).Elem(), math.MaxInt, func() (v []float64) {
		for i := range reservationTable {
			v = append(v, float64(reservationTable[i].get(&s)))
		}
		return v
	}, "SystemZone", "HitsAtEnd[0]") // images with metadata marked free are refused; no window is gone without a hit
}

func TestRatiosAndPhases(t *testing.T) {
	row := func(reqs, success, used float64) Row {
		r := NewRow()
		r[must("mb_reqs")], r[must("mb_success")], r[must("used_share")] = reqs, success, used
		r.computeRatios()
		return r
	}
	share := must("mb_success_share")
	from, to := row(100, 50, 0.1), row(110, 58, 0.3)
	if from[share] != 0.5 {
		t.Errorf("share %v", from[share])
	}
	d := to.Since(from)
	if d[must("mb_reqs")] != 10 || d[share] != 0.8 || d[must("used_share")] != 0.3 {
		t.Errorf("in the phase %v requests, share %v, used %v", d[must("mb_reqs")], d[share], d[must("used_share")])
	}
	sum := d.plus(row(30, 4, 0.2))
	if sum[must("mb_reqs")] != 40 || sum[share] != 0.3 || sum[must("used_share")] != 0.2 {
		t.Errorf("in both %v requests, share %v, used %v", sum[must("mb_reqs")], sum[share], sum[must("used_share")])
	}
	if none := from.Since(from); !math.IsNaN(none[share]) {
		t.Errorf("share of no request is %v", none[share])
	}
	if from.Has(must("mb_pa_hit_share")) {
		t.Error("a ratio of an absent metric has a value")
	}
}
