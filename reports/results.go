package reports

import (
	"encoding/json"
	"fmt"
	"io"

	"mbsim/metrics"
)

// The objects of results.json. A metric without a value is left out.
type (
	resultValue struct {
		Value    float64  `json:"value"`
		Measured *float64 `json:"measured,omitempty"` // over the measured phases, where there are any
		Unit     string   `json:"unit"`
		Better   string   `json:"better"`
		Kind     string   `json:"kind"`
	}
	resultPhase struct {
		Name     string             `json:"name"`
		Measured bool               `json:"measured"`
		Start    int64              `json:"start_ns"`
		End      int64              `json:"end_ns"`
		Values   map[string]float64 `json:"values"`
	}
	// Histograms are by powers of two: element i is [count, sum] of the sizes
	// from 2^i up to, and without, 2^(i+1).
	resultSnapshot struct {
		Time           int64       `json:"time_ns"`
		Free           *resultFree `json:"free,omitempty"`
		FilesByExtents [][2]int64  `json:"files_by_extents"`
		ExtentsBySize  [][2]int64  `json:"extents_by_blocks"`
	}
	resultFree struct {
		Blocks  uint64     `json:"blocks"`
		Extents uint64     `json:"extents"`
		Min     uint64     `json:"min_blocks"`
		Max     uint64     `json:"max_blocks"`
		Sizes   [][2]int64 `json:"by_blocks"`
	}
	resultHead struct {
		Schema     int        `json:"schema"`
		Scenario   string     `json:"scenario"`
		Start      int64      `json:"start_ns"`
		End        int64      `json:"end_ns"`
		FileSystem fileSystem `json:"file_system"`
	}
	fileSystem struct {
		BlockSize     int64 `json:"block_size"`
		ClusterBlocks int64 `json:"cluster_blocks"`
		Blocks        int64 `json:"blocks"`
		Groups        int   `json:"groups"`
	}
	resultFile struct {
		resultHead
		Warnings  []string               `json:"warnings,omitempty"`
		Metrics   map[string]resultValue `json:"metrics"`
		Phases    []resultPhase          `json:"phases"`
		Snapshots []resultSnapshot       `json:"snapshots"`
	}
)

// WriteResults writes results.json: a line a metric, in the order of the
// registry.
func WriteResults(w io.Writer, r *Run) error {
	res := r.Result
	j := jsonWriter{w: w}
	// The object is written by hand, a line a metric, so that people can read it and the order
	// is that of the registry. The writer keeps the first error.
	j.text("{\n")
	j.field("schema", resultsSchema)
	j.field("scenario", r.Manifest.Scenario)
	j.field("start_ns", res.Start)
	j.field("end_ns", res.End)
	j.field("file_system", fileSystem{res.BlockSize, res.ClusterBlocks, res.Blocks, res.Groups})
	if len(res.Warnings) > 0 {
		j.field("warnings", res.Warnings)
	}
	j.text("  \"metrics\": {")
	// Metrics without a value are left out.
	sep := "\n"
	for id, m := range metrics.List() {
		id := metrics.ID(id)
		if !res.Final.Has(id) {
			continue
		}
		v := resultValue{Value: res.Final[id], Unit: m.Unit, Better: m.Better.String(), Kind: m.Kind.String()}
		if res.Measured != nil && res.Measured.Has(id) {
			v.Measured = &res.Measured[id]
		}
		j.text(sep + "    ")
		j.value(m.Name)
		j.text(": ")
		j.value(v)
		sep = ",\n"
	}
	j.text("\n  },\n")
	// Phases and snapshots.
	phases := make([]any, len(res.Phases))
	for i, p := range res.Phases {
		phases[i] = resultPhase{p.Name, p.Measured, p.Start, p.End, values(p.Values)}
	}
	j.list("phases", phases)
	j.text(",\n")
	snapshots := make([]any, len(res.Snapshots))
	for i, s := range res.Snapshots {
		out := resultSnapshot{Time: s.Time, FilesByExtents: pairs(&s.FilesByExtents), ExtentsBySize: pairs(&s.ExtentsBySize)}
		// Without a policy nothing is known of the free space.
		if f := &s.Free; f.Total > 0 {
			out.Free = &resultFree{f.Blocks, f.Extents, f.Min, f.Max, pairs(&f.Sizes)}
		}
		snapshots[i] = out
	}
	j.list("snapshots", snapshots)
	j.text("\n}\n")
	return j.err
}

// values are those of a row that are there, by name.
func values(r metrics.Row) map[string]float64 {
	out := make(map[string]float64)
	for id, m := range metrics.List() {
		if r.Has(metrics.ID(id)) {
			out[m.Name] = r[id]
		}
	}
	return out
}

func pairs(b *metrics.Bins) [][2]int64 {
	out := make([][2]int64, b.Len())
	for i := range out {
		out[i] = [2]int64{b[i].Count, b[i].Sum}
	}
	return out
}

// jsonWriter writes JSON whose lines a person can read, and keeps the first error.
type jsonWriter struct {
	w   io.Writer
	err error
}

func (j *jsonWriter) text(s string) {
	if j.err == nil {
		_, j.err = io.WriteString(j.w, s)
	}
}

func (j *jsonWriter) value(v any) {
	if j.err != nil {
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		j.err = err
		return
	}
	_, j.err = j.w.Write(b)
}

// field writes a field of the outermost object, which is not its last.
func (j *jsonWriter) field(name string, v any) {
	j.text("  ")
	j.value(name)
	j.text(": ")
	j.value(v)
	j.text(",\n")
}

// list writes a list, a line an element.
func (j *jsonWriter) list(name string, all []any) {
	j.text("  \"" + name + "\": [")
	for i, v := range all {
		if i > 0 {
			j.text(",")
		}
		j.text("\n    ")
		j.value(v)
	}
	if len(all) > 0 {
		j.text("\n  ")
	}
	j.text("]")
}

// readResults reads what WriteResults wrote, but for the series and the block map.
func readResults(r io.Reader) (*metrics.Result, error) {
	var f resultFile
	raw, err := io.ReadAll(r)
	if err == nil {
		err = decode(raw, &f, resultsSchema)
	}
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return nil, err
	}
	// The geometry and times, which were checked.
	out := &metrics.Result{
		Start: f.Start, End: f.End, BlockSize: f.FileSystem.BlockSize, ClusterBlocks: f.FileSystem.ClusterBlocks,
		Blocks: f.FileSystem.Blocks, Groups: f.FileSystem.Groups, Warnings: f.Warnings, Final: metrics.NewRow(),
	}
	// The metrics: of the whole run, and of the measured phases where there are any.
	for name, v := range f.Metrics {
		if err := set(out.Final, name, v.Value); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
		if v.Measured == nil {
			continue
		}
		if out.Measured == nil {
			out.Measured = metrics.NewRow()
		}
		if err := set(out.Measured, name, *v.Measured); err != nil {
			return nil, fmt.Errorf("metrics: measured: %w", err)
		}
	}
	// Phases and snapshots.
	for i, p := range f.Phases {
		row := metrics.NewRow()
		for name, v := range p.Values {
			if err := set(row, name, v); err != nil {
				return nil, fmt.Errorf("phases.%d: %w", i, err)
			}
		}
		out.Phases = append(out.Phases, metrics.Phase{Name: p.Name, Measured: p.Measured, Start: p.Start, End: p.End, Values: row})
	}
	for i := range f.Snapshots {
		out.Snapshots = append(out.Snapshots, f.Snapshots[i].restore(&f.FileSystem))
	}
	return out, nil
}

// set puts the value of a metric into a row.
func set(row metrics.Row, name string, v float64) error {
	if err := metrics.Check(name, v); err != nil {
		return err
	}
	id, err := metrics.Find(name)
	if err == nil {
		row[id] = v
	}
	return err
}

// restore is the inverse of what WriteResults does to a snapshot, which was checked.
func (s *resultSnapshot) restore(fs *fileSystem) *metrics.Snapshot {
	out := &metrics.Snapshot{Time: s.Time, FilesByExtents: bins(s.FilesByExtents), ExtentsBySize: bins(s.ExtentsBySize)}
	if f := s.Free; f != nil {
		out.Free = metrics.FreeSpace{BlockSize: fs.BlockSize, Total: uint64(fs.Blocks), Blocks: f.Blocks, Extents: f.Extents,
			Min: f.Min, Max: f.Max, Sizes: bins(f.Sizes)}
	}
	return out
}

// bins is the inverse of pairs.
func bins(p [][2]int64) (b metrics.Bins) {
	for i := range p {
		b[i] = metrics.Bin{Count: p[i][0], Sum: p[i][1]}
	}
	return b
}
