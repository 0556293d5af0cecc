package imports

import (
	"fmt"
	"io"
	"math"
	"strings"

	"mbsim/imports/geriatrix"
)

// ScenarioFile is the file of a case that is a scenario.
const ScenarioFile = "scenario.yaml"

// The notes of the import of a profile.
const (
	noteAges   = "ages: a class of files for each, whose files are replaced at random and are as old as that on average; Geriatrix keeps each age exactly"
	noteDepths = "depths: as many directories nested as deep; files lie in any of them, whatever the weights say"
)

// aged is the workload that leaves a file system as a profile describes it.
type aged struct {
	profile geriatrix.Profile
	size    int64   // of the device, bytes
	used    float64 // share of it that the files have
	files   float64 // as many as have room
}

// importGeriatrix makes a scenario of a profile: first the files are made, as many as fill the device to 80%,
// then they are replaced, those that shall be young often and those that shall be old seldom.
func importGeriatrix(logs []*Log, opt Options, out Output) (*Report, error) {
	a := aged{size: 1 << 30, used: 0.8}
	if opt.Size > 0 {
		a.size = opt.Size
	}
	for _, l := range logs {
		if err := l.text(func(r io.Reader) error { return a.profile.Read(r, l.Name) }); err != nil {
			return nil, err
		}
	}
	if a.profile.Ages == nil || a.profile.Sizes == nil {
		return nil, fmt.Errorf("%s: a profile needs the distribution of ages and that of sizes: name both files, and that of depths where there is one", logs[0].Name)
	}
	// A file takes whole blocks, and an inode besides.
	blocks := make([]geriatrix.Bin, len(a.profile.Sizes))
	for i, b := range a.profile.Sizes {
		blocks[i] = geriatrix.Bin{Value: math.Ceil(b.Value/4096) * 4096, Weight: b.Weight}
	}
	a.files = math.Floor(float64(a.size) * a.used / (geriatrix.Mean(blocks) + 256))
	if least := float64(len(a.profile.Ages)); a.files < least {
		return nil, fmt.Errorf("%s: %.0f such files have room on a device of %d bytes: want a larger one (--size)", logs[0].Name, a.files, a.size)
	}
	w, err := out(ScenarioFile)
	if err == nil {
		_, err = io.WriteString(w, a.yaml(fileNames(logs)))
	}
	if err != nil {
		return nil, err
	}
	r := &Report{File: fileNames(logs), Root: "/", Unit: "bins", Place: "line", Still: "have no weight", Scenario: true, Lines: a.profile.Lines}
	for _, bins := range [][]geriatrix.Bin{a.profile.Ages, a.profile.Sizes, a.profile.Depths} {
		for _, b := range bins {
			r.Calls++
			if b.Weight > 0 {
				r.Performed++
			} else {
				r.NoBlock++
			}
		}
	}
	r.note(noteAges, 1)
	if a.profile.Depths != nil {
		r.note(noteDepths, 1)
	}
	return r, nil
}

// rate is how many operations a second all classes make together. There is no other clock that it must agree
// with: only the relation of the ages counts.
const rate = 1000

// turnovers is how many operations there are for each file before the end.
const turnovers = 20

// yaml is the scenario.
func (a *aged) yaml(from string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What does a file system look like that has aged as a profile of Geriatrix says?\n#\n# Made by mbsim import from %q.\n", from)
	fmt.Fprintf(&b, "# A class for each age of files: the older they shall be, the more seldom they are replaced.\n")
	fmt.Fprintf(&b, "device:\n  mkfs:\n    size: %d\n    inodes: %.0f\nworkload:\n  phases:\n", a.size, math.Max(a.files*2, 1024))
	a.phase(&b, "fill", "measure: false", func(float64, float64) string { return "mix: {create: 1}" })
	fmt.Fprintf(&b, "      until: {files: %.0f, used: %g%%}\n      then: sync\n", a.files, a.used*100)
	// Replaced is a file by a delete and a create: two operations. The rates of all classes make rate.
	total := 0.0
	a.classes(func(_, age, files float64) { total += 2 * files / age })
	a.phase(&b, "age", "", func(age, files float64) string {
		interval := min(max(total/(2*files/age)/rate*1e9, 1), 1e18)
		return fmt.Sprintf("arrival: {exponential: %.0fns}\n          target_used: %g%%\n          mix: {create: 1, delete: 1}", interval, a.used*100)
	})
	fmt.Fprintf(&b, "      until: {operations: %.0f}\n      then: sync\n", math.Ceil(a.files*turnovers))
	return b.String()
}

// classes lists the ages that have weight: their number, age and files.
func (a *aged) classes(use func(i, age, files float64)) {
	total := 0.0
	for _, b := range a.profile.Ages {
		total += b.Weight
	}
	for i, b := range a.profile.Ages {
		if b.Weight > 0 {
			use(float64(i), max(b.Value, 1e-9), max(math.Round(a.files*b.Weight/total), 1))
		}
	}
}

// phase writes a phase with a class for each age.
func (a *aged) phase(b *strings.Builder, name, more string, keys func(age, files float64) string) {
	fmt.Fprintf(b, "    - name: %s\n", name)
	if more != "" {
		fmt.Fprintf(b, "      %s\n", more)
	}
	fmt.Fprintf(b, "      classes:\n")
	a.classes(func(i, age, files float64) {
		fmt.Fprintf(b, "        - name: age%.0f\n          %s\n", i, keys(age, files))
		fmt.Fprintf(b, "          files: %.0f\n", files)
		fmt.Fprintf(b, "          file_size: {histogram: %s}\n", bins(a.profile.Sizes))
		fmt.Fprintf(b, "          directories: %s\n", a.directories())
	})
}

// bins are sizes and their weights.
func bins(all []geriatrix.Bin) string {
	var parts []string
	for _, x := range all {
		if x.Weight > 0 {
			parts = append(parts, fmt.Sprintf("[%.0f, %g]", x.Value, x.Weight))
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// directories are as many as the profile has, nested as deep as the deepest; all classes have their own.
func (a *aged) directories() string {
	const mostDirs, mostDeep = 1000000, 100 // as a scenario allows
	count, depth := int64(0), 1.0
	for _, x := range a.profile.Depths {
		count += x.Dirs
		if x.Weight > 0 {
			depth = max(depth, x.Value)
		}
	}
	ages := int64(0)
	a.classes(func(float64, float64, float64) { ages++ })
	return fmt.Sprintf("{count: %d, depth: %.0f}", min(max((count+ages-1)/ages, 1), mostDirs), min(depth, mostDeep))
}

// isGeriatrix says whether a text begins as a distribution of a profile.
func isGeriatrix(head []byte) bool { return geriatrix.IsProfile(head) }
