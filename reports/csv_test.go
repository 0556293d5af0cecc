package reports

import (
	"io"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSeconds(t *testing.T) {
	for ns, want := range map[int64]string{0: "0", 1: "0.000000001", 1e9: "1", 1500e6: "1.5", -250e6: "-0.25", math.MaxInt64: "9223372036.854775807"} {
		if got := seconds(ns); got != want {
			t.Errorf("%d ns is %s s, want %s", ns, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		ns := rapid.Int64Range(math.MinInt64+1, math.MaxInt64).Draw(t, "ns")
		if back, err := nanoseconds(seconds(ns)); err != nil || back != ns {
			t.Fatalf("%d ns came back as %d (%v)", ns, back, err)
		}
	})
	for _, s := range []string{"", "x", "1.", "1.0000000001", ".5", "--1", "1e3", "99999999999"} {
		if ns, err := nanoseconds(s); err == nil && s != "1." {
			t.Errorf("%q was read as %d", s, ns)
		}
	}
}

func TestReadersRefuse(t *testing.T) {
	series := func(r io.Reader) error { _, err := readSeries(r); return err }
	blocks := func(r io.Reader) error { _, err := readBlockMap(r); return err }
	results := func(r io.Reader) error { _, err := readResults(r); return err }
	manifest := func(r io.Reader) error { return new(Manifest).read(r) }
	for _, c := range []struct {
		read func(io.Reader) error
		in   string
		want string
	}{
		{series, "", "1:1: empty"},
		{series, "time,mb_reqs\n", `1:1: "time": want time_s`},
		{series, "time_s,mb_req\n", `1:8: unknown metric "mb_req" (did you mean "mb_reqs"?)`},
		{series, "time_s,mb_reqs\n1,x\n", `2:3: "x": want a number`},
		{series, "time_s,mb_reqs\n1,NaN\n", `2:3: "NaN": want a number`},
		{series, "time_s,mb_reqs\nx,1\n", `2:1: "x": want a time in seconds`},
		{series, "time_s,mb_reqs\n1,1\n1,2\n", `3:1: the time 1 does not come after the one before`},
		{series, "time_s,mb_reqs\n1,1,1\n", `2:1: wrong number of fields`},
		{series, "time_s,\"mb_reqs\n", `1:17: extraneous or missing " in quoted-field`},
		{blocks, "group\n", "1:1: want first_group,groups and times"},
		{blocks, "first_group,groups,0,x\n", `1:22: "x": want a time in seconds`},
		{blocks, "first_group,groups,0\n1,1,0\n", "2:1: groups 1, 1 of them: want bands of equal length, one after the other"},
		{blocks, "first_group,groups,0\n0,2,0\n2,3,0\n", "3:1: groups 2, 3 of them: want bands of equal length, one after the other"},
		{blocks, "first_group,groups,0\n0,2,a\n", `2:5: "a": want a number`},
		{blocks, "first_group,groups,0\n", "2:1: no group"},
		{blocks, "first_group,groups,0\n0,2,0\n2,1,0\n3,2,0\n", "4:1: groups 3, 2 of them: want bands of equal length, one after the other"},
		{results, "{", "unexpected end of JSON input"},
		{results, `{"schema": 2}`, "schema 2: this mbsim reads 1"},
		{results, `{"schema": 1}`, "scenario is missing"},
		{manifest, `{"schema": 0}`, "schema 0: this mbsim reads 1"},
		{manifest, `{"schema": 1}`, "version is missing"},
		{series, "time_s,mb_reqs\n1,-1\n", "2:3: mb_reqs is -1: want a number of 0 to 2^64"},
		{series, "time_s,mb_reqs,mb_reqs\n1,1,1\n", "1:16: mb_reqs is there twice"},
		{blocks, "first_group,groups,0\n0,2,1.5\n", "2:5: 1.5: want a share of 0 to 1"},
	} {
		err := c.read(strings.NewReader(c.in))
		if err == nil || err.Error() != c.want {
			t.Errorf("%.60q:\n got %v\nwant %s", c.in, err, c.want)
		}
	}
}

// Whatever is read, nothing panics.
func FuzzReaders(f *testing.F) {
	f.Add("time_s,mb_reqs\n1,1\n2,\n")
	f.Add("first_group,groups,0,1.5\n0,2,0.5,1\n2,1,0,0\n")
	f.Add(`{"schema":1,"metrics":{"mb_reqs":{"value":1,"measured":2}},"snapshots":[{"free":{"by_blocks":[[1,1]]}}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := readResults(strings.NewReader(s)); err == nil && r.Final == nil {
			t.Error("no final row")
		}
		if m, err := readBlockMap(strings.NewReader(s)); err == nil {
			if err := WriteBlockMap(io.Discard, m); err != nil {
				t.Error(err)
			}
		}
		if _, err := readSeries(strings.NewReader(s)); err == nil {
			return
		}
	})
}
