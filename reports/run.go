package reports

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"mbsim/internal/bounded"
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

// Files are those of a run, pictures in these formats and page included, without the manifest.
func Files(r *Run, forms ...FileFormat) []File {
	return append(append(DataFiles(r), Pictures(r, Paper, forms...)...), pageFile(r))
}

// Pictures are the pictures of a run in these formats. Those of a slide's size say so in their names.
func Pictures(r *Run, s Size, forms ...FileFormat) []File {
	var files []File
	for _, p := range Plots(r) {
		for _, form := range forms {
			files = append(files, File{named(p.Name, s, form), func(w io.Writer) error { return p.Write(w, s, form) }})
		}
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
// has, and the manifest. Pictures are PNGs.
func Write(dir string, r *Run, others ...File) error {
	return WriteDir(dir, &r.Manifest, append(Files(r, PNG), others...))
}

// Load reads a run from the directory that Write wrote. Everything in it has been
// checked: those who use the run need not.
func Load(dir string) (*Run, error) {
	r := &Run{}
	// The manifest first: it comes last when a run is written, so that with it all is there.
	if err := load(dir, manifestName, maxManifest, func(f io.Reader) error { return r.Manifest.read(f) }); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w (a directory without a manifest is not whole)", err)
		}
		return nil, err
	}
	// Results and series, which every run has.
	if err := load(dir, resultsName, maxResults, func(f io.Reader) (err error) {
		r.Result, err = readResults(f)
		return err
	}); err != nil {
		return nil, err
	}
	if err := load(dir, seriesName, maxTable, func(f io.Reader) (err error) {
		r.Result.Series, err = readSeries(f)
		return err
	}); err != nil {
		return nil, err
	}
	// What another run has left there is not this run's.
	if slices.Contains(r.Manifest.Files, blockMapName) {
		if err := load(dir, blockMapName, maxTable, func(f io.Reader) (err error) {
			r.Result.Map, err = readBlockMap(f)
			return err
		}); err != nil {
			return nil, err
		}
	}
	// Last what can only be tested between files.
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return r, nil
}

// load reads one file of at most limit bytes; the error names it.
func load(dir, name string, limit int64, read func(io.Reader) error) error {
	path := filepath.Join(dir, name)
	f, err := bounded.Open(path, limit)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := read(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
