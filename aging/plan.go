package aging

import (
	"fmt"
	"math"
	"strings"
)

// Plan is what is to be aged, and how.
type Plan struct {
	Profile *Profile
	Kernel  string
	Size    int64   // bytes of the device
	Mkfs    string  // arguments of mke2fs besides, such as "-b 1024"
	Use     float64 // share of the device in use at the end
	Churn   float64 // how many times the capacity is written, filling included
	Writers int     // processes that write at once
	Seed    uint64
}

// Check reports what of a plan makes no sense.
func (p *Plan) Check() error {
	switch {
	case p.Size < 16<<20:
		return fmt.Errorf("a size of %d bytes: want 16M or more", p.Size)
	case !(p.Use > 0 && p.Use <= 0.98):
		return fmt.Errorf("use %g: want above 0, at most 0.98", p.Use)
	case !(p.Churn >= 0 && p.Churn <= 1e6):
		return fmt.Errorf("churn %g: want 0 to 1000000 times the capacity", p.Churn)
	case p.Writers < 1 || p.Writers > 64:
		return fmt.Errorf("%d writers: want 1 to 64", p.Writers)
	}
	return nil
}

// MeanSize is the mean size of a file of the profile on a device of so many bytes, no file of which is
// larger than a twentieth.
func (p *Profile) MeanSize(device int64) float64 {
	largest := float64(largestFile(device))
	if len(p.Sizes) == 0 {
		// The mean of a lognormal distribution that is cut at its upper end.
		mu := math.Log(p.Median)
		phi := func(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }
		at := (math.Log(largest) - mu) / p.Sigma
		return math.Exp(mu+p.Sigma*p.Sigma/2)*phi(at-p.Sigma) + largest*(1-phi(at))
	}
	sum, weights, low := 0.0, 0.0, 0.0
	for _, b := range p.Sizes {
		sum += b.Weight * min(largest, (low+b.Value)/2)
		weights += b.Weight
		low = b.Value
	}
	return sum / weights
}

// largestFile is the size that a file has at most, so that single ones do not decide the whole.
func largestFile(device int64) int64 { return max(1<<20, device/20) }

// blockMean is about how much a file takes, in whole blocks.
func (p *Profile) blockMean(device int64) float64 { return p.MeanSize(device) + 2048 }

// Files is about how many files there will be.
func (p *Plan) Files() int64 {
	return max(1, int64(float64(p.Size)*p.Use/p.Profile.blockMean(p.Size)))
}

// Operations is about how many files are made and removed once the device is as full as it is to be.
func (p *Plan) Operations() int64 {
	again := (p.Churn - p.Use) * float64(p.Size) / p.Profile.blockMean(p.Size)
	return max(0, int64(2*again))
}

// inodeRatio is how many bytes there are for each inode: mke2fs's choice, or fewer where that is too few
// inodes for the files.
func (p *Plan) inodeRatio() int64 {
	ratio := int64(16384)
	for ratio > 1024 && p.Size/ratio < p.Files()*5/4 {
		ratio /= 2
	}
	return ratio
}

// samples is about how many samples a run takes: each looks at all files, and with more of them that would
// be most of the work.
const samples = 8

// pause is the mean time between two operations of a writer, ms of simulated time.
const pause = 1

// sample is the simulated time between two samples, ms.
func (p *Plan) sample() int64 {
	return max(1, (p.Files()+p.Operations())*pause/int64(p.Writers)/samples)
}

// Scenario is the text of the scenario of a plan.
func (p *Plan) Scenario() string {
	var b strings.Builder
	add := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	add("# What does a device look like that files of the profile %s have aged?", p.Profile.Name)
	add("#")
	add("# Made by mbsim age: %s.", p.Profile.Doc)
	add("# Source: %s.", p.Profile.Source)
	// The machine.
	add("name: age-%s", p.Profile.Name)
	add("profile: %q", p.Kernel)
	add("seed: %d", p.Seed)
	add("cpus: %d", p.Writers)
	add("sample: %dms", p.sample())
	// The device, with inodes for as many files as there will be.
	add("device:")
	add("  mkfs:")
	add("    size: %d", p.Size)
	if p.Mkfs != "" {
		add("    options: %q", p.Mkfs)
	} else if ratio := p.inodeRatio(); ratio != 16384 {
		add("    bytes_per_inode: %d", ratio)
	}
	// Filled first, and then churned at the same use.
	add("workload:")
	add("  phases:")
	p.phase(&b, "fill", "{create: 1}", 0, fmt.Sprintf("{used: %g}", p.Use))
	if n := p.Operations(); n > 0 {
		p.phase(&b, "churn", "{create: 1, delete: 1}", p.Use, fmt.Sprintf("{operations: %d}", n))
	}
	return b.String()
}

// phase adds a phase.
func (p *Plan) phase(b *strings.Builder, name, mix string, target float64, until string) {
	add := func(format string, a ...any) { fmt.Fprintf(b, format+"\n", a...) }
	// Who writes, and how.
	add("    - name: %s", name)
	add("      until: %s", until)
	add("      classes:")
	add("        - name: files")
	add("          count: %d", p.Writers)
	add("          user: root")
	add("          think: {exponential: %dms}", pause)
	add("          chunk: 256K")
	add("          fsync_on_close: 5%%")
	add("          mix: %s", mix)
	if target > 0 {
		add("          target_used: %g", target)
	}
	// Files go when their time has come; the ages that a study found follow from lifetimes.
	add("          delete: expired")
	add("          lifetime: {histogram: %s}", durations(Lifetimes(p.Profile.Ages)))
	largest := largestFile(p.Size)
	if len(p.Profile.Sizes) == 0 {
		add("          file_size: {lognormal: {median: %.0f, sigma: %g, max: %d}}", p.Profile.Median, p.Profile.Sigma, largest)
	} else {
		add("          file_size: {histogram: {ranges: true, max: %d, bins: %s}}", largest, sizes(p.Profile.Sizes))
	}
	// As many directories as the study has files for.
	count := int64(1)
	if p.Profile.FilesPerDirectory > 0 {
		count = min(100_000, max(1, int64(float64(p.Files())/p.Profile.FilesPerDirectory)))
	}
	add("          directories: {count: %d, depth: %d, top: true}", count, p.Profile.Depth)
}

// sizes are bins of sizes in the language of scenarios.
func sizes(bins []Bin) string {
	var list []string
	for _, b := range bins {
		list = append(list, fmt.Sprintf("[%.0f, %g]", b.Value, b.Weight))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// durations are bins of hours in the language of scenarios, an hour as a second: only proportions count, and
// scenarios have no times beyond a year.
func durations(bins []Bin) string {
	var list []string
	for _, b := range bins {
		list = append(list, fmt.Sprintf("[%.0fms, %g]", b.Value*1000, b.Weight))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// Lifetimes are the lifetimes of files whose ages, at any one moment, are those given: where files are
// made at a steady rate, there are as many of an age as live that long. Observed ages go up here and
// there, as rates were not steady; neighbouring bins are joined until they do not.
func Lifetimes(ages []Bin) []Bin {
	type piece struct{ from, to, weight float64 }
	var pieces []piece
	low := 0.0
	for _, a := range ages {
		pieces = append(pieces, piece{low, a.Value, a.Weight})
		low = a.Value
		// The density must not rise: a bin with a higher one joins the one before.
		for n := len(pieces); n > 1; n = len(pieces) {
			x, y := &pieces[n-2], pieces[n-1]
			if x.weight*(y.to-y.from) >= y.weight*(x.to-x.from) {
				break
			}
			x.to, x.weight = y.to, x.weight+y.weight
			pieces = pieces[:n-1]
		}
	}
	// As many files end their life in a piece as the density falls behind it.
	var out []Bin
	for i, x := range pieces {
		density := x.weight / (x.to - x.from)
		next := 0.0
		if i+1 < len(pieces) {
			next = pieces[i+1].weight / (pieces[i+1].to - pieces[i+1].from)
		}
		out = append(out, Bin{x.to, density - next})
	}
	return out
}
