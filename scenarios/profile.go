package scenarios

import (
	"errors"
	"slices"

	"gopkg.in/yaml.v3"

	"mbsim/kernels"
)

// ProfileKey is the key of a scenario that says which kernel it is.
const ProfileKey = "profile"

// profileType is a kernel, or a kernel with single changes switched: a text such as
// 6.12^best-avail-len, or a mapping. The Go value is the profile's only text.
type profileType struct{}

func (profileType) describe() string {
	return `a kernel, such as 5.10, or a mapping with the changes that it is with or without`
}

// profileKeys are the keys of the mapping.
func profileKeys() *object {
	p := func(p any) *kernels.Profile { return p.(*kernels.Profile) }
	names := list[string]{elem: text{what: "change"}, what: "changes"}
	return &object{name: "profile", short: "kernel", doc: "A kernel with single changes switched (mbsim list changes). " +
		"In one text, as on a command line and in results, + stands before a change that is added and ^ before one that is left out: 6.12^best-avail-len.",
		fields: []field{
			{key: "kernel", typ: text{what: "kernel"}, at: func(v any) any { return &p(v).Kernel }, required: true,
				doc: "The kernel to start from (mbsim list kernels)."},
			{key: "with", typ: names, at: func(v any) any { return &p(v).With }, auto: "none", doc: "Changes that it has besides. What they need must be there too."},
			{key: "without", typ: names, at: func(v any) any { return &p(v).Without }, auto: "none", doc: "Changes that it lacks. What needs them must be left out too."},
		}}
}

func (profileType) keysOf() *object { return profileKeys() }

func (profileType) decode(d *decoder, n *yaml.Node, p any) error {
	// A text stands for the mapping that has it as its kernel.
	var v kernels.Profile
	if n.Kind != yaml.MappingNode && (n.Kind != yaml.ScalarNode || isNull(n)) {
		return d.wrong(n, profileType{}.describe())
	}
	if err := profileKeys().decode(d, n, &v); err != nil {
		return err
	}
	// The kernel's text may switch changes too; those of the lists have places of their own.
	places := make(map[string]*yaml.Node)
	for _, names := range [][]string{v.With, v.Without} {
		for i := range names {
			places[names[i]] = d.where[&names[i]]
		}
	}
	full := kernels.ParseProfile(v.Kernel)
	full.With, full.Without = slices.Concat(full.With, v.With), slices.Concat(full.Without, v.Without)
	if err := full.Check(); err != nil {
		at := d.where[&v.Kernel]
		var e *kernels.ProfileError
		if errors.As(err, &e) && places[e.Switch] != nil {
			at = places[e.Switch]
		}
		return d.errorf(at, "%v", err)
	}
	*p.(*string) = full.String()
	return nil
}

func (profileType) encode(p any) *yaml.Node { return text{}.encode(p) }

// canonicalValue is the only text of a key's value where the key is one whose values can be
// written in several ways, and otherwise the value itself. What is wrong with it is found
// when it is set.
func canonicalValue(key, value string) string {
	if _, ok := typeAt(key).(profileType); !ok {
		return value
	}
	var doc yaml.Node
	if unmarshal(value, &doc) != nil || len(doc.Content) != 1 {
		return value
	}
	var text string
	d := newDecoder(nil, "", Options{})
	if d.plain(doc.Content[0]) != nil || (profileType{}).decode(d, doc.Content[0], &text) != nil {
		return value
	}
	return text
}
