package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"

	"mbsim/internal/shell"
)

// manifestSchema and resultsSchema change when a field changes its meaning or
// goes; new fields do not change them.
const (
	manifestSchema = 1
	resultsSchema  = 1
)

// Manifest is what made a run: enough to make it again.
type Manifest struct {
	Schema         int             `json:"schema"`
	Version        string          `json:"version"`  // of mbsim
	Revision       string          `json:"revision"` // commit it was built from, "" where unknown
	Modified       bool            `json:"modified"` // built from files that differ from the commit
	Go             string          `json:"go"`
	Scenario       string          `json:"scenario"`        // name
	ScenarioDigest string          `json:"scenario_digest"` // SHA-256 of the resolved scenario
	Seed           uint64          `json:"seed"`
	Command        []string        `json:"command"`
	Config         json.RawMessage `json:"config"`                // the resolved scenario
	Fingerprint    string          `json:"fingerprint"`           // of events, results and where blocks lie (run.Outcome): equal runs have equal ones
	Changed        []Change        `json:"changed,omitempty"`     // settings that are not the default
	Interrupted    bool            `json:"interrupted,omitempty"` // the results are those so far
	Warnings       []string        `json:"warnings,omitempty"`
	Notes          []string        `json:"notes,omitempty"` // on the starting state: what it does not tell, and what mounting it changed
	Files          []string        `json:"files"`           // of the run, in the manifest's directory
}

// Change is a setting that is not the default. Default is "" where there is none.
type Change struct {
	Key     string `json:"key"`
	Value   string `json:"value"`
	Default string `json:"default,omitempty"`
}

// Build is a manifest that holds what the program knows of itself.
func Build() Manifest {
	m := Manifest{Schema: manifestSchema, Version: "(devel)", Go: runtime.Version()}
	// A program without build information knows nothing of itself.
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return m
	}
	if v := info.Main.Version; v != "" {
		m.Version = v
	}
	// The commit, as go build notes it.
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			m.Revision = s.Value
		case "vcs.modified":
			m.Modified = s.Value == "true"
		}
	}
	return m
}

// manifestFile is the file of a manifest.
func manifestFile(m *Manifest) File {
	return File{manifestName, func(w io.Writer) error {
		_, err := m.WriteTo(w)
		return err
	}}
}

// WriteTo writes manifest.json.
func (m *Manifest) WriteTo(w io.Writer) (int64, error) {
	out := *m
	out.Schema = manifestSchema
	if out.Config == nil {
		out.Config = json.RawMessage("null")
	}
	// Signs such as >= stay as they are, so that Config read back is Config.
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(&out); err != nil {
		return 0, err
	}
	return b.WriteTo(w)
}

// read reads a manifest that must be complete: that of a run to report on.
func (m *Manifest) read(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err == nil {
		err = decode(raw, m, manifestSchema)
	}
	if err != nil {
		return err
	}
	return m.check()
}

// readFiles reads only which files a manifest names. The rest of it may be wrong.
func (m *Manifest) readFiles(r io.Reader) error {
	if err := json.NewDecoder(r).Decode(m); err != nil {
		return err
	}
	if err := checkSchema(m.Schema, manifestSchema); err != nil {
		return err
	}
	return m.checkFiles()
}

// plainName says whether name names a file in a directory and nothing else.
func plainName(name string) bool {
	return name != "" && name != "." && name != ".." && filepath.Base(name) == name && !slices.Contains([]byte(name), 0)
}

// settings are what a picture's metadata say of the run.
func (m *Manifest) settings() []Setting {
	// An empty text is left out at the end.
	revision := m.Revision
	if m.Modified {
		revision += " modified"
	}
	all := []Setting{
		{"Software", "mbsim " + m.Version}, {"Revision", revision}, {"Scenario", m.Scenario}, {"Scenario-Digest", m.ScenarioDigest},
		{"Seed", fmt.Sprint(m.Seed)}, {"Command", shell.Line(m.Command)}, {"Fingerprint", m.Fingerprint}, {"Config", compact(m.Config)},
	}
	return slices.DeleteFunc(all, func(s Setting) bool { return s.Text == "" })
}

// compact is JSON without white space.
func compact(j json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, j) != nil || b.String() == "null" {
		return ""
	}
	return b.String()
}
