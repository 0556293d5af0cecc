package metrics

import (
	"math"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name string
		v    float64
		want string
	}{
		{"mb_reqs", 0, ""},
		{"file_bytes", 1 << 62, ""},
		{"mb_req", 0, `unknown metric "mb_req" (did you mean "mb_reqs"?)`},
		{"mb_reqs", -1, "mb_reqs is -1: want a number of 0 to 2^64"},
		{"mb_reqs", 1e300, "mb_reqs is 1e+300: want a number of 0 to 2^64"},
		{"mb_reqs", math.NaN(), "mb_reqs is NaN: want a number of 0 to 2^64"},
		{"mb_reqs", math.Inf(1), "mb_reqs is +Inf: want a number of 0 to 2^64"},
	} {
		if err := Check(c.name, c.v); c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%s %v: %v", c.name, c.v, err)
		}
	}
}
