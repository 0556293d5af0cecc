package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"mbsim/internal/memory"
)

func TestMain(m *testing.M) {
	if os.Getenv(mainEnv) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"mbsim": main})
}

// TestSessions runs the sessions in testdata: what a user types, and what comes
// back.
func TestSessions(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("ROOT", root)
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "below12G" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return memory.Check("a device of 8P", 12<<30) != nil, nil
		},
		UpdateScripts: os.Getenv("UPDATE") != "",
	})
}

// TestReadmeScenario loads the scenario that README.md shows.
func TestReadmeScenario(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```yaml\n")
	yaml, _, ok2 := strings.Cut(rest, "```")
	if !ok || !ok2 {
		t.Fatal("README.md shows no scenario")
	}
	name := filepath.Join(t.TempDir(), "readme.yaml")
	if err := os.WriteFile(name, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := new(runFlags).load(name); err != nil {
		t.Error(err)
	}
}
