package scenarios

import (
	"math"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"mbsim/allocator/mballoc"
	"mbsim/kernels"
)

// Tunables describes everything that a scenario's tunables may set.
func Tunables() []mballoc.Tunable { return kernels.AllTunables() }

// findTunable is the tunable with this field or file name.
func findTunable(name string) (mballoc.Tunable, bool) {
	for _, t := range Tunables() {
		if t.Field == name || t.Sysfs == name {
			return t, true
		}
	}
	return mballoc.Tunable{}, false
}

// IsDefault says whether a value of a tunable is the kernel's default. Where that depends on
// the file system it is not known here.
func IsDefault(key, value string) bool {
	t, ok := findTunable(strings.TrimPrefix(key, "tunables."))
	return ok && t.Default == value
}

// tunableNames are the names that tunables have: fields first.
func tunableNames() (names []string) {
	for _, t := range Tunables() {
		names = append(names, t.Field)
	}
	for _, t := range Tunables() {
		names = append(names, t.Sysfs)
	}
	return names
}

// tunablesType is a mapping of tunables to values. The Go value is in the order
// of Tunables, whatever the file's.
type tunablesType struct{}

func (tunablesType) describe() string { return "a mapping of tunables to values" }

func (t tunablesType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.MappingNode {
		return d.wrong(n, t.describe())
	}
	values := make(map[string]uint32)
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		// The kernel's field and the file in sysfs are two names for one tunable.
		u, ok := findTunable(k.Value)
		if !ok {
			return d.errorf(k, "%s", unknown("tunable", k.Value, tunableNames()))
		}
		if _, twice := values[u.Field]; twice {
			return d.errorf(k, "%s is given twice: %s and %s are the same", k.Value, u.Field, u.Sysfs)
		}
		var v uint32
		d.key = k.Value
		if err := (whole{max: math.MaxUint32}).decode(d, n.Content[i+1], &v); err != nil {
			return err
		}
		values[u.Field] = v
	}
	// In the order of Tunables, so that Resolved does not depend on that of the file.
	var list []Tunable
	for _, u := range Tunables() {
		if v, ok := values[u.Field]; ok {
			list = append(list, Tunable{u.Field, u.Sysfs, v})
		}
	}
	*p.(*[]Tunable) = list
	return nil
}

func (tunablesType) encode(p any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, t := range *p.(*[]Tunable) {
		n.Content = append(n.Content, scalar("!!str", t.Field), scalar("!!int", strconv.FormatUint(uint64(t.Value), 10)))
	}
	if len(n.Content) == 0 {
		return nil
	}
	return n
}
