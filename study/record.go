package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"mbsim/internal/input"
)

// Record is a finished run: a line of runs.ndjson.
type Record struct {
	Schema      int                `json:"schema"`
	ID          string             `json:"id"`
	Setting     string             `json:"setting"`
	Digest      string             `json:"scenario_digest"`
	Seed        uint64             `json:"seed"`
	Replication int                `json:"replication"`
	Version     string             `json:"version"`
	Fingerprint string             `json:"fingerprint"` // of events, results and where blocks lie (run.Outcome)
	Events      uint64             `json:"events"`
	Simulated   int64              `json:"simulated_ns"`
	OutOfSpace  bool               `json:"out_of_space,omitempty"`
	Unmet       []string           `json:"unmet,omitempty"` // expectations
	Took        int64              `json:"took_ns"`         // of real time; differs from time to time
	Metrics     map[string]float64 `json:"metrics"`         // of the measured phases, where there are any
}

// line is the record as it is written.
func (r *Record) line() ([]byte, error) {
	raw, err := json.Marshal(r)
	return append(raw, '\n'), err
}

// same says whether two records of one run agree in all that may not differ.
func (r *Record) same(o *Record) bool {
	a, b := *r, *o
	a.Took, b.Took, a.Setting, b.Setting = 0, 0, "", ""
	x, err1 := a.line()
	y, err2 := b.line()
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// readRecords reads a file of records, and how many bytes of it are whole lines:
// a last line without an end was torn, and is left out. A file that is not there
// has none.
func readRecords(path string) (records []Record, whole int64, err error) {
	raw, err := input.ReadFile(path, "the records of a study", input.MaxWhole)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	for n := 1; ; n++ {
		i := bytes.IndexByte(raw, '\n')
		if i < 0 {
			return records, whole, nil
		}
		var r Record
		if err := json.Unmarshal(raw[:i], &r); err != nil || r.ID == "" {
			return nil, 0, userErrorf("%s:%d: not the record of a run: remove the line to have it run again", path, n)
		}
		if r.Schema != planSchema {
			return nil, 0, userErrorf("%s:%d: schema %d: this mbsim reads %d", path, n, r.Schema, planSchema)
		}
		records = append(records, r)
		whole += int64(i) + 1
		raw = raw[i+1:]
	}
}

// collect adds records to those by id. Two of one run must agree.
func collect(byID map[string]*Record, records []Record) (added []*Record, err error) {
	for i := range records {
		r := &records[i]
		old := byID[r.ID]
		switch {
		case old == nil:
			byID[r.ID] = r
			added = append(added, r)
		case !old.same(r):
			return added, fmt.Errorf("run %s (%s, replication %d) came to two results: fingerprints %s and %s", r.ID, r.Setting, r.Replication, old.Fingerprint, r.Fingerprint)
		}
	}
	return added, nil
}
