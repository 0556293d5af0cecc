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

	"mbsim/reports"
	"mbsim/scenarios"
)

type reportFlags struct {
	out     string
	names   []string
	noPlots bool
}

func newReport() *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use:   "report DIR...",
		Short: "Write PNGs and one self-contained HTML page of runs",
		Long: `report reads the folders that mbsim run has written. It writes

  report.html    one page with everything in it: verdicts, metrics, plots over
                 simulated time, the block map, histograms; it fetches nothing
  *.png          plots sized for a paper (16 x 9 cm, 200 dots an inch)
  *-slide.png    the same for a slide (1920 x 1080), with larger letters

Of one run they go into its own folder. Several runs come into one page, compared
with the first; that goes to out/report, and the names of PNGs begin with the
run's.`,
		Example: `  mbsim report out/small-files
  mbsim report out/base out/order4 -o out/base-and-order4
  mbsim report out/a out/b --name "2 CPUs" --name "8 CPUs"`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.report(c.OutOrStdout(), args) },
	}
	c.Flags().StringVarP(&f.out, "out", "o", "", "output folder (default the run's own, of several out/report)")
	c.Flags().StringArrayVar(&f.names, "name", nil, "`name` of a run on the page, in the order of the folders (default the folder's)")
	c.Flags().BoolVar(&f.noPlots, "no-plots", false, "write no PNGs")
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return c
}

func (f *reportFlags) report(stdout io.Writer, dirs []string) error {
	if len(f.names) > len(dirs) {
		return usagef("%d --name for %d folders", len(f.names), len(dirs))
	}
	page := &reports.Page{}
	for _, dir := range dirs {
		r, err := loadRun(dir)
		if err != nil {
			return err
		}
		page.Runs = append(page.Runs, r)
	}
	out := f.out
	if out == "" {
		if out = filepath.Join("out", "report"); len(dirs) == 1 {
			out = dirs[0]
		}
	}
	var err error
	if page.Links, err = linksTo(out, dirs); err != nil {
		return usage(err)
	}
	if len(dirs) > 1 || len(f.names) > 0 {
		page.Names = runNames(dirs, f.names)
	}
	// Into its own folder the files of one run go under the run's manifest.
	var m *reports.Manifest
	if len(dirs) == 1 && page.Links[0] == "" {
		m = &page.Runs[0].Manifest
	}
	files := append(f.pictures(page), reports.File{Name: "report.html", Write: page.Write})
	if err := reports.AddFiles(out, m, files); err != nil {
		return usage(err)
	}
	_, err = fmt.Fprintf(stdout, "%s\n", filepath.Join(out, "report.html"))
	return err
}

// loadRun reads a run's folder.
func loadRun(dir string) (*reports.Run, error) {
	r, err := reports.Load(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(dir); err != nil {
			return nil, usagef("%s: no such folder", dir)
		}
		return nil, usagef("%s: not a finished run of mbsim run: %v", dir, err)
	}
	if err != nil {
		return nil, usage(err)
	}
	if r.Manifest.Changed == nil {
		r.Manifest.Changed = changedSettings(r.Manifest.Config)
	}
	return r, nil
}

// pictures are the PNGs of all runs in both sizes.
func (f *reportFlags) pictures(page *reports.Page) (files []reports.File) {
	if f.noPlots {
		return nil
	}
	for i, r := range page.Runs {
		prefix := ""
		if len(page.Runs) > 1 {
			prefix = fileName(page.Names[i]) + "-"
		}
		for _, size := range []reports.Size{reports.Paper, reports.Slide} {
			for _, p := range reports.Pictures(r, size) {
				files = append(files, reports.File{Name: prefix + p.Name, Write: p.Write})
			}
		}
	}
	return files
}

var unsafeName = regexp.MustCompile(`[^\w.=,+-]+`)

// fileName is a name that files may have.
func fileName(s string) string { return strings.TrimLeft(unsafeName.ReplaceAllString(s, "_"), ".-") }

// linksTo lead from folder out to the others: "" to itself.
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

// runNames are the given names, and for the rest the folders' last parts, or
// whole paths where these are not enough to tell runs apart.
func runNames(dirs, given []string) []string {
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

// changedSettings are those of a resolved scenario that are not the default.
// What a scenario is about has none: its device's size, workload, seed and
// expectations.
func changedSettings(config json.RawMessage) []reports.Change {
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

// defaultOf is the default of a setting that a resolved scenario leaves out.
func defaultOf(path string) string {
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
