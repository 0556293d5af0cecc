package scenarios

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"

	"mbsim/filesystem/image"
	"mbsim/workload"
)

// check refuses what the tables of keys cannot: values that do not go together.
func (d *decoder) check(s *Scenario) error {
	// The name becomes the name of the run's output folder: it must not lead elsewhere, be hidden,
	// or hold control characters.
	if s.Name == "" || strings.ContainsAny(s.Name, "/\\") || strings.HasPrefix(s.Name, ".") || strings.ToValidUTF8(s.Name, "") != s.Name || hasControl(s.Name) {
		return d.errorf(d.where[&s.Name], "name %q: it names an output folder", s.Name)
	}
	// Which mount options and tunables exist depends on the profile, which the tables of keys do
	// not know.
	if err := d.checkMount(s); err != nil {
		return err
	}
	if err := d.checkTunables(s); err != nil {
		return err
	}
	// Package image knows mke2fs's rules. The layout it computes is kept for Layout.
	if m := s.Device.Mkfs; m != nil {
		if err := checkLayout(s); err != nil {
			return d.wholeErrorf(d.where[m], "%v", err)
		}
	}
	if err := d.checkPhases(s); err != nil {
		return err
	}
	// Where the names of metrics are not known, the tables of keys accept an empty one.
	for i := range s.Expect {
		if e := &s.Expect[i]; e.Metric == "" {
			return d.errorf(d.where[e], "the metric has no name")
		}
	}
	return nil
}

// hasControl says whether a text holds control characters.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// checkLayout lets mkfs lay the device out.
func checkLayout(s *Scenario) error {
	p, err := s.MkfsParams()
	if err != nil {
		return err
	}
	// mke2fs counts groups in 32 bits. The smallest block is 1024 bytes.
	if g := int64(p.BlocksPerGroup); g > 0 && p.Size/1024/g > math.MaxInt32 {
		return fmt.Errorf("groups of %d blocks are too many on a device of %s", g, formatSize(p.Size))
	}
	s.made, err = image.Mkfs(p)
	return err
}

// checkMount lets the file system read the mount options.
func (d *decoder) checkMount(s *Scenario) error {
	n := d.where[&s.Mount]
	if n == nil {
		return nil
	}
	// A list is checked element by element, so that an error names the element's place.
	parts := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		parts = n.Content
	}
	for _, part := range parts {
		if err := s.System().CheckMount(optionsOf(part.Value)); err != nil {
			return d.errorf(part, "%v", err)
		}
	}
	return nil
}

// checkTunables refuses tunables that the profile's kernel does not have.
func (d *decoder) checkTunables(s *Scenario) error {
	sys := s.System()
	for _, t := range s.Tunables {
		if err := sys.CheckTunable(t.Field); err != nil {
			return d.errorf(tunableNode(d.where[&s.Tunables], &t), "%v", err)
		}
	}
	return nil
}

// tunableNode is the value of a tunable in a mapping, by either of its names.
func tunableNode(n *yaml.Node, t *Tunable) *yaml.Node {
	if v := keyNode(n, t.Sysfs); v != n {
		return v
	}
	return keyNode(n, t.Field)
}

// checkPhases checks the phases and their classes.
func (d *decoder) checkPhases(s *Scenario) error {
	// first is the earliest definition of each class name: a class of the same name in a later
	// phase goes on with that one's files.
	names := make(map[string]bool)
	first := make(map[string]*workload.Class)
	for i := range s.Workload.Phases {
		ph := &s.Workload.Phases[i]
		at := d.where[ph]
		if at == nil { // made from workload.classes, it has no node of its own
			at = d.where[&s.Workload]
		}
		if ph.Name == "" || names[ph.Name] {
			return d.errorf(keyNode(at, "name"), "phase name %q: want one that no other phase has", ph.Name)
		}
		names[ph.Name] = true
		if err := d.checkClasses(s, ph, first); err != nil {
			return err
		}
		if err := checkEnd(ph, s); err != nil {
			return d.wholeErrorf(at, "phase %s: %v", ph.Name, err)
		}
	}
	return nil
}

// The most processes a phase may have, and the most directories these may have together:
// each takes memory before the first operation.
const (
	maxProcesses   = 100000
	maxDirectories = 10000000
)

// checkClasses checks the classes of a phase: each by itself, that their names differ, how
// much they need together, and that they agree with earlier phases, whose classes are in
// first.
func (d *decoder) checkClasses(s *Scenario, ph *workload.Phase, first map[string]*workload.Class) error {
	names := make(map[string]bool)
	processes, directories := 0, 0
	for i := range ph.Classes {
		c := &ph.Classes[i]
		at := d.where[c]
		if err := c.Check(s.CPUs); err != nil {
			return d.keyError(at, err)
		}
		if names[c.Name] {
			return d.errorf(keyNode(at, "name"), "class name %q is taken in this phase", c.Name)
		}
		names[c.Name] = true
		// A class shares its directories, unless per_process gives each process its own.
		processes += c.Count
		trees := 1
		if c.Directories.PerProcess {
			trees = c.Count
		}
		directories += c.Directories.Count * trees
		switch {
		case processes > maxProcesses:
			return d.errorf(keyNode(at, "count"), "the classes of phase %s have more than %d processes", ph.Name, maxProcesses)
		case directories > maxDirectories:
			return d.errorf(keyNode(at, "directories"), "the processes of phase %s have more than %d directories", ph.Name, maxDirectories)
		}
		// A class that goes on finds the directories that an earlier phase made, so it must
		// describe the same ones.
		if f := first[c.Name]; f == nil {
			first[c.Name] = c
		} else if !reflect.DeepEqual(f.Directories, c.Directories) {
			return d.errorf(keyNode(at, "directories"), "class %s has other directories in an earlier phase: it goes on with those", c.Name)
		}
	}
	return nil
}

// checkEnd refuses a phase that nothing would end.
func checkEnd(ph *workload.Phase, s *Scenario) error {
	u, stop := ph.Until, &s.Stop
	// Without a limit of operations, space or files only simulated time can end the phase.
	timeOnly := u.Operations == 0 && u.Used == 0 && u.Files == 0 && stop.Operations == 0 && stop.Used == 0 && !stop.OutOfSpace
	// Processes that stop when the device is full end the phase when it is.
	stops := len(ph.Classes) > 0
	for i := range ph.Classes {
		stops = stops && ph.Classes[i].OnFull == workload.FullStop
	}
	if timeOnly && u.Time == 0 && stop.Time == 0 && !stops {
		return fmt.Errorf("nothing ends it: want until or stop")
	}
	// A class without think and arrival never waits between operations. Where no class does,
	// nothing but the calls themselves makes time pass: they must take some.
	timeless := s.callsTakeNoTime()
	for i := range ph.Classes {
		timeless = timeless && ph.Classes[i].Think.Kind == workload.NoDist && ph.Classes[i].Arrival.Kind == workload.NoDist
	}
	if timeOnly && timeless && !stops {
		return fmt.Errorf("it ends by time only, but no class has think or arrival, and a call costs no time")
	}
	return nil
}

// callsTakeNoTime says whether a system call may take no time at all: only where the costs
// say so.
func (s *Scenario) callsTakeNoTime() bool {
	if s.Timing == nil {
		return false
	}
	costs, err := s.Timing.CostModel()
	return err == nil && costs.Syscall == 0
}
