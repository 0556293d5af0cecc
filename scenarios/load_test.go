package scenarios

import (
	"errors"
	"fmt"
	"os"
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

// A scenario of many short values is refused before it is read, and a long script that
// stands in one is not.
func TestTooManyValues(t *testing.T) {
	const many = maxValues + 1
	for text, want := range map[string]string{
		strings.Repeat("- a\n", many):                     fmt.Sprintf("in.yaml:%d:1: more than 500000 keys and values: too many for a scenario", many),
		"a: [" + strings.Repeat("a,", many) + "a]\n":      "in.yaml:1:1: more than 500000 keys and values: too many for a scenario",
		strings.Repeat("a: 1\n", many):                    fmt.Sprintf("in.yaml:%d:1: more than 500000 keys and values: too many for a scenario", many),
		strings.Repeat("- - ? - a\n", many/4+1):           fmt.Sprintf("in.yaml:%d:1: more than 500000 keys and values: too many for a scenario", many/4+1),
		strings.Repeat("[", many):                         "in.yaml:1:1: more than 500000 keys and values: too many for a scenario",
		strings.Repeat("?\n", many):                       fmt.Sprintf("in.yaml:%d:1: more than 500000 keys and values: too many for a scenario", many),
		"# " + strings.Repeat("a-b:c ?d ", many) + "\n[]": "in.yaml:2:1: want a scenario (a mapping), found a list",
	} {
		if _, err := Parse([]byte(text), "in.yaml", Options{}); err == nil || err.Error() != want {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
	text := "device: {mkfs: {size: 64M}}\nworkload:\n  script: |\n" + strings.Repeat("    sync\n", many)
	if s, err := Parse([]byte(text), "in.yaml", Options{}); err != nil || len(s.Workload.Script.Ops) != many {
		t.Errorf("a script of %d lines: %v", many, err)
	}
}

// TestFolderIsNoScenario: where a folder has the name of a scenario that comes with mbsim, as
// kernels has in mbsim's own source, the scenario is meant.
func TestFolderIsNoScenario(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"kernels", "nothing"} {
		if err := os.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := Load("kernels", Options{}); err != nil || s.Name != "kernels" {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := Load("nothing", Options{}); err == nil || !strings.Contains(err.Error(), "nothing: a folder, not a scenario") {
		t.Errorf("%v", err)
	}
}
