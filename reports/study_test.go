package reports

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sampleStudy is a study of one key with ten values, or of two keys.
func sampleStudy(keys int) *Study {
	s := &Study{
		Name: "small-files by order", Question: "Which order serves small files best?", Command: []string{"mbsim", "sweep", "small-files", "--set", "s_mb_order2_reqs=0..9", "--reps", "5"},
		Keys: []string{"s_mb_order2_reqs", "s_mb_stream_request"}[:keys], Baseline: 2, Confidence: 0.95,
		Metrics: []string{"extents_per_file_mean", "one_extent_share", "free_extents", "mb_groups_considered_per_req", "mb_reqs", "file_bytes"},
		Notes:   []string{"Intervals are of 95% over 5 replications, differences paired by replication, p adjusted by Holm."},
	}
	second := []string{"16", "64", "256"}
	if keys == 1 {
		second = second[:1]
	}
	for order := range 10 {
		for k, stream := range second {
			x := StudySetting{Values: []string{fmt.Sprint(order), stream}[:keys], Runs: 5}
			x.Name = "s_mb_order2_reqs=" + x.Values[0]
			if keys == 2 {
				x.Name += ",s_mb_stream_request=" + stream
			}
			for m := range s.Metrics {
				mean := []float64{1.1, 0.94, 7000, 0.7, 50000, 445e6}[m]
				step := mean * 0.03 * math.Sin(float64(order+m)) * float64(m+1) / 3
				if m >= 4 {
					step = 0
				}
				mean += step + float64(k)*step/3
				if m == 1 {
					mean = min(mean, 0.999)
				}
				e := Estimate{Mean: mean, Low: mean * 0.99, High: mean * 1.01}
				if len(s.Settings) != s.Baseline {
					e.Delta = &Delta{Mean: step, Low: step - 0.01*mean, High: step + 0.01*mean, P: 0.01, Evident: math.Abs(step) > 0.01*mean}
				}
				x.Results = append(x.Results, e)
			}
			s.Settings = append(s.Settings, x)
		}
	}
	return s
}

func TestStudyEffects(t *testing.T) {
	s := &Study{Name: "s", Keys: []string{"a", "b"}, Metrics: []string{"extents_per_file_mean"}, Confidence: 0.95}
	for i, mean := range []float64{1, 2, 3, 6} {
		x := StudySetting{Name: fmt.Sprint("setting ", i), Values: []string{fmt.Sprint(i / 2), fmt.Sprint(i % 2)}, Runs: 3, Results: []Estimate{{Mean: mean, Low: mean, High: mean}}}
		if i > 0 {
			x.Results[0].Delta = &Delta{Mean: mean - 1, Low: 0, High: 9, P: 0.2, Evident: i == 3}
		}
		s.Settings = append(s.Settings, x)
	}
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(s.effects(0)), "[{a false [{0 1.5 1 2 2} {1 4.5 3 6 2}]} {b false [{0 2 1 3 2} {1 4 2 6 2}]}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	const want = "Of the keys, a moves extents_per_file_mean most: it goes from 1.5 extents/file at a=0 to 4.5 extents/file at 1." +
		" Best in the mean is setting 0 with 1 extents/file. 1 of 3 settings differ from setting 0 with evidence."
	if got := s.words(0); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	cell := func(i int) studyCell { return s.table().Rows[i].Cells[0] }
	if c := cell(1); c.Word != "~" || c.Change != "+100.0%" || c.Title != "difference +1, 95% interval +0 to +9, p 0.2" {
		t.Errorf("%+v", c)
	}
	if c := cell(3); c.Word != "worse" || cell(0).Word != "" {
		t.Errorf("%+v %+v", c, cell(0))
	}
	s.Settings[2].Results[0].Mean = math.NaN()
	if got := fmt.Sprint(s.effects(0)[0]); got != "{a false [{0 1.5 1 2 2} {1 6 6 6 1}]}" {
		t.Error(got)
	}
	for i := range s.Settings {
		s.Settings[i].Results[0].Mean = 1
	}
	if got := s.words(0); !strings.HasPrefix(got, "No setting changes extents_per_file_mean. 1 of 3") {
		t.Error(got)
	}
}

// With one key the plots have intervals, and the paired difference beside them;
// with two they have neither.
func TestStudyShows(t *testing.T) {
	s := sampleStudy(1)
	shown := s.shown(0)
	if len(shown) != 2 || shown[0].Difference || !shown[1].Difference || len(shown[1].Levels) != 10 {
		t.Fatalf("%+v", shown)
	}
	r, l := &s.Settings[4].Results[0], shown[0].Levels[4]
	if l.Mean != r.Mean || l.Low != r.Low || l.High != r.High {
		t.Errorf("%+v, want %+v", l, r)
	}
	if l := shown[1].Levels[4]; l.Mean != r.Delta.Mean || l.Low != r.Delta.Low || l.High != r.Delta.High {
		t.Errorf("%+v, want %+v", l, r.Delta)
	}
	if l := shown[1].Levels[s.Baseline]; l.Mean != 0 || l.Low != 0 || l.High != 0 {
		t.Errorf("the baseline differs from itself: %+v", l)
	}
	s.Settings[4].Results[0].Delta = nil
	if got := s.shown(0); len(got) != 1 {
		t.Errorf("without a difference: %+v", got)
	}
	if two := sampleStudy(2).shown(0); len(two) != 2 || two[1].Difference {
		t.Errorf("of two keys: %+v", two)
	}

	wide, long := sampleStudy(2).table().Heat, sampleStudy(1)
	long.Settings = long.Settings[:4]
	if wide.Columns[0] != "extents_per_file_mean" || len(wide.Rows) != 30 || wide.Rows[1].Name != "0 · 64" {
		t.Errorf("%v %v", wide.Columns, wide.Rows[1])
	}
	if h := long.table().Heat; h.Columns[3] != "3" || len(h.Rows) != 6 || h.Rows[5].Name != "file_bytes" || h.Rows[1].Cells[3].Short() != "−1.42 pp" || h.Rows[1].Cells[2].Short() != "–" {
		t.Errorf("%v %v", h.Columns, h.Rows)
	}
}

func TestStudyIsChecked(t *testing.T) {
	for what, spoil := range map[string]func(*Study){
		"unknown metric":                      func(s *Study) { s.Metrics[0] = "extents" },
		"10 settings, 6 metrics, baseline 10": func(s *Study) { s.Baseline = 10 },
		"1 values and 5 results":              func(s *Study) { s.Settings[3].Results = s.Settings[3].Results[:5] },
		"0 settings":                          func(s *Study) { s.Settings, s.Baseline = nil, 0 },
	} {
		s := sampleStudy(1)
		spoil(s)
		err := (&Page{Study: s}).Write(new(strings.Builder))
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := (&Page{}).Write(new(strings.Builder)); err == nil {
		t.Error("a page of nothing is written")
	}
	if page := pageOf(t, &Page{Study: sampleStudy(2)}); !strings.Contains(page, "mbsim sweep small-files") || strings.Contains(page, "Over simulated time") {
		t.Error("the page of a study alone")
	}
}

// The pictures of studies are of the right size, nothing touches their edges, and
// they are the same each time.
func TestStudyPictures(t *testing.T) {
	many := sampleStudy(2)
	for i := range many.Settings {
		many.Settings[i].Values[0] = strings.Repeat("a long value ", 1+i)
	}
	one := sampleStudy(1)
	one.Settings = one.Settings[:1]
	one.Baseline = 0
	variants := sampleStudy(1)
	variants.Keys = nil
	for i := range variants.Settings {
		variants.Settings[i].Values = nil
	}
	for name, s := range map[string]*Study{"one key": sampleStudy(1), "two keys": sampleStudy(2), "many": many, "one setting": one, "variants": variants} {
		for _, size := range []Size{Paper, Slide} {
			if name != "two keys" && (size == Slide || testing.Short()) {
				continue // pictures take their time
			}
			files, err := StudyPictures(s, size, PNG)
			if err != nil || len(files) == 0 {
				t.Fatalf("%s: %d pictures, %v", name, len(files), err)
			}
			for _, f := range files {
				var a, b bytes.Buffer
				if err := errors.Join(f.Write(&a), f.Write(&b)); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(a.Bytes(), b.Bytes()) {
					t.Errorf("%s: %s: two pictures differ", name, f.Name)
				}
				img, err := png.Decode(&a)
				if err != nil {
					t.Fatal(err)
				}
				checkPicture(t, name+" "+f.Name, img, size)
				if dir := os.Getenv("PICTURES"); dir != "" {
					if err := os.WriteFile(filepath.Join(dir, name+"-"+f.Name), b.Bytes(), 0o666); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	if _, err := StudyPictures(&Study{}, Paper, PNG); err == nil {
		t.Error("pictures of nothing")
	}
}
