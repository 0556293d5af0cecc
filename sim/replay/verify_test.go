package replay

import (
	"os"
	"path/filepath"
	"testing"
)

// TestOracle compares with all recordings of the oracle, where it is at hand.
func TestOracle(t *testing.T) {
	dirs, _ := filepath.Glob("../../../shared/oracle/cases/*/5.10")
	if more := os.Getenv("CASES"); more != "" {
		dirs, _ = filepath.Glob(more)
	}
	if len(dirs) == 0 {
		t.Skip("the oracle is not here")
	}
	for _, d := range dirs {
		dir := filepath.Dir(d)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			v, err := Verify(dir, "5.10")
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("files %v groups %v counters %v operations %v requests %v", v.Files, v.Groups, v.Counters, v.Results, v.Requests)
			if !v.Identical {
				t.Error(v.Difference)
			}
		})
	}
}
