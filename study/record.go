package study

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"mbsim/internal/bounded"
	"mbsim/metrics"
)

// Record is a finished run: a line of runs.ndjson.
type Record struct {
	Schema      int                `json:"schema"`
	Line        int                `json:"line"` // its number in the file, from 1: lines cannot change places or go
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
	Decisions   []string           `json:"decisions,omitempty"` // what the outcome made the workload do (workload.Parted)
	Unmet       []string           `json:"unmet,omitempty"`     // expectations
	Notes       []string           `json:"notes,omitempty"`     // on the starting state (image.Layout.Notes)
	Took        int64              `json:"took_ns"`             // of real time; differs from time to time
	Metrics     map[string]float64 `json:"metrics"`             // of the measured phases, where there are any
}

// text returns the record as line n of a file, with its checksum.
func (r *Record) text(n int) ([]byte, error) {
	at := *r
	at.Line = n
	raw, err := json.Marshal(&at)
	return lineSeal.add(append(raw, '\n')), err
}

// same says whether two records of one run agree in everything that may not differ: all but
// the real time that the run took, and the setting's name in the plan at hand.
func (r *Record) same(o *Record) bool {
	a, b := *r, *o
	a.Took, b.Took, a.Setting, b.Setting = 0, 0, "", ""
	x, err1 := a.text(0)
	y, err2 := b.text(0)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// check says whether the record can be that of a run: its id follows from its fields, and
// everything that is counted with later is a number within limits.
func (r *Record) check() error {
	switch {
	case r.Replication < 0 || r.Replication >= maxRuns:
		return fmt.Errorf("replication %d: want 0 to %d", r.Replication, maxRuns-1)
	case r.ID != runID(r.Digest, r.Seed, r.Replication, r.Version):
		return fmt.Errorf("its id contradicts its scenario_digest, seed, replication or version")
	case r.Setting == "":
		return errors.New("it names no setting")
	case !isHex(r.Fingerprint, 16):
		return fmt.Errorf("fingerprint %q: want 16 hexadecimal digits", r.Fingerprint)
	case r.Simulated < 0 || r.Took < 0:
		return fmt.Errorf("simulated_ns is %d and took_ns %d: neither can be negative", r.Simulated, r.Took)
	case len(r.Metrics) == 0:
		return errors.New("it has no metrics")
	}
	return checkMetrics(r.Metrics)
}

// checkMetrics checks the values of a run, in the order of names, so that the error is always
// the same one.
func checkMetrics(all map[string]float64) error {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := metrics.Check(name, all[name]); err != nil {
			return err
		}
	}
	return nil
}

// isHex says whether s is n hexadecimal digits as this package writes them.
func isHex(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789abcdef") == "" }

// Limits of a file of records.
const (
	maxLine    = 1 << 20 // bytes
	maxRecords = 8 << 30 // bytes
)

// readRecords reads a file of records, and returns how many bytes of it are whole lines: a
// last line without an end was being written when its process was killed, and is left out. A
// file that does not exist has no records. An error names its line.
func readRecords(path string) (records []Record, whole int64, err error) {
	f, err := bounded.Open(path, maxRecords)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, &UserError{err}
	}
	defer f.Close()
	// A line that does not fit into the buffer is none of ours.
	in := bufio.NewReaderSize(f, maxLine)
	lines := make(map[string]int) // of runs, by id
	// Read line by line; each run may be there once.
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		// The end, or a line that was torn.
		if err == io.EOF {
			return records, whole, nil
		}
		var r *Record
		if err == nil {
			r, err = parseRecord(line, n)
		}
		if err == nil && lines[r.ID] > 0 {
			err = fmt.Errorf("its run is that of line %d", lines[r.ID])
		}
		if err != nil {
			return nil, 0, recordError(path, n, err)
		}
		lines[r.ID] = n
		records = append(records, *r)
		whole += int64(len(line))
	}
}

// recordError is the error of line n of a file, and what the user can do about it.
func recordError(path string, n int, err error) error {
	switch {
	case errors.As(err, new(*fs.PathError)):
		return err // the device's
	case errors.As(err, new(*schemaError)):
		return userErrorf("%s:%d: %w", path, n, err)
	case errors.Is(err, bufio.ErrBufferFull):
		err = fmt.Errorf("longer than %d bytes", maxLine)
	}
	return userErrorf("%s:%d: %w; without this line and those behind it their runs are performed again", path, n, err)
}

// parseRecord reads line n of a file of records.
func parseRecord(line []byte, n int) (*Record, error) {
	r := &Record{}
	if err := json.Unmarshal(line, r); err != nil {
		return nil, errors.New("not the record of a run")
	}
	if err := checkSchema(r.Schema); err != nil {
		return nil, err
	}
	// The checksum covers all that comes before it, the number of the line too.
	if _, err := lineSeal.open(line); err != nil {
		return nil, err
	}
	if r.Line != n {
		return nil, fmt.Errorf("this was line %d: lines are missing, there twice or in another order", r.Line)
	}
	return r, r.check()
}

// collect adds records to those in byID, and returns those that are new. Two records of one
// run must agree.
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
