package kernels

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
)

// HostName stands for the kernel that is running, wherever a kernel is named. A recording
// made on it is in the folder of this name.
const HostName = "host"

// Host is the system nearest to the kernel that is running. The note says, in a sentence,
// which one that is and what may differ.
func Host() (sys *System, note string, err error) {
	// A system other than Linux has no such file.
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return nil, "", fmt.Errorf("cannot tell which kernel is running: %w", err)
	}
	sys, note, err = Nearest(strings.TrimSpace(string(text)))
	return sys, strings.Replace(note, "the kernel", "the running kernel", 1), err
}

// Nearest is the system nearest to the kernel of a release, as uname -r prints it: that of its
// series, if there is one; otherwise the one whose allocator differs by the fewest changes, as
// it decides where blocks go; of several the one that differs by the fewest changes above it,
// and then the newest that is not newer than the release. Only changes that are known to be in
// one of the two alone count.
func Nearest(release string) (sys *System, note string, err error) {
	v, suffix, err := parseRelease(release)
	if err != nil {
		return nil, "", err
	}
	all := profiles()
	var best profile
	var least difference // that of the best so far
	for _, p := range all {
		d := differences(v, p.Name, all)
		order := p.at.compareSeries(v)
		if order == 0 {
			best, least = p, d
			break
		}
		// A later profile is nearer if less differs, or the same and it is not too new.
		less := d.compare(&least)
		if best.System == nil || less < 0 || less == 0 && order < 0 {
			best, least = p, d
		}
	}
	return best.System, best.note(release, suffix, v, &least), nil
}

// profile is a system that stands for one release of Linux.
type profile struct {
	*System
	at version
}

// profiles are the systems whose description is a release and which have recordings of their
// own, in the order of their versions.
func profiles() []profile {
	var all []profile
	for _, s := range All() {
		at, _, err := parseRelease(strings.TrimPrefix(s.Doc, "Linux "))
		if err == nil && s.Recording == s.Name {
			all = append(all, profile{s, at})
		}
	}
	slices.SortStableFunc(all, func(p, q profile) int { return p.at.compareSeries(q.at) })
	return all
}

// note says that the profile stands for a release, and what may differ.
func (p *profile) note(release, suffix string, v version, d *difference) string {
	note := fmt.Sprintf("the kernel is %s; the nearest profile is %s (%s)", release, p.Name, p.Doc)
	// Those of the allocator first, as they matter most.
	if lacks := slices.Concat(d.allocator.lacks, d.above.lacks); lacks != nil {
		note += "; it lacks " + some(lacks)
	}
	if more := slices.Concat(d.allocator.more, d.above.more); more != nil {
		note += "; it has what this kernel may lack: " + some(more)
	}
	// What came with a stable release is known by its series only.
	switch {
	case v.compareSeries(p.at) != 0:
		note += "; no kernel of that series was ever compared"
	case v != p.at:
		note += "; what stable releases between the two changed may differ"
	}
	if suffix != "" {
		note += "; who built it (" + suffix + ") may have taken other changes"
	}
	return note
}

// some names the first few of many changes.
func some(names []string) string {
	const few = 4
	if n := len(names) - few; n > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), n)
	}
	return strings.Join(names, ", ")
}

// has says whether a kernel of this version has the change, if that is known.
func (c *Change) has(v version, all []profile) (has, known bool) {
	// The text of the change may say which release of the series took it over, that the series
	// did, or that all from some series on did that lived long enough.
	taken, perhaps := false, false
	for i := range c.taken {
		t := &c.taken[i]
		order := t.at.compareSeries(v)
		if order == 0 && t.at.stable > 0 {
			return v.stable >= t.at.stable, true
		}
		taken = taken || order == 0
		perhaps = perhaps || t.later && order <= 0
	}
	// The profiles around the version, which are the same for one of a profile's series. Profiles
	// are in the order of their versions.
	var below, above *profile
	for i := range all {
		order := all[i].at.compareSeries(v)
		if order <= 0 {
			below = &all[i]
		}
		if order >= 0 && above == nil {
			above = &all[i]
		}
	}
	in := func(p *profile) bool { return p != nil && c.In(p.Name) }
	switch {
	case below != nil && below == above:
		return in(below), true
	case c.dated:
		has := taken || c.since.compareSeries(v) <= 0
		return has, has || !perhaps
	// A version newer than all profiles has what the newest has; one that is older, what the
	// oldest has.
	case above == nil:
		return in(below), true
	case below == nil:
		return in(above), true
	}
	return in(below), in(below) == in(above)
}

// difference is in which changes a profile is known to differ from a kernel: in the allocator,
// and only above it.
type difference struct{ allocator, above lists }

// lists are the changes that a profile lacks, and of those that it has more.
type lists struct{ lacks, more []string }

func (n *lists) count() int { return len(n.lacks) + len(n.more) }

// compare is below 0 where d is the smaller difference.
func (d *difference) compare(e *difference) int {
	return cmp.Or(cmp.Compare(d.allocator.count(), e.allocator.count()), cmp.Compare(d.above.count(), e.above.count()))
}

// differences compares the profile of a name with a kernel of a version.
func differences(v version, name string, all []profile) (d difference) {
	for i := range changes {
		c := &changes[i]
		has, known := c.has(v, all)
		// What no profile has makes none of them better or worse.
		if len(c.Kernels) == 0 || !known || has == c.In(name) {
			continue
		}
		at := &d.above
		if c.InAllocator {
			at = &d.allocator
		}
		if has {
			at.lacks = append(at.lacks, c.Name)
		} else {
			at.more = append(at.more, c.Name)
		}
	}
	return d
}
