package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/scenarios"
)

// TestInit: each scenario to begin with is written with the schema beside it, is valid, says which
// question it answers, and runs. Nothing is written over.
func TestInit(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range starterNames {
		var stdout, stderr bytes.Buffer
		if code := execute([]string{"init", name}, &stdout, &stderr); code != exitOK || stdout.String() != name+".yaml\n" {
			t.Fatalf("init %s: exit code %d: %s%s", name, code, &stdout, &stderr)
		}
		text, err := os.ReadFile(name + ".yaml")
		if err != nil || !strings.HasPrefix(string(text), schemaLine) || strings.Count(string(text), "#") < 2 {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		s, err := scenarios.Load(name+".yaml", scenarios.Options{Metrics: metricNames()})
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.HasSuffix(s.Question, "?") {
			t.Errorf("%s: the question is %q", name, s.Question)
		}
		// A short part of it, as the whole takes seconds.
		run := []string{"run", name + ".yaml", "-q", "--no-plots", "--set", "stop.operations=300", "--set", "expect=[]"}
		if code := execute(run, &stdout, &stderr); code != exitOK {
			t.Errorf("%s: exit code %d: %s", name, code, &stderr)
		}
		if code := execute([]string{"init", name}, &stdout, &stderr); code != exitUsage {
			t.Errorf("init %s again: exit code %d", name, code)
		}
		if after, err := os.ReadFile(name + ".yaml"); err != nil || !bytes.Equal(after, text) {
			t.Errorf("%s was written over", name)
		}
	}
	schema, err := os.ReadFile(schemaFile)
	if err != nil || string(schema) != mbsim(t, "schema") {
		t.Errorf("the schema beside the scenarios is not what schema prints: %v", err)
	}
	var stdout, stderr bytes.Buffer
	if code := execute([]string{"init", "-o", filepath.Join("none", "x.yaml")}, &stdout, &stderr); code == exitOK {
		t.Error("a folder that is not there was written into")
	}
	if code := execute([]string{"init", "mial"}, &stdout, &stderr); code != exitUsage {
		t.Errorf("init mial: exit code %d", code)
	}
}
