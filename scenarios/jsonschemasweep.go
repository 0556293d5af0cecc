package scenarios

import (
	"math"
	"regexp"
	"strings"
)

// What is here describes mappings whose keys are not those of one object: tunables, and the settings
// of a sweep, whose keys are paths as --set takes them; and texts that stand for a mapping.

// tunable is the schema of a tunable's value.
func tunableSchema() schema {
	return schema{"type": "integer", "minimum": 0, "maximum": math.MaxUint32}
}

// tunables is the schema of a mapping of tunables.
func tunablesSchema() schema {
	properties := make(schema)
	for _, t := range Tunables() {
		for _, name := range []string{t.Field, t.Sysfs} {
			p := tunableSchema()
			p["description"] = t.Doc
			properties[name] = p
		}
	}
	return schema{"type": "object", "properties": properties, "additionalProperties": false}
}

// pathText is a pattern of what may follow a value's key in a path of --set: names of further keys, and
// the names or numbers of elements of lists. within are the objects that the path has entered, as an
// object may hold itself.
func pathText(t typ, within []*object) string {
	if l, is := t.(listOf); is {
		return `(\.[^.]+` + pathText(l.element(), within) + `)?`
	}
	o := belowOf(t)
	if o == nil {
		return ""
	}
	for _, outer := range within {
		if outer.name == o.name {
			return `(\..+)?`
		}
	}
	return `(\.` + keysText(o, append(within, o)) + `)?`
}

// keysText is a pattern of the paths that begin with a key of an object.
func keysText(o *object, within []*object) string {
	var all []string
	for i := range o.fields {
		f := &o.fields[i]
		if _, is := f.typ.(tunablesType); is {
			all = append(all, f.key+`(\.`+anyOf(tunableNames())+`)?`)
			continue
		}
		all = append(all, regexp.QuoteMeta(f.key)+pathText(f.typ, within))
	}
	return "(" + strings.Join(all, "|") + ")"
}

// anyOf is a pattern of some words.
func anyOf(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = regexp.QuoteMeta(w)
	}
	return "(" + strings.Join(quoted, "|") + ")"
}

// settingsSchema is the schema of a mapping of paths to values: of holds that of any value, tunable that of a
// tunable's.
func settingsSchema(of, tunable schema) schema {
	names := anyOf(tunableNames())
	root := scenarioKeys()
	return schema{
		"type":                 "object",
		"propertyNames":        schema{"pattern": "^(" + names + "|" + keysText(root, []*object{root}) + ")$"},
		"patternProperties":    schema{`^(tunables\.)?` + names + "$": tunable},
		"additionalProperties": of,
	}
}

// gridSchema is the schema of a grid: a value, a text of several, or a list of both.
func gridSchema() schema {
	several := func(one schema) schema {
		return schema{"anyOf": []schema{one, {"type": "array", "items": one, "minItems": 1}}}
	}
	const numbers = `[0-9]+(\.\.[0-9]+([+*][0-9]+)?)?`
	tunable := schema{"anyOf": []schema{tunableSchema(), {"type": "string", "pattern": `^ *` + numbers + `( *, *` + numbers + `)* *$`}}}
	return settingsSchema(several(schema{"not": schema{"type": "null"}}), several(tunable))
}

// assignSchema is the schema of the settings of a variant.
func assignSchema() schema {
	tunable := schema{"anyOf": []schema{tunableSchema(), {"type": "string", "pattern": `^ *[0-9]+ *$`}}}
	return settingsSchema(schema{"not": schema{"type": "null"}}, tunable)
}

// expectSchema is the schema of an expectation: its mapping, or the text that stands for it.
func (m *schemaMaker) expectSchema() schema {
	o := expectKeys()
	words := func(key string) string { return anyOf(o.find(key).typ.(text).allowed) }
	number := `[-+]?([0-9._]+([eE][-+]?[0-9]+)?|0[xX][0-9a-fA-F]+|\.?[iI]nf)`
	line := `^\s*(` + words("stat") + `\s+)?[A-Za-z_][A-Za-z0-9_]*\s+` + words("op") + `\s+` + number + `\s*$`
	return schema{"anyOf": []schema{{"type": "string", "pattern": line}, m.ref(o)}}
}
