package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mbsim/internal/folderlock"
	"mbsim/reports"
	"mbsim/scenarios"
	"mbsim/study"
)

// reportFlags are the flags of report.
type reportFlags struct {
	out     string
	names   []string
	noPlots bool
	format  string // of pictures
}

// newReport makes the command report.
func newReport() *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use:   "report DIR...",
		Short: "Write pictures and one self-contained HTML page of runs or a study",
		Long: `report reads the folders that mbsim run and mbsim sweep have written. It writes

  report.html    one page with everything in it: verdicts, metrics, plots over
                 simulated time, the block map, histograms; it fetches nothing
  *.png          plots sized for a paper (16 x 9 cm, 200 dots an inch)
  *-slide.png    the same for a slide (1920 x 1080), with larger letters
  *.svg          both, with --format svg

Of one run or study they go into its own folder. Several runs come into one page,
compared with the first, and a study with them; that goes to out/report, and the
names of pictures begin with the run's.`,
		Example: `  mbsim report out/small-files
  mbsim report out/base out/order4 -o out/base-and-order4
  mbsim report out/a out/b --name "2 CPUs" --name "8 CPUs"
  mbsim report out/orders`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.report(c.OutOrStdout(), args) },
	}
	// Where to, and what stands on the page.
	addOut(c, &f.out, "default the run's own, of several out/report")
	c.Flags().StringArrayVar(&f.names, "name", nil, "`name` of a run on the page, in the order of the folders (default the folder's)")
	c.Flags().BoolVar(&f.noPlots, "no-plots", false, "write no pictures")
	addPictures(c, &f.format)
	// A shell completes folders.
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return c
}

// report reads the folders dirs and writes page and pictures.
func (f *reportFlags) report(stdout io.Writer, dirs []string) error {
	if err := checkFormat(f.format, pictureFormats...); err != nil {
		return err
	}
	out := f.out
	// One run's report goes into its own folder.
	if out == "" {
		if out = filepath.Join("out", "report"); len(dirs) == 1 {
			out = dirs[0]
		}
	}
	// Reading and writing are separate steps: the lock of the folder must cover both, or only
	// the second.
	var w *reportWork
	read := func() (err error) {
		w, err = f.read(out, dirs)
		return err
	}
	write := func() error { return w.write(stdout, out) }
	if _, err := os.Stat(out); err != nil {
		// The folder does not exist yet, and must not appear if the arguments are wrong.
		if err := read(); err != nil {
			return err
		}
		return holding(out, folderlock.Make, write)
	}
	// What is read may be in this folder, and must not change until it is written again.
	return holding(out, folderlock.Make, func() error {
		if err := read(); err != nil {
			return err
		}
		return write()
	})
}

// reportWork is what a report writes.
type reportWork struct {
	files    []reports.File
	manifest *reports.Manifest // of the run whose own folder they go to, nil if there is none
}

// read reads what is reported on, and prepares the files to write.
func (f *reportFlags) read(out string, dirs []string) (*reportWork, error) {
	page := &reports.Page{}
	runs, studies, err := loadAll(page, dirs)
	if err != nil {
		return nil, err
	}
	// Names go to the runs in the order of their folders.
	if len(f.names) > len(runs) {
		return nil, usagef("%d --name for %d folders of runs", len(f.names), len(runs))
	}
	// Links lead from the page to the files of each run.
	if page.Links, err = linksTo(out, runs); err != nil {
		return nil, usage(err)
	}
	if len(runs) > 1 || len(f.names) > 0 {
		page.Names = runNames(runs, f.names)
	}
	w := &reportWork{}
	// Into its own folder the files of one run go under the run's manifest.
	if len(runs) == 1 && len(studies) == 0 && page.Links[0] == "" {
		w.manifest = &page.Runs[0].Manifest
	}
	// The pictures first, then the page.
	if w.files, err = f.pictures(page); err != nil {
		return nil, &exitError{exitInternal, err}
	}
	w.files = append(w.files, reports.File{Name: "report.html", Write: page.Write})
	return w, nil
}

// write writes the files into folder out, and prints the page's name.
func (w *reportWork) write(stdout io.Writer, out string) error {
	if err := reports.AddFiles(out, w.manifest, w.files); err != nil {
		return &exitError{exitInternal, err}
	}
	_, err := fmt.Fprintf(stdout, "%s\n", filepath.Join(out, "report.html"))
	return err
}

// loadAll reads folders of runs, and at most one of a study, into the page. It returns which
// folders are which.
func loadAll(page *reports.Page, dirs []string) (runs, studies []string, err error) {
	for _, dir := range dirs {
		// A folder without a plan is that of a run.
		if _, err := os.Stat(filepath.Join(dir, "plan.json")); err != nil {
			r, err := loadRun(dir)
			if err != nil {
				return nil, nil, err
			}
			page.Runs = append(page.Runs, r)
			runs = append(runs, dir)
			continue
		}
		// A page has room for one study.
		studies = append(studies, dir)
		if len(studies) > 1 {
			return nil, nil, usagef("%s, %s: a page shows one study", studies[0], dir)
		}
		r, err := study.Load(dir)
		if err != nil {
			return nil, nil, usage(err)
		}
		page.Study = r.Page()
	}
	return runs, studies, nil
}

// loadRun reads a run's folder.
func loadRun(dir string) (*reports.Run, error) {
	r, err := reports.Load(dir)
	// Say whether it is the folder that is missing, or a finished run in it.
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(dir); err != nil {
			return nil, usagef("%s: no such folder", dir)
		}
		return nil, usagef("%s: not a finished run of mbsim run: %v", dir, err)
	}
	if err != nil {
		return nil, usage(err)
	}
	// Runs of an older mbsim do not say which settings were changed.
	if r.Manifest.Changed == nil {
		r.Manifest.Changed = changedSettings(r.Manifest.Config)
	}
	return r, nil
}

// pictures are those of all runs and of the study in both sizes.
func (f *reportFlags) pictures(page *reports.Page) (files []reports.File, err error) {
	if f.noPlots {
		return nil, nil
	}
	// The study's, and then those of each run, whose names begin with the run's if there are
	// several.
	if page.Study != nil {
		for _, size := range []reports.Size{reports.Paper, reports.Slide} {
			all, err := reports.StudyPictures(page.Study, size, pictureFiles(f.format)...)
			if err != nil {
				return nil, err
			}
			files = append(files, all...)
		}
	}
	for i, r := range page.Runs {
		prefix := ""
		if len(page.Runs) > 1 {
			prefix = fileName(page.Names[i]) + "-"
		}
		for _, size := range []reports.Size{reports.Paper, reports.Slide} {
			for _, p := range reports.Pictures(r, size, pictureFiles(f.format)...) {
				files = append(files, reports.File{Name: prefix + p.Name, Write: p.Write})
			}
		}
	}
	return files, nil
}

var unsafeName = regexp.MustCompile(`[^\w.=,+-]+`)

// fileName is a run's name in the form that file names have.
func fileName(s string) string { return strings.TrimLeft(unsafeName.ReplaceAllString(s, "_"), ".-") }

// linksTo returns the paths that lead from folder out to the others, with slashes; "" for out
// itself.
func linksTo(out string, dirs []string) (links []string, err error) {
	from, err := filepath.Abs(out)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		to, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(from, to)
		if err != nil {
			return nil, err
		}
		if rel == "." {
			rel = ""
		}
		links = append(links, filepath.ToSlash(rel))
	}
	return links, nil
}

// runNames returns the names that were given, and for the other runs the last parts of their
// folders' paths. Where these are not enough to tell runs apart it takes the whole paths, and
// numbers where even paths are equal.
func runNames(dirs, given []string) []string {
	// Take the first way of naming that gives each run a name of its own.
	for _, name := range []func(string) string{
		func(dir string) string { abs, _ := filepath.Abs(dir); return filepath.Base(abs) },
		filepath.Clean,
	} {
		names := slices.Clone(given)
		for _, dir := range dirs[len(given):] {
			names = append(names, name(dir))
		}
		sorted := slices.Sorted(slices.Values(names))
		if len(slices.Compact(sorted)) == len(names) {
			return names
		}
	}
	names := slices.Clone(given)
	for i, dir := range dirs[len(given):] {
		names = append(names, fmt.Sprintf("%d %s", len(given)+i+1, dir))
	}
	return names
}

// changedSettings returns the settings of a resolved scenario that are not the default.
// Some have no default, because they are what the scenario is about: the size of its device,
// its workload, its seed and its expectations.
func changedSettings(config json.RawMessage) []reports.Change {
	// Compare with a scenario that sets nothing it need not set.
	plain, err := scenarios.Parse([]byte("device: {mkfs: {size: 64M}}\nworkload: {script: \"sync\\nsync\\n\"}\n"), "plain", scenarios.Options{})
	if err != nil {
		return nil // a test holds that it is none
	}
	skip := func(path string) bool {
		top, _, _ := strings.Cut(path, ".")
		return slices.Contains([]string{"name", "question", "workload", "seed", "expect"}, top) ||
			slices.Contains([]string{"device.mkfs.size", "device.image", "device.dumpe2fs"}, path)
	}
	return reports.Changes(config, plain.ResolvedJSON(), skip, defaultOf)
}

// defaultOf returns the default of a setting that a resolved scenario leaves out, "" where it
// has none.
func defaultOf(path string) string {
	// A tunable, or a key of the scenario's language.
	if field, ok := strings.CutPrefix(path, "tunables."); ok {
		for _, t := range scenarios.Tunables() {
			if t.Field == field {
				return t.Default
			}
		}
	}
	for _, s := range scenarios.Describe() {
		for _, where := range s.Where {
			for _, k := range s.Keys {
				if strings.TrimPrefix(where+"."+k.Name, ".") == path {
					return k.Default
				}
			}
		}
	}
	return ""
}
