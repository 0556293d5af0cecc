package scenarios

import "strings"

// Section describes an object of the language of scenarios.
type Section struct {
	Name string
	Doc  string
	// Where are the keys that hold such an object, "" in the scenario itself.
	Where []string
	Keys  []Key
	// OneOf are keys of which one may be given; of a required group, must be.
	OneOf []OneOf
}

// OneOf are keys that exclude each other.
type OneOf struct {
	Keys     []string
	Required bool
}

// Key describes a key.
type Key struct {
	Name     string
	Type     string // in words
	Section  string // of the object it holds, or of each element of its list
	Unit     string
	Default  string
	Required bool
	Doc      string
}

// Describe tells the whole language of scenarios: the scenario first, then each
// object where it is first met.
func Describe() []Section {
	var sections []Section
	at := make(map[string]int)
	var visit func(o *object, where string)
	visit = func(o *object, where string) {
		// An object that several keys hold, such as a distribution, is described once. Further keys
		// are only added to its Where.
		if i, seen := at[o.name]; seen {
			sections[i].Where = append(sections[i].Where, where)
			return
		}
		// A section is reached by its index, since the visits below append to sections and may move
		// it.
		i := len(sections)
		at[o.name] = i
		sections = append(sections, Section{Name: o.name, Doc: o.doc, Where: []string{where}})
		for _, g := range o.groups {
			sections[i].OneOf = append(sections[i].OneOf, OneOf{g.keys, g.required})
		}
		for j := range o.fields {
			f := &o.fields[j]
			below := belowOf(f.typ)
			k := Key{Name: f.key, Type: strings.TrimPrefix(f.typ.describe(), "a "), Unit: f.unit, Default: f.def, Required: f.required, Doc: f.doc}
			// A default that is no value is described in words.
			if k.Default == "" {
				k.Default = f.auto
			}
			if below != nil {
				k.Section = below.name
			}
			sections[i].Keys = append(sections[i].Keys, k)
			if below != nil {
				visit(below, strings.TrimPrefix(where+"."+f.key, "."))
			}
		}
	}
	visit(scenarioKeys(), "")
	return sections
}

// belowOf is the object that a value of the type is, or is a list of.
func belowOf(t typ) *object {
	switch t := t.(type) {
	case *object:
		return t
	case objectOf:
		return t.keysOf()
	case listOf:
		return belowOf(t.element())
	}
	return nil
}
