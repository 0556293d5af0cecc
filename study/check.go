package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"mbsim/internal/bounded"
	"mbsim/metrics"
	"mbsim/reports"
)

// maxObject is how many bytes plan.json and study.json may have.
const maxObject = 1 << 30

// schemaError is a file of another version.
type schemaError struct{ found int }

func (e *schemaError) Error() string {
	if e.found == 1 {
		return fmt.Sprintf("schema 1, of an mbsim that wrote no checksums: this one reads %d; run the study again, into another folder", planSchema)
	}
	return fmt.Sprintf("schema %d: this mbsim reads %d", e.found, planSchema)
}

// checkSchema says whether a file is of the schema that this mbsim reads.
func checkSchema(found int) error {
	if found != planSchema {
		return &schemaError{found}
	}
	return nil
}

// readSealed reads a file that holds one sealed object into v, and returns the
// object's text. The errors of what is in the file name it; one of a file that is not
// there is fs.ErrNotExist.
func readSealed(path string, v any) (object []byte, err error) {
	raw, err := bounded.ReadFile(path, maxObject)
	// The caller may want to know that there is no such file. Anything else is wrong with it.
	if errors.As(err, new(*fs.PathError)) {
		return nil, err
	}
	if err != nil {
		return nil, &UserError{err}
	}
	// The schema comes first: a file of another one would fail its other tests for no reason
	// that the user could see.
	var head struct{ Schema int }
	err = json.Unmarshal(raw, &head)
	if err == nil {
		err = checkSchema(head.Schema)
	}
	if err == nil {
		object, err = fileSeal.open(raw)
	}
	if err == nil {
		err = json.Unmarshal(object, v)
	}
	if err != nil {
		return nil, userErrorf("%s: %w", path, err)
	}
	return object, nil
}

// encode returns v as the files of a study hold it, without a checksum.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// check says whether the plan is one that this package can make. Everything in it that is
// looked up or counted with later is tested here, and only here.
func (p *Plan) check() error {
	if p.Scenario == "" {
		return errors.New("scenario: it has no name")
	}
	if err := p.checkRepetition(); err != nil {
		return err
	}
	// Settings are told apart by their names.
	seen := make(map[string]bool, len(p.Settings))
	for i := range p.Settings {
		s := &p.Settings[i]
		if err := s.check(); err != nil {
			return fmt.Errorf("settings[%d]: %w", i, err)
		}
		if seen[s.Name] {
			return fmt.Errorf("settings[%d]: there are two settings %s", i, s.Name)
		}
		seen[s.Name] = true
	}
	// The baseline, and the metric, if one was asked for.
	if !seen[p.Baseline] {
		return fmt.Errorf("baseline %q is no setting: there are %s", p.Baseline, p.names())
	}
	if !seen[p.Base] {
		return fmt.Errorf("base %q is no setting: there are %s", p.Base, p.names())
	}
	if p.Metric != "" {
		if _, err := metrics.Find(p.Metric); err != nil {
			return fmt.Errorf("metric: %w", err)
		}
	}
	return nil
}

// checkRepetition says whether the numbers of settings and replications are within limits.
func (p *Plan) checkRepetition() error {
	if n := len(p.Settings); n < 1 || n > maxSettings {
		return fmt.Errorf("%d settings: want 1 to %d", n, maxSettings)
	}
	// Divide instead of multiplying: the product may be more than an int holds.
	switch n := len(p.Settings); {
	case p.Replications < 1:
		return fmt.Errorf("%d replications: want 1 or more", p.Replications)
	case p.Replications > maxRuns/n:
		return fmt.Errorf("%d replications of %d settings are more than %d runs: no study may have more", p.Replications, n, maxRuns)
	}
	// The rule that adds replications can only add to those that there are.
	u := p.Until
	if u == nil {
		return nil
	}
	if math.IsNaN(u.CI) || u.CI < 0 || math.IsInf(u.CI, 0) || u.Max < p.Replications {
		return fmt.Errorf("until: ci %v, at most %d replications: want a share, and no less than the %d that there are", u.CI, u.Max, p.Replications)
	}
	if u.Metric != "" {
		if _, err := metrics.Find(u.Metric); err != nil {
			return fmt.Errorf("until: %w", err)
		}
	}
	return nil
}

// check says whether the setting is one that a plan can have.
func (s *Setting) check() error {
	switch {
	case s.Name == "":
		return errors.New("it has no name")
	case s.Own < 0 || s.Own > len(s.Values):
		return fmt.Errorf("own is %d of %d values", s.Own, len(s.Values))
	case !isHex(s.Digest, 64):
		return fmt.Errorf("scenario_digest %q: want 64 hexadecimal digits", s.Digest)
	}
	for _, v := range s.Values {
		if v.Key == "" {
			return errors.New("a value has no key")
		}
	}
	return reports.CheckConfig(s.Config)
}
