package kernels

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem/ext4"
)

// Change is what one commit of the kernel, or a few that belong together, changed in ext4:
// in its allocator, in what is above that, or in both.
type Change struct {
	Name   string // as scenarios name it: words with hyphens
	Doc    string // what a kernel with it does, in one sentence
	Commit string // title of the upstream commit, or of several
	Since  string // the first mainline version that has it
	Stable string // stable releases that took it over, in words; empty for none that is known
	Where  string // where in this program or in the kernel it acts
	// Kernels are the names of the kernels that have it, and Needs those of the changes without
	// which it has no meaning.
	Kernels, Needs []string
}

// In says whether the kernel of this name has the change.
func (c *Change) In(kernel string) bool { return slices.Contains(c.Kernels, kernel) }

// Changes are all changes after the oldest kernel, in the order in which mainline got them.
// It is the only list of them, and the caller may not write to it.
func Changes() []Change { return changes }

var changes = joinChanges(mballoc.Changes, ext4.Changes)

// joinChanges makes one list of the changes of the allocator and of those above it. A change
// that has a part in both is one.
func joinChanges(below []allocator.Change[mballoc.Kernel], above []allocator.Change[ext4.Kernel]) []Change {
	var all []Change
	for i := range below {
		all = append(all, changeOf(&below[i]))
	}
	for i := range above {
		c := changeOf(&above[i])
		// What both lists say of one change is what the allocator's says.
		if !slices.ContainsFunc(all, func(x Change) bool { return x.Name == c.Name }) {
			all = append(all, c)
		}
	}
	// Those of one version keep their order, as one may need another before it.
	slices.SortStableFunc(all, func(a, b Change) int { return compareVersions(a.Since, b.Since) })
	return all
}

// changeOf is an entry of a list as the registry has it.
func changeOf[K any](c *allocator.Change[K]) Change {
	out := Change{Name: publicName(c.Name), Doc: c.Doc, Commit: c.Commit, Since: c.Since, Stable: c.Stable, Where: c.Where, Kernels: c.Kernels}
	for _, need := range c.Needs {
		out.Needs = append(out.Needs, publicName(need))
	}
	// Where the entry does not say where it comes from, the table does, or nobody knows.
	u := upstream[c.Name]
	out.Commit, out.Since, out.Stable = cmp.Or(u.commit, out.Commit, notIdentified), cmp.Or(u.since, out.Since), cmp.Or(u.stable, out.Stable)
	if out.Since == "" && len(c.Kernels) > 0 {
		out.Since = c.Kernels[0]
	}
	return out
}

// publicName is the name under which users know an entry of one of the lists.
func publicName(name string) string { return cmp.Or(partOf[name], name) }

// compareVersions compares two versions such as 5.13 and 6.1. It is the only place at which
// versions are compared, and it decides nothing but an order in which to tell of changes.
func compareVersions(a, b string) int {
	return slices.Compare(versionNumbers(a), versionNumbers(b))
}

// versionNumbers are the numbers of a version.
func versionNumbers(v string) (out []int) {
	for part := range strings.SplitSeq(v, ".") {
		n, _ := strconv.Atoi(part) // what is no number comes first
		out = append(out, n)
	}
	return out
}

// FindChange is the change of this name.
func FindChange(name string) (*Change, bool) {
	i := changeIndex(name)
	if i < 0 {
		return nil, false
	}
	return &changes[i], true
}

// changeIndex is the place of a change in the list, -1 where there is none of this name.
func changeIndex(name string) int {
	return slices.IndexFunc(changes, func(c Change) bool { return c.Name == name })
}

// changeNames are the names of all changes.
func changeNames() (names []string) {
	for i := range changes {
		names = append(names, changes[i].Name)
	}
	return names
}
