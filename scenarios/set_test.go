package scenarios

import (
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

func TestSets(t *testing.T) {
	raw := mustRead(t, "testdata/base.yaml")
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	base, err := parseTest(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	datadriven.RunTest(t, "testdata/sets", func(t *testing.T, d *datadriven.TestData) string {
		s, err := parseTest(string(raw), strings.Split(d.Input, "\n")...)
		if err != nil {
			return strings.ReplaceAll(oneError(t, err), dir, "DIR")
		}
		if s.Digest() == base.Digest() {
			t.Errorf("%s: the digest did not change", d.Input)
		}
		return strings.ReplaceAll(diff(string(base.Resolved()), string(s.Resolved())), dir, "DIR")
	})
}

// diff is the lines that only a has and those that only b has, by the longest
// common subsequence.
func diff(a, b string) string {
	x, y := strings.SplitAfter(a, "\n"), strings.SplitAfter(b, "\n")
	common := make([][]int, len(x)+1)
	for i := range common {
		common[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out strings.Builder
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			i, j = i+1, j+1
		case j == len(y) || i < len(x) && common[i+1][j] >= common[i][j+1]:
			out.WriteString("-" + x[i])
			i++
		default:
			out.WriteString("+" + y[j])
			j++
		}
	}
	return out.String()
}
