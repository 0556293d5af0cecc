package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

	"mbsim/metrics"
)

// Limits of what is read. They are far above what a run comes to; what is above them
// was not written by mbsim, and may not decide how much memory is taken.
const (
	maxManifest = 1 << 28 // bytes: a resolved scenario may hold a script
	maxResults  = 1 << 28
	maxTable    = 1 << 29 // of series.csv and blockmap.csv
	maxSamples  = 100_000 // rows of the series, snapshots, phases
	maxDepth    = 64      // objects and lists inside each other in a resolved scenario
	maxPaths    = 4 << 20 // bytes: the dotted paths of all its values
	maxSum      = 1 << 56 // of a class of a histogram: all classes can be added up
)

// decode reads a JSON object of a schema into v, a pointer to a struct. The keys of the
// struct's fields must be there, except those marked omitempty.
func decode(raw []byte, v any, schema int) error {
	// The schema comes first: of another one nothing else can be relied on.
	var head struct{ Schema int }
	err := json.Unmarshal(raw, &head)
	if err == nil {
		err = checkSchema(head.Schema, schema)
	}
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		return err
	}
	// A key that is missing would be zero in v, and so look like a value.
	if key := missingKey(raw, reflect.TypeOf(v)); key != "" {
		return fmt.Errorf("%s is missing", key)
	}
	return nil
}

// missingKey returns the dotted path of a key that a value of type t must have and that raw,
// which was decoded as such a value, lacks; "" if there is none. A list or an object may not
// be null either.
func missingKey(raw []byte, t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return missingKey(raw, t.Elem())
	case reflect.Struct:
		return missingField(raw, t)
	case reflect.Slice:
		// Lists of numbers and texts have no keys.
		if t.Elem().Kind() != reflect.Struct {
			return ""
		}
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return ""
		}
		for i := range list {
			if key := missingKey(list[i], t.Elem()); key != "" {
				return fmt.Sprintf("%d.%s", i, key)
			}
		}
	case reflect.Map:
		// Maps have any keys, so that only what is below them can lack one.
		var all map[string]json.RawMessage
		if t.Elem().Kind() != reflect.Struct || json.Unmarshal(raw, &all) != nil {
			return ""
		}
		for name, below := range all {
			if key := missingKey(below, t.Elem()); key != "" {
				return name + "." + key
			}
		}
	}
	return ""
}

// missingField is missingKey of a struct.
func missingField(raw []byte, t reflect.Type) string {
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return ""
	}
	for i := range t.NumField() {
		f := t.Field(i)
		// Fields of an embedded struct stand in the object itself.
		if f.Anonymous {
			if key := missingField(raw, f.Type); key != "" {
				return key
			}
			continue
		}
		// The field's own key, and then what is below it.
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		below, ok := all[name]
		switch {
		case !ok && option == "omitempty":
			continue
		case !ok:
			return name
		}
		if key := missingKey(below, f.Type); key != "" {
			return name + "." + key
		}
	}
	return ""
}

// check says whether a manifest is one that this package writes.
func (m *Manifest) check() error {
	switch {
	case m.Scenario == "":
		return errors.New("scenario is empty")
	case !isHex(m.ScenarioDigest):
		return fmt.Errorf("scenario_digest is %q: want hexadecimal digits", m.ScenarioDigest)
	case !isHex(m.Fingerprint):
		return fmt.Errorf("fingerprint is %q: want hexadecimal digits", m.Fingerprint)
	}
	if err := m.checkFiles(); err != nil {
		return err
	}
	return CheckConfig(m.Config)
}

// checkFiles says whether the manifest names files of its directory only.
func (m *Manifest) checkFiles() error {
	for _, name := range m.Files {
		if !plainName(name) {
			return fmt.Errorf("files has %q: want a name without a directory", name)
		}
	}
	return nil
}

// checkSchema says whether a file is of the schema that this mbsim reads.
func checkSchema(found, want int) error {
	if found != want {
		return fmt.Errorf("schema %d: this mbsim reads %d", found, want)
	}
	return nil
}

func isHex(s string) bool { return s != "" && strings.Trim(s, "0123456789abcdef") == "" }

// CheckConfig says whether raw can be a resolved scenario: an object of limited depth and
// size. Two scenarios are compared by the dotted paths of all their values, which could take
// far more memory than the text itself.
func CheckConfig(raw json.RawMessage) error {
	if text := bytes.TrimSpace(raw); len(text) == 0 || text[0] != '{' {
		return errors.New("config: want a resolved scenario")
	}
	// Walk over the tokens, with the containers that the walk is in, and add up what the
	// paths of all values would take.
	var within []container
	sum := 0
	d := json.NewDecoder(bytes.NewReader(raw))
	for {
		t, err := d.Token()
		if err != nil {
			return nil // the end: it was decoded before, so that it is whole
		}
		// A token in a container ends it, or is a key, or is a value whose path is known.
		at := 0 // length of the path of this value
		if n := len(within); n > 0 {
			if t == json.Delim('}') || t == json.Delim(']') {
				within = within[:n-1]
				continue
			}
			var isKey bool
			if at, isKey = within[n-1].next(t); isKey {
				continue
			}
		}
		// A container begins: its values' paths begin with its own.
		if t == json.Delim('{') || t == json.Delim('[') {
			within = append(within, container{object: t == json.Delim('{'), path: at})
		}
		// Give up as soon as a limit is passed, not when all is read.
		if sum += perValue + at; len(within) > maxDepth || sum > maxPaths {
			return errors.New("config: more than any scenario has")
		}
	}
}

// perValue is what a value costs beside its path, about.
const perValue = 16

// container is an object or a list that the walk of CheckConfig is in.
type container struct {
	object bool
	path   int // length of its dotted path
	key    int // length of the key whose value comes next; 0 where a key comes next
}

// next takes the next token of the container, which is a key or a value. It returns the
// length of the value's path.
func (c *container) next(t json.Token) (path int, isKey bool) {
	const number = 8 // digits of a place in a list, with the dot
	if !c.object {
		return c.path + number, false
	}
	// Keys and values take turns in an object.
	if c.key == 0 {
		key, _ := t.(string)
		c.key = 1 + len(key) // with the dot
		return 0, true
	}
	path, c.key = c.path+c.key, 0
	return path, false
}

// check says whether the results can be those of a run. Whoever uses them divides by sizes,
// makes slices of counts and adds up sums without testing these again.
func (f *resultFile) check() error {
	// The geometry first: the rest is compared with it.
	if err := f.FileSystem.check(); err != nil {
		return fmt.Errorf("file_system: %w", err)
	}
	switch {
	case f.Start < 0 || f.End < f.Start:
		return fmt.Errorf("start_ns is %d and end_ns %d: want a time, and one not before it", f.Start, f.End)
	case len(f.Metrics) == 0:
		return errors.New("metrics: there are none")
	case len(f.Phases) > maxSamples:
		return fmt.Errorf("phases: %d of them: at most %d are read", len(f.Phases), maxSamples)
	case len(f.Snapshots) == 0 || len(f.Snapshots) > maxSamples:
		return fmt.Errorf("snapshots: %d of them: want 1 to %d", len(f.Snapshots), maxSamples)
	}
	// Phases lie within the run.
	for i := range f.Phases {
		if p := &f.Phases[i]; p.Start < f.Start || p.End < p.Start || p.End > f.End {
			return fmt.Errorf("phases.%d: from %d to %d ns in a run from %d to %d ns", i, p.Start, p.End, f.Start, f.End)
		}
	}
	// Snapshots are in order, within the run, and of this file system.
	before := f.Start - 1
	for i := range f.Snapshots {
		s := &f.Snapshots[i]
		if s.Time <= before || s.Time > f.End {
			return fmt.Errorf("snapshots.%d: time_ns is %d: want a time after the one before, and in the run", i, s.Time)
		}
		before = s.Time
		if err := s.check(uint64(f.FileSystem.Blocks)); err != nil {
			return fmt.Errorf("snapshots.%d: %w", i, err)
		}
	}
	return nil
}

// check checks a geometry.
func (s *fileSystem) check() error {
	// Block sizes that ext4 has. The limit of clusters is above what mke2fs makes.
	const least, most, mostCluster = 1 << 10, 1 << 16, 1 << 20
	power := func(n, lo, hi int64) bool { return n >= lo && n <= hi && n&(n-1) == 0 }
	switch {
	case !power(s.BlockSize, least, most):
		return fmt.Errorf("block_size is %d: want a power of two of %d to %d", s.BlockSize, least, most)
	case !power(s.ClusterBlocks, 1, mostCluster):
		return fmt.Errorf("cluster_blocks is %d: want a power of two of 1 to %d", s.ClusterBlocks, mostCluster)
	case s.Blocks < 1 || s.Blocks > math.MaxInt64/s.BlockSize:
		return fmt.Errorf("blocks is %d: want 1 or more, and less than 2^63 bytes", s.Blocks)
	case s.Groups < 1 || int64(s.Groups) > s.Blocks:
		return fmt.Errorf("groups is %d: want 1 or more, and no more than there are blocks", s.Groups)
	}
	return nil
}

// check says whether a snapshot can be that of a file system of so many blocks.
func (s *resultSnapshot) check(blocks uint64) error {
	// The histograms of files and their pieces.
	for _, h := range []struct {
		name    string
		classes [][2]int64
	}{{"files_by_extents", s.FilesByExtents}, {"extents_by_blocks", s.ExtentsBySize}} {
		if err := checkBins(h.classes); err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
	}
	// The free space: it is no more than the device has, and each piece has a block.
	f := s.Free
	if f == nil {
		return nil
	}
	if f.Blocks > blocks || f.Extents > f.Blocks || f.Min > f.Max || f.Max > f.Blocks {
		return fmt.Errorf("free: %d blocks of %d, in %d extents of %d to %d", f.Blocks, blocks, f.Extents, f.Min, f.Max)
	}
	if err := checkBins(f.Sizes); err != nil {
		return fmt.Errorf("free: by_blocks: %w", err)
	}
	return nil
}

// checkBins says whether a histogram can be one: class i holds sizes of at least 2^i, so that
// its sum is at least as many times its count.
func checkBins(classes [][2]int64) error {
	if most := len(metrics.Bins{}); len(classes) > most {
		return fmt.Errorf("a histogram of %d classes: at most %d", len(classes), most)
	}
	for i, c := range classes {
		if count, sum := c[0], c[1]; count < 0 || sum > maxSum || count > sum>>i || (count == 0) != (sum == 0) {
			return fmt.Errorf("class %d: %d things of %d together", i, count, sum)
		}
	}
	return nil
}

// check says whether series and block map are of the run that the results and the
// manifest are of.
func (r *Run) check() error {
	res := r.Result
	// inRun says whether times are in order and within the run.
	inRun := func(name string, times []int64) error {
		before := res.Start - 1
		for _, t := range times {
			if t <= before || t > res.End {
				return fmt.Errorf("%s: the time %s is not after the one before it and in the run, which goes from %s to %s s", name, seconds(t), seconds(res.Start), seconds(res.End))
			}
			before = t
		}
		return nil
	}
	if len(res.Series.Times) == 0 {
		return fmt.Errorf("%s: there is no line", seriesName)
	}
	if err := inRun(seriesName, res.Series.Times); err != nil {
		return err
	}
	// Without a policy there is no block map.
	m := res.Map
	if m == nil {
		return nil
	}
	if m.Groups != res.Groups {
		return fmt.Errorf("%s: %d groups, but %s says %d", blockMapName, m.Groups, resultsName, res.Groups)
	}
	return inRun(blockMapName, m.Times)
}
