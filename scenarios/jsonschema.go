package scenarios

import (
	"encoding/json"
	"math"
	"strings"
)

// JSONSchema is the language of scenarios as a JSON Schema (draft 2020-12), which editors check and
// complete YAML by. It is made of the tables that scenarios are read with, and refuses no scenario
// that these accept. What values mean, such as whether a metric has that name or settings of a sweep
// fit together, it does not check.
func JSONSchema() []byte {
	m := schemaMaker{defs: make(schema)}
	root := m.object(scenarioKeys())
	root["$schema"], root["title"], root["$defs"] = "https://json-schema.org/draft/2020-12/schema", "mbsim scenario", m.defs
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // it holds only texts, numbers and maps of them
	}
	return append(text, '\n')
}

// schema is a JSON Schema.
type schema map[string]any

// schemaMaker makes the schema of each object once, by its name.
type schemaMaker struct{ defs schema }

// of is the schema of a type's values.
func (m *schemaMaker) of(t typ) schema {
	// Objects and lists first, whatever they are wrapped in.
	switch t := t.(type) {
	case profileType:
		return schema{} // a text, or a mapping with its own rules
	case expectType:
		return m.expectSchema()
	case tunablesType:
		return tunablesSchema()
	case gridType:
		return gridSchema()
	case assignType:
		return assignSchema()
	case rangesType:
		return settingsSchema(m.ref(rangeKeys()), m.ref(rangeKeys()))
	case listOf:
		return schema{"type": "array", "items": m.of(t.element())}
	}
	if o := belowOf(t); o != nil {
		return m.ref(o)
	}
	switch t := t.(type) {
	case boolean:
		return schema{"type": "boolean"}
	case whole:
		s := schema{"type": "integer", "minimum": min(t.min, 0)}
		if t.max > 0 && t.max < math.MaxInt64 {
			s["maximum"] = t.max
		}
		return s
	case number:
		return schema{"type": "number"}
	case share:
		return schema{"anyOf": []schema{{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": `^[0-9.]+%$`}}}
	case size:
		return schema{"anyOf": []schema{{"type": "integer", "minimum": 0}, {"type": "string", "pattern": `^[0-9.]+ ?[KMGTPEkmgtpe]?(i?B)?$`}}}
	case duration:
		return schema{"anyOf": []schema{{"const": 0}, {"type": "string", "pattern": `^([0-9.]+(ns|us|µs|ms|s|m|h))+$|^0$`}}}
	case text:
		if t.allowed != nil {
			return schema{"enum": t.allowed}
		}
	}
	// Of all others the words say what they are: "one of allocate, keep_size, punch_hole".
	if names, is := strings.CutPrefix(t.describe(), "one of "); is {
		return schema{"enum": strings.Split(names, ", ")}
	}
	return schema{}
}

// ref is a reference to an object's schema, which is made when it is first met.
func (m *schemaMaker) ref(o *object) schema {
	name := strings.ReplaceAll(o.name, " ", "-")
	if _, made := m.defs[name]; !made {
		m.defs[name] = nil // an object that holds itself refers to this
		m.defs[name] = m.object(o)
	}
	return schema{"$ref": "#/$defs/" + name}
}

// object is the schema of an object.
func (m *schemaMaker) object(o *object) schema {
	properties, required := make(schema), []string{}
	for i := range o.fields {
		f := &o.fields[i]
		p := m.of(f.typ)
		p["description"] = f.doc
		if f.def != "" {
			p["description"] = f.doc + " (default " + f.def + ")"
		}
		properties[f.key] = p
		if f.required {
			required = append(required, f.key)
		}
	}
	s := schema{"type": "object", "description": o.doc, "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	// Of a group of keys one may be given, of a required one it must be.
	var groups []schema
	for _, g := range o.groups {
		var one []schema
		for _, k := range g.keys {
			one = append(one, schema{"required": []string{k}})
		}
		if !g.required {
			one = append(one, schema{"not": schema{"anyOf": append([]schema(nil), one...)}})
		}
		groups = append(groups, schema{"oneOf": one})
	}
	if groups != nil {
		s["allOf"] = groups
	}
	// A value alone stands for the mapping of the short key.
	if o.short == "" {
		return s
	}
	return schema{"anyOf": []schema{s, {"not": schema{"type": "object"}}}}
}
