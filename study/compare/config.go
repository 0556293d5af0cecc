package compare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// KeyDifference is a key of the resolved scenarios whose values differ between the two sides.
// A value is "" where a side has none.
type KeyDifference struct {
	Key string `json:"key"`
	A   string `json:"a"`
	B   string `json:"b"`
	// Asked says that somebody set the key on purpose.
	Asked bool `json:"asked"`
}

// leaf is a value in a resolved scenario, with the other names that --set knows
// its place by.
type leaf struct {
	values  []string // different ones, of several configurations
	aliases []string
}

func (l leaf) String() string { return strings.Join(l.values, " and ") }

// ignored are keys that change no run.
var ignored = []string{"name", "question", "expect"}

// differences compares the resolved scenarios of two sides key by key.
func differences(a, b []json.RawMessage, asked []string) (all []KeyDifference) {
	x, y := flattenAll(a), flattenAll(b)
	wanted := make(map[string]bool)
	for _, key := range asked {
		wanted[key] = true
	}
	// The keys of both, sorted.
	keys := make([]string, 0, len(x))
	for k := range x {
		keys = append(keys, k)
	}
	for k := range y {
		if _, both := x[k]; !both {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	for _, k := range keys {
		// Keys that change no run are left out.
		first, _, _ := strings.Cut(k, ".")
		if slices.Equal(x[k].values, y[k].values) || slices.Contains(ignored, first) {
			continue
		}
		d := KeyDifference{Key: k, A: x[k].String(), B: y[k].String()}
		// --set may have named the key in another way, or a key above it.
		for _, alias := range append(append([]string{k}, x[k].aliases...), y[k].aliases...) {
			d.Asked = d.Asked || within(alias, wanted)
		}
		all = append(all, d)
	}
	return all
}

// within says whether a key, or one above it, is in wanted.
func within(key string, wanted map[string]bool) bool {
	for !wanted[key] {
		i := strings.LastIndexByte(key, '.')
		if i < 0 {
			return false
		}
		key = key[:i]
	}
	return true
}

// maxAliases is how many other names a key has at most. Each list around it doubles
// them, and no scenario has more than three lists inside each other.
const maxAliases = 32

// flattenAll returns the values of several configurations by key. A key on which they do not
// agree has all their values.
func flattenAll(configs []json.RawMessage) map[string]leaf {
	all := make(map[string]leaf)
	for _, raw := range configs {
		// Numbers stay as they are written.
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			continue
		}
		one := make(map[string]leaf)
		flatten(one, "", nil, v)
		for k, l := range one {
			// A second value is noted once.
			if old, ok := all[k]; ok {
				if slices.Contains(old.values, l.values[0]) {
					continue
				}
				l.values = append(old.values, l.values[0])
			}
			all[k] = l
		}
	}
	return all
}

// flatten notes all values below v. Elements of a list go by their names, or by their numbers
// where they have none. As in --set, an alias may leave out the name of a phase.
func flatten(all map[string]leaf, key string, aliases []string, v any) {
	join := func(k, part string) string { return strings.TrimPrefix(k+"."+part, ".") }
	// each returns the names of what lies below this key, under all of this key's own names.
	each := func(parts ...string) []string {
		var out []string
		for _, k := range append([]string{key}, aliases...) {
			for _, part := range parts {
				if k := join(k, part); len(out) < maxAliases && !slices.Contains(out, k) {
					out = append(out, k)
				}
			}
		}
		return out
	}
	switch v := v.(type) {
	case map[string]any:
		for k, below := range v {
			names := each(k)
			if key == "tunables" {
				names = append(names, k)
			}
			flatten(all, names[0], names[1:], below)
		}
	case []any:
		// A list of numbers or texts is one value.
		if len(v) == 0 || !isObject(v[0]) {
			all[key] = leaf{[]string{scalarText(v)}, aliases}
			return
		}
		for i, below := range v {
			number := strconv.Itoa(i)
			// A list of objects: each by its name, with its number as an alias.
			name := number
			if m, ok := below.(map[string]any); ok && m["name"] != nil {
				name = scalarText(m["name"])
			}
			names := each(name, number)
			if key == "workload.phases" {
				names = append(names, "workload")
			}
			flatten(all, names[0], names[1:], below)
		}
	default:
		all[key] = leaf{[]string{scalarText(v)}, aliases}
	}
}

// isObject says whether a JSON value is an object.
func isObject(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}

// scalarText is a value as one text.
func scalarText(v any) string {
	if list, ok := v.([]any); ok {
		var parts []string
		for _, e := range list {
			parts = append(parts, scalarText(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(v)
}

// shown is a value as a warning shows it.
func shown(v string) string {
	if v == "" {
		return "none"
	}
	if line, _, more := strings.Cut(v, "\n"); more || len(line) > 40 {
		return line[:min(40, len(line))] + "..."
	}
	return v
}
