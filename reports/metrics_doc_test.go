package reports

import (
	"bytes"
	"os"
	"testing"

	"mbsim/metrics"
)

// docs/METRICS.md is made from the registry: -rewrite makes it anew.
func TestMetricsDoc(t *testing.T) {
	const path = "../docs/METRICS.md"
	var b bytes.Buffer
	if err := WriteMetricsDoc(&b); err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(was, b.Bytes()) {
		t.Errorf("%s is not that of the registry: go test ./reports -run MetricsDoc -rewrite makes it anew", path)
	}
	for _, m := range metrics.List() {
		if !bytes.Contains(was, []byte("`"+m.Name+"`")) {
			t.Errorf("%s lacks %s", path, m.Name)
		}
	}
}
