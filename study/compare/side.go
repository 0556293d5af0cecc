package compare

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mbsim/reports"
	"mbsim/scenarios"
	"mbsim/study"
)

// Side is a group of runs of one setting.
type Side struct {
	Name     string // as the user calls it
	Scenario string
	Setting  string // "" where it is no setting of a study
	Samples  []study.Sample
	Configs  []json.RawMessage // resolved scenarios: one, or one a run
	Asked    []string          // keys that were set on purpose
	Version  string
	Missing  int // runs that are not finished
}

// Source is what an argument of compare stands for: sides, and the study where it
// is one.
type Source struct {
	Name  string
	Sides []Side
	Study *study.Result // nil for runs
}

// Open reads a run's folder, a folder of runs' folders, a study's folder, or
// STUDY:SETTING.
func Open(name string) (*Source, error) {
	// A folder's own name may have a colon: only where there is none of that name does the colon
	// begin the name of a setting.
	dir, setting := name, ""
	if _, err := os.Stat(name); err != nil {
		i := strings.IndexByte(name, ':')
		if i < 0 {
			return nil, &study.UserError{Err: err}
		}
		dir, setting = name[:i], name[i+1:]
	}
	exists := func(parts ...string) bool {
		_, err := os.Stat(filepath.Join(append([]string{dir}, parts...)...))
		return err == nil
	}
	// A study, or one run.
	switch {
	case exists("study.json"), exists("plan.json"):
		return openStudy(name, dir, setting)
	case setting != "":
		return nil, userErrorf("%s: %s is no study: want a folder that mbsim sweep has written", name, dir)
	case exists("manifest.json"):
		s, err := openRuns(name, []string{dir})
		return &Source{Name: name, Sides: []Side{s}}, err
	}
	// A folder of runs' folders. Names that begin with a dot are those of runs that were killed.
	var below []string
	entries, err := os.ReadDir(dir) // sorted by name
	for _, e := range entries {
		if e.Name()[0] != '.' && exists(e.Name(), "manifest.json") {
			below = append(below, filepath.Join(dir, e.Name()))
		}
	}
	if err != nil || len(below) == 0 {
		return nil, userErrorf("%s: neither a run nor a study: there is no manifest.json, study.json or plan.json", name)
	}
	s, err := openRuns(name, below)
	return &Source{Name: name, Sides: []Side{s}}, err
}

// userErrorf is an error that is the user's.
func userErrorf(format string, a ...any) error {
	return &study.UserError{Err: fmt.Errorf(format, a...)}
}

// openStudy reads a study: all its settings, or the one named.
func openStudy(name, dir, setting string) (*Source, error) {
	r, err := study.Load(dir)
	if err != nil {
		return nil, err
	}
	src := &Source{Name: name, Study: r}
	for i := range r.Settings {
		s := &r.Settings[i]
		if setting != "" && s.Name != setting {
			continue
		}
		// Keys that the setting sets differ on purpose.
		side := Side{Name: dir + ":" + s.Name, Scenario: r.Scenario, Setting: s.Name, Samples: r.Samples(s),
			Configs: []json.RawMessage{s.Config}, Version: r.Version, Missing: r.Replications - len(s.Runs)}
		for _, v := range s.Values {
			side.Asked = append(side.Asked, v.Key)
		}
		src.Sides = append(src.Sides, side)
	}
	if len(src.Sides) == 0 {
		return nil, userErrorf("%s: the study has no setting %q: it has %s", name, setting, settingNames(r))
	}
	return src, nil
}

// settingNames lists a study's settings, or some of them.
func settingNames(r *study.Result) string {
	const some = 12
	var names []string
	for i := range r.Settings {
		if i == some {
			names = append(names, fmt.Sprintf("and %d more", len(r.Settings)-some))
			break
		}
		names = append(names, r.Settings[i].Name)
	}
	return strings.Join(names, "; ")
}

// openRuns reads folders that mbsim run has written, as runs of one setting with several
// seeds.
func openRuns(name string, dirs []string) (Side, error) {
	side := Side{Name: name}
	for _, dir := range dirs {
		r, err := reports.Load(dir)
		if err != nil {
			return side, &study.UserError{Err: err}
		}
		m := &r.Manifest
		// A side of several versions is compared all the same, and warned of.
		version := versionOf(m)
		switch {
		case side.Scenario == "":
			side.Scenario, side.Version = m.Scenario, version
		case side.Version != version:
			side.Version = "several versions"
		}
		// Two runs of one seed cannot be paired with the other side's.
		sample := study.Sample{Seed: m.Seed, Values: study.Measured(r.Result)}
		if slices.ContainsFunc(side.Samples, func(s study.Sample) bool { return s.Seed == sample.Seed }) {
			return side, userErrorf("%s: two runs have the seed %d: they are the same run, or runs of different settings", name, m.Seed)
		}
		side.Samples = append(side.Samples, sample)
		side.Configs = append(side.Configs, m.Config)
		side.Asked = append(side.Asked, setKeys(m.Command)...)
	}
	if len(dirs) > 1 {
		side.Asked = append(side.Asked, "seed")
	}
	return side, nil
}

// versionOf names the code as study.CodeVersion does, as far as the manifest tells.
func versionOf(m *reports.Manifest) string {
	v := m.Version
	if m.Revision != "" {
		v += " " + m.Revision[:min(12, len(m.Revision))]
	}
	if m.Modified {
		v += " modified"
	}
	return v
}

// setKeys are the keys of each --set in a command line, and the seed's.
func setKeys(command []string) (keys []string) {
	for i := 0; i+1 < len(command); i++ {
		switch command[i] {
		case "--set":
			keys = append(keys, scenarios.KeyOf(command[i+1]))
		case "--seed":
			keys = append(keys, "seed")
		}
	}
	return keys
}

// Match pairs the sides of two sources: the only one of each, or settings of the
// same name.
func Match(a, b *Source) ([][2]*Side, error) {
	if len(a.Sides) == 1 && len(b.Sides) == 1 {
		return [][2]*Side{{&a.Sides[0], &b.Sides[0]}}, nil
	}
	// One setting cannot be paired with many.
	for _, s := range []*Source{a, b} {
		if len(a.Sides) > 1 != (len(b.Sides) > 1) && len(s.Sides) > 1 {
			return nil, userErrorf("%s has %d settings: want one, as %s:SETTING (%s)", s.Name, len(s.Sides), s.Name, settingNames(s.Study))
		}
	}
	// Settings of the same name.
	var all [][2]*Side
	for i := range a.Sides {
		for j := range b.Sides {
			if a.Sides[i].Setting == b.Sides[j].Setting {
				all = append(all, [2]*Side{&a.Sides[i], &b.Sides[j]})
			}
		}
	}
	if len(all) == 0 {
		return nil, userErrorf("%s and %s have no setting in common: want one of each, as %s:SETTING", a.Name, b.Name, a.Name)
	}
	return all, nil
}
