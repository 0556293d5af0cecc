package kernels

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem/ext4"
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

// Nearest is the system nearest to the kernel of a release, as uname -r prints it: the one
// that differs from it by the fewest changes that are known to be in one of the two only. Of
// several it is the newest that is not newer than the release.
func Nearest(release string) (sys *System, note string, err error) {
	v, suffix, err := parseRelease(release)
	if err != nil {
		return nil, "", err
	}
	all := profiles()
	changes := slices.Concat(dated(mballoc.Changes), dated(ext4.Changes))
	var best profile
	var lacks, more []string // of the best so far
	for _, p := range all {
		l, m := differences(changes, v, p.Name, all)
		// A later profile is nearer if less differs, or the same and it is not too new.
		less := cmp.Compare(len(l)+len(m), len(lacks)+len(more))
		if best.System == nil || less < 0 || less == 0 && p.at.compareSeries(v) <= 0 {
			best, lacks, more = p, l, m
		}
	}
	// An older kernel of a profile's series may be from before its series took a change over.
	var taken []string
	for _, c := range changes {
		if v.compareSeries(best.at) == 0 && v.stable < best.at.stable && c.taken(v) {
			taken = append(taken, c.name)
		}
	}
	return best.System, best.note(release, suffix, v, lacks, slices.Concat(more, taken)), nil
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
func (p *profile) note(release, suffix string, v version, lacks, more []string) string {
	note := fmt.Sprintf("the kernel is %s; the nearest profile is %s (%s)", release, p.Name, p.Doc)
	if len(lacks) > 0 {
		note += "; it lacks " + some(lacks)
	}
	if len(more) > 0 {
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

// version is a kernel's release as numbers: a series such as 6.18, and the stable release.
type version struct{ major, minor, stable int }

// compareSeries compares two versions but for their stable releases.
func (v version) compareSeries(w version) int {
	return cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor))
}

// releaseForm is a release as uname -r prints it, such as 6.1.0-50-amd64. Numbers that no
// kernel will have are none.
var releaseForm = regexp.MustCompile(`^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,6}))?(?:[^\d.\s]\S*)?$`)

// parseRelease reads a release. The suffix is what follows the numbers, without the sign
// that separates it.
func parseRelease(release string) (v version, suffix string, err error) {
	m := releaseForm.FindStringSubmatch(release)
	if m == nil {
		return v, "", fmt.Errorf("%q is no release of Linux: want one such as 6.1.2-name", release)
	}
	for i, n := range []*int{&v.major, &v.minor, &v.stable} {
		*n, _ = strconv.Atoi(m[i+1]) // digits, or empty and 0
	}
	suffix = strings.TrimLeft(release, "0123456789.")
	return v, strings.TrimLeft(suffix, "-+~"), nil
}

// datedChange is when a change came.
type datedChange struct {
	name     string
	profiles []string
	since    version
	dated    bool      // whether since is known
	stable   []version // series that took it over
}

// dated are when the changes of one part came.
func dated[K any](changes []allocator.Change[K]) []datedChange {
	var all []datedChange
	for i := range changes {
		c := &changes[i]
		// What no profile has makes none of them better or worse.
		if len(c.Kernels) == 0 {
			continue
		}
		d := datedChange{name: c.Name, profiles: c.Kernels}
		if since, _, err := parseRelease(c.Since); err == nil {
			d.since, d.dated = since, true
		}
		// The series that took it over are words of a text.
		for _, word := range strings.FieldsFunc(c.Stable, func(r rune) bool { return strings.ContainsRune(" ,;", r) }) {
			if s, _, err := parseRelease(word); err == nil {
				d.stable = append(d.stable, s)
			}
		}
		all = append(all, d)
	}
	return all
}

// taken says whether the series of a version took the change over, in some stable release.
func (c *datedChange) taken(v version) bool {
	return slices.ContainsFunc(c.stable, func(s version) bool { return s.compareSeries(v) == 0 })
}

// has says whether a kernel of this version has the change, if that is known.
func (c *datedChange) has(v version, all []profile) (has, known bool) {
	// The profiles around it, which are the same for one of a profile's series. Profiles are in
	// the order of their versions.
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
	in := func(p *profile) bool { return p != nil && slices.Contains(c.profiles, p.Name) }
	switch {
	case below != nil && below == above:
		return in(below), true
	case c.dated:
		return c.taken(v) || c.since.compareSeries(v) <= 0, true
	// A version newer than all profiles has what the newest has; one that is older, what the
	// oldest has.
	case above == nil:
		return in(below), true
	case below == nil:
		return in(above), true
	}
	return in(below), in(below) == in(above)
}

// differences are the names of the changes in which a profile is known to differ from a kernel
// of a version: those that it lacks, and those that it has more.
func differences(changes []datedChange, v version, name string, all []profile) (lacks, more []string) {
	for i := range changes {
		c := &changes[i]
		in := slices.Contains(c.profiles, name)
		has, known := c.has(v, all)
		switch {
		case known && has && !in:
			lacks = append(lacks, c.name)
		case known && !has && in:
			more = append(more, c.name)
		}
	}
	return lacks, more
}
