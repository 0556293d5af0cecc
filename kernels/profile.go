package kernels

import (
	"fmt"
	"slices"
	"strings"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem/ext4"
	"mbsim/internal/nearest"
)

// Profile is a kernel, or one with single changes switched: a set of changes.
type Profile struct {
	Kernel        string   // a name of Names
	With, Without []string // changes that it has beside those of the kernel, and that it lacks of them
}

// The marks before a change in a profile's text: 6.12+a^b is 6.12 with a and without b. ^
// leaves out, as it does in the feature lists of mke2fs. No name of a kernel or of a change
// has either.
const (
	withMark    = '+'
	withoutMark = '^'
)

// ParseProfile reads a profile's text: a kernel, and changes after a mark each. It does not
// look at the names.
func ParseProfile(text string) Profile {
	marks := string(withMark) + string(withoutMark)
	end := strings.IndexAny(text, marks)
	if end < 0 {
		return Profile{Kernel: text}
	}
	p := Profile{Kernel: text[:end]}
	for rest := text[end:]; rest != ""; {
		// The name goes up to the next mark.
		mark, name := rest[0], rest[1:]
		rest = ""
		if i := strings.IndexAny(name, marks); i >= 0 {
			name, rest = name[:i], name[i:]
		}
		if mark == withMark {
			p.With = append(p.With, name)
		} else {
			p.Without = append(p.Without, name)
		}
	}
	return p
}

// String is the profile's only text: changes are in the order of Changes, those that it has
// besides first. The profile must have been checked.
func (p Profile) String() string {
	text := p.Kernel
	for _, name := range inOrder(p.With) {
		text += string(withMark) + name
	}
	for _, name := range inOrder(p.Without) {
		text += string(withoutMark) + name
	}
	return text
}

// inOrder are names of changes in the order of Changes.
func inOrder(names []string) []string {
	names = slices.Clone(names)
	slices.SortStableFunc(names, func(a, b string) int { return changeIndex(a) - changeIndex(b) })
	return names
}

// ProfileError is a mistake in a profile. Its text is one line.
type ProfileError struct {
	// Switch is the name of the change that is wrong, "" where it is the kernel.
	Switch  string
	Message string
}

func (e *ProfileError) Error() string { return e.Message }

// Check refuses unknown names, changes that are switched to what they are, and sets in which
// a change lacks what it needs. The error is a *ProfileError.
func (p Profile) Check() error {
	fail := func(name, format string, a ...any) error { return &ProfileError{name, fmt.Sprintf(format, a...)} }
	sys, err := named(p.Kernel)
	if err != nil {
		return fail("", "%v", err)
	}
	// The names, one by one.
	seen := make(map[string]bool)
	for _, name := range slices.Concat(p.With, p.Without) {
		c, known := FindChange(name)
		with := slices.Contains(p.With, name)
		switch {
		case sys.compose == nil:
			return fail(name, "%s has no changes that could be switched", p.Kernel)
		case !known:
			return fail(name, "%s", unknownName("change", name, changeNames()))
		case seen[name]:
			return fail(name, "the change %s is named twice", name)
		case with && c.In(p.Kernel):
			return fail(name, "with %s: %s has it already", name, p.Kernel)
		case !with && !c.In(p.Kernel):
			return fail(name, "without %s: %s does not have it%s", name, p.Kernel, haveIt(c))
		}
		seen[name] = true
	}
	return p.checkNeeds()
}

// haveIt says which kernels have a change, for an error.
func haveIt(c *Change) string {
	if len(c.Kernels) == 0 {
		return "; no kernel does"
	}
	return "; these have it: " + strings.Join(c.Kernels, ", ")
}

// checkNeeds refuses a set in which a change lacks what it needs.
func (p Profile) checkNeeds() error {
	set := p.Set()
	for i := range changes {
		need := changes[i].Name
		if set[need] {
			continue
		}
		// Who is in the set and needs it.
		var by []string
		for j := range changes {
			if c := &changes[j]; set[c.Name] && slices.Contains(c.Needs, need) {
				by = append(by, c.Name)
			}
		}
		if by == nil {
			continue
		}
		// Somebody was added without it, or it was taken away.
		if slices.Contains(p.Without, need) {
			return &ProfileError{need, fmt.Sprintf("without %s: it is needed by %s: leave out those too, or neither", need, strings.Join(by, ", "))}
		}
		return &ProfileError{by[0], fmt.Sprintf("with %s: it needs %s, which %s does not have: add that too", by[0], need, p.Kernel)}
	}
	return nil
}

// Set is the names of all changes that the profile has.
func (p Profile) Set() map[string]bool {
	set := make(map[string]bool)
	for i := range changes {
		name := changes[i].Name
		has := changes[i].In(p.Kernel) || slices.Contains(p.With, name)
		if has && !slices.Contains(p.Without, name) {
			set[name] = true
		}
	}
	return set
}

// Switch is the profile with a change added, together with what that needs, or taken away,
// together with what needs it. The changes that had to go along are listed, in the order of
// Changes.
func (p Profile) Switch(name string, on bool) (out Profile, along []string) {
	set := p.Set()
	var visit func(name string)
	visit = func(name string) {
		if set[name] == on {
			return
		}
		set[name] = on
		along = append(along, name)
		// Added: what it needs. Taken away: what needs it.
		for i := range changes {
			c := &changes[i]
			if on && c.Name == name {
				for _, need := range c.Needs {
					visit(need)
				}
			}
			if !on && slices.Contains(c.Needs, name) {
				visit(c.Name)
			}
		}
	}
	visit(name)
	out = p.having(set)
	if along = slices.DeleteFunc(inOrder(along), func(n string) bool { return n == name }); len(along) == 0 {
		along = nil
	}
	return out, along
}

// having is the profile of the same kernel that has exactly the changes of a set.
func (p Profile) having(set map[string]bool) Profile {
	out := Profile{Kernel: p.Kernel}
	for i := range changes {
		c := &changes[i]
		switch {
		case set[c.Name] && !c.In(p.Kernel):
			out.With = append(out.With, c.Name)
		case !set[c.Name] && c.In(p.Kernel):
			out.Without = append(out.Without, c.Name)
		}
	}
	return out
}

// Base is the kernel that a profile's changes are made to. Two profiles of one base differ in
// changes alone. It is "" for a system that is no set of changes.
func (p Profile) Base() string {
	sys, err := named(p.Kernel)
	if err != nil || sys.compose == nil {
		return ""
	}
	return baseOf(p.Kernel).Name
}

// bases are the kernels that are built on no other, but for the one that most are built on.
var bases = map[string]mballoc.Kernel{mballoc.Linux5_10Seed.Name: mballoc.Linux5_10Seed}

// baseOf is the allocator that a kernel's changes are made to.
func baseOf(kernel string) mballoc.Kernel {
	if b, ok := bases[kernel]; ok {
		return b
	}
	return mballoc.Linux5_10
}

// kernelOf makes ext4 of a profile, which has been checked: its base with all changes of its set.
func (p Profile) kernelOf(doc string) ext4.Kernel {
	set := p.Set()
	below := baseOf(p.Kernel).With(p.String(), doc, chosen[mballoc.Kernel](set))
	return ext4.Over(below, chosen[ext4.Kernel](set))
}

// chosen selects the changes of a set.
func chosen[K any](set map[string]bool) func(*allocator.Change[K]) bool {
	return func(c *allocator.Change[K]) bool { return set[c.Name] }
}

// switched is the system of a profile that switches something and has been checked.
func (p Profile) switched() *System {
	sys, err := named(p.Kernel)
	if err != nil {
		panic(err) // Check has found it
	}
	doc := sys.Doc
	if p.With != nil {
		doc += " with " + strings.Join(inOrder(p.With), ", ")
	}
	if p.Without != nil {
		doc += " without " + strings.Join(inOrder(p.Without), ", ")
	}
	// It is compared with the recordings of its kernel: what differs is what the switches do.
	out := sys.compose(p.kernelOf(doc))
	out.Recording = sys.Recording
	return out
}

// unknownName is the message for a name that is none of known.
func unknownName(what, name string, known []string) string {
	const longest = 60
	if len(name) > longest {
		name = name[:longest]
	}
	if best, near := nearest.Of(name, known); near {
		return fmt.Sprintf("unknown %s %q (did you mean %q?)", what, name, best)
	}
	return fmt.Sprintf("unknown %s %q (known: %s)", what, name, strings.Join(known, ", "))
}
