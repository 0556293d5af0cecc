package compare

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"mbsim/kernels"
	"mbsim/reports"
	"mbsim/study"
	"mbsim/study/bisect"
)

// found is what a study comes to in which a metric is 2, times a factor for each change that a
// profile has, with some luck of the draw for each replication.
func found(t *testing.T, from, to, metric string, reps int, factors map[string]float64) *bisect.Finding {
	t.Helper()
	b, err := bisect.New(from, to)
	if err != nil {
		t.Fatal(err)
	}
	r := &study.Result{Scenario: "made", Seed: 1, Replications: reps, Baseline: bisect.SettingOf(from), Metric: metric}
	for _, p := range b.Profiles() {
		set := kernels.ParseProfile(p).Set()
		s := study.SettingResult{Name: bisect.SettingOf(p)}
		for i := range reps {
			v := 2.0
			for name, factor := range factors {
				if set[name] {
					// The luck of a replication is the same for all profiles, but for the part of each change.
					v *= factor + 0.001*math.Sin(float64(i+len(name)))*(factor-1)
				}
			}
			s.Runs = append(s.Runs, study.RunResult{Replication: i, Metrics: map[string]float64{metric: v + 0.01*math.Sin(float64(i))}})
		}
		r.Settings = append(r.Settings, s)
	}
	f, err := b.Find(r, metric)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestBisectSentence: what is found is said in one plain sentence.
func TestBisectSentence(t *testing.T) {
	const metric = "extents_per_file_mean"
	for _, c := range []struct {
		reps    int
		factors map[string]float64
		want    string
	}{
		{5, nil, "No difference: extents_per_file_mean is the same under 6.1 and 6.12 in all of 5 repetitions."},
		{5, map[string]float64{"best-avail-len": 0.69}, "which is better; all of it is best-avail-len."},
		{5, map[string]float64{"best-avail-len": 0.69, "skip-short-runs": 0.95}, "; most of it, -31%, is best-avail-len, and then skip-short-runs (-3.4%)."},
		{5, map[string]float64{"best-avail-len": 0.8, "skip-short-runs": 0.8, "prealloc-tree": 0.8}, "; the largest part, -20%, is prealloc-tree, and then best-avail-len (-16%) and skip-short-runs (-13%)."},
		{5, map[string]float64{"best-avail-len": 0.5, "skip-short-runs": 1.5}, "; best-avail-len alone makes -50%; the other way goes skip-short-runs (+25%)."},
		{5, map[string]float64{"best-avail-len": 1.3}, "which is worse; all of it is best-avail-len."},
		{1, map[string]float64{"best-avail-len": 0.69}, "which 1 repetition cannot tell from chance; all of it is best-avail-len."},
	} {
		got := BisectSentence(found(t, "6.1", "6.12", metric, c.reps, c.factors))
		if !strings.HasSuffix(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("%v: %s\nwant %s", c.factors, got, c.want)
		}
	}
	// Two changes that cancel are told of, though the kernels do not differ.
	got := BisectSentence(found(t, "6.1", "6.12", metric, 5, map[string]float64{"best-avail-len": 0.5, "skip-short-runs": 2}))
	if !strings.HasPrefix(got, "No difference") || !strings.Contains(got, "; on the way there is a difference with ") {
		t.Error(got)
	}
}

// TestBisectTable: the table has a row for each change that does anything, and says what went
// along with it; what does nothing is only named.
func TestBisectTable(t *testing.T) {
	f := found(t, "6.1", "6.12", "extents_per_file_mean", 5, map[string]float64{"best-avail-len": 0.69})
	var b bytes.Buffer
	if err := WriteBisect(&b, f, false, 0); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"made: extents_per_file_mean under 6.1 and 6.12, 5 replications of ", "best-avail-len 6.5 -30.96", "put into 6.1", "in 6.12", "on the way",
		"Nothing changes in any run with: ", "best-avail-len is put into 6.1 together with named-criteria, as it needs that.",
		"named-criteria is taken out of 6.12 together with best-avail-len, as that needs it.",
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	// Steps of the way add up to the whole.
	sum := 0.0
	for _, e := range f.Effects {
		sum += e.Way.Difference.Value
	}
	if math.Abs(sum-f.Total.Difference.Value) > 1e-9 {
		t.Errorf("the steps come to %v, the whole to %v", sum, f.Total.Difference.Value)
	}
}

// TestBisectJSON: the object names profiles, and has no null where a list is expected.
func TestBisectJSON(t *testing.T) {
	f := found(t, "6.12", "6.18", "layout_score", 3, map[string]float64{"stream-goals": 0.2})
	var b bytes.Buffer
	if err := WriteBisectJSON(&b, f); err != nil {
		t.Fatal(err)
	}
	var out jsonBisect
	if err := json.Unmarshal(b.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "null") || len(out.Changes) != len(f.Steps) || out.Total.Without != "6.12" || out.Total.Profile != "6.18" {
		t.Error(b.String())
	}
}

// TestBisectPicture: the same finding makes the same picture.
func TestBisectPicture(t *testing.T) {
	f := found(t, "5.10", "7.2", "extents_per_file_mean", 5, map[string]float64{"order-lists": 1.2, "best-avail-len": 0.69, "stream-goals": 0.9})
	var first bytes.Buffer
	for range 2 {
		var b bytes.Buffer
		file := reports.BisectPicture(BisectPicture(f), reports.Paper, reports.PNG)
		if err := file.Write(&b); err != nil {
			t.Fatal(err)
		}
		if first.Len() > 0 && !bytes.Equal(first.Bytes(), b.Bytes()) {
			t.Error("another picture")
		}
		first = b
	}
}
