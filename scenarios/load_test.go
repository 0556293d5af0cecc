package scenarios

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

var testMetrics = []string{"extents_per_file_mean", "files", "mb_lost"}

// parseTest reads a scenario as the file in.yaml of this folder.
func parseTest(text string, sets ...string) (*Scenario, error) {
	return Parse([]byte(text), "in.yaml", Options{Sets: sets, Metrics: testMetrics})
}

// oneError reports what makes err no error of a user in one line.
func oneError(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return "no error\n"
	}
	var e *Error
	if !errors.As(err, &e) || strings.Contains(err.Error(), "\n") {
		t.Errorf("not one line of type *Error: %#v", err)
	}
	return err.Error() + "\n"
}

func TestErrors(t *testing.T) {
	datadriven.RunTest(t, "testdata/errors", func(t *testing.T, d *datadriven.TestData) string {
		_, err := parseTest(d.Input)
		return oneError(t, err)
	})
}
