package main

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"

	"mbsim/internal/shell"
	"mbsim/reports"
	"mbsim/scenarios"
)

// anotherRun refuses to write over the results of a run of another scenario, or of the same with
// other settings, which nobody asked to lose. A run that would give the same replaces its results.
func anotherRun(dir string, s *scenarios.Scenario) error {
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return nil // there is none, or the writing itself will tell what is wrong
	}
	// What is no manifest belongs to no run; Write refuses folders of other things.
	var m reports.Manifest
	if json.Unmarshal(text, &m) != nil || m.ScenarioDigest == "" || m.ScenarioDigest == s.Digest() {
		return nil
	}
	return usagef("%s holds the results of another run (%s): give another folder with -o, or --force to write over them", dir, shell.Line(m.Command))
}

// folderOf is the output folder of a run for which none is given: the scenario's name, and behind it
// what --set, --kernel and --seed have changed, so that runs with other settings lie beside it.
func folderOf(name string, sets []string) string {
	for _, set := range sets {
		// The end of a dotted path tells most of it.
		key, value, _ := strings.Cut(set, "=")
		name += "," + key[strings.LastIndex(key, ".")+1:] + "=" + value
	}
	// Only what every file system and shell takes; what is too long ends in a hash of the rest.
	name = strings.Map(func(c rune) rune {
		if c < 0x80 && strings.ContainsRune("-_.,=+^", c) || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return '_'
	}, name)
	if len(name) > longestFolder {
		h := fnv.New32a()
		_, _ = h.Write([]byte(strings.Join(sets, "\n"))) // a hash never fails
		name = fmt.Sprintf("%s-%08x", name[:longestFolder], h.Sum32())
	}
	return filepath.Join("out", name)
}

// longestFolder is how many bytes of settings and name such a folder's name has, with no hash.
const longestFolder = 100
