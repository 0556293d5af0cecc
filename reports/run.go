package reports

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"mbsim/internal/input"
	"mbsim/metrics"
)

// Run is a run to report on.
type Run struct {
	Result   *metrics.Result
	Manifest Manifest
}

// Names of the files of a run.
const (
	resultsName  = "results.json"
	seriesName   = "series.csv"
	blockMapName = "blockmap.csv"
	manifestName = "manifest.json"
)

// File is a file to write.
type File struct {
	Name  string // without a directory
	Write func(io.Writer) error
}

// Files are those of a run, pictures and page included, without the manifest.
func Files(r *Run) []File {
	return append(append(DataFiles(r), Pictures(r, Paper)...), pageFile(r))
}

// Pictures are the PNGs of a run. Those of a slide's size say so in their names.
func Pictures(r *Run, s Size) []File {
	var files []File
	for _, p := range Plots(r) {
		name := p.Name
		if s == Slide {
			name = strings.TrimSuffix(name, ".png") + "-slide.png"
		}
		files = append(files, File{name, func(w io.Writer) error { return p.Write(w, s) }})
	}
	return files
}

// DataFiles are those of a run without pictures and manifest.
func DataFiles(r *Run) []File {
	files := []File{
		{resultsName, func(w io.Writer) error { return WriteResults(w, r) }},
		{seriesName, func(w io.Writer) error { return WriteSeries(w, r.Result) }},
	}
	if r.Result.Map != nil {
		files = append(files, File{blockMapName, func(w io.Writer) error { return WriteBlockMap(w, r.Result.Map) }})
	}
	return files
}

// Write writes the files of a run into dir, together with others that the caller
// has, and the manifest.
func Write(dir string, r *Run, others ...File) error {
	return WriteDir(dir, &r.Manifest, append(Files(r), others...))
}

// Load reads a run from the directory that Write wrote.
func Load(dir string) (*Run, error) {
	r := &Run{}
	if err := load(dir, manifestName, func(f io.Reader) error { return r.Manifest.read(f) }); err != nil {
		return nil, fmt.Errorf("%w (a directory without a manifest is not whole)", err)
	}
	if err := load(dir, resultsName, func(f io.Reader) (err error) {
		r.Result, err = readResults(f)
		return err
	}); err != nil {
		return nil, err
	}
	if err := load(dir, seriesName, func(f io.Reader) (err error) {
		r.Result.Series, err = readSeries(f)
		return err
	}); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, blockMapName)); err == nil {
		if err := load(dir, blockMapName, func(f io.Reader) (err error) {
			r.Result.Map, err = readBlockMap(f)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// load reads one file; the error names it.
func load(dir, name string, read func(io.Reader) error) error {
	path := filepath.Join(dir, name)
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := read(input.Limit(f, path, "a file of a run", input.MaxWhole)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
