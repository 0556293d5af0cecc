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

// KeyDifference is a key of the resolved scenarios that the two sides have
// different values for, "" where one has none.
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

// differences compares resolved scenarios key by key.
func differences(a, b []json.RawMessage, asked []string) (all []KeyDifference) {
	x, y := flattenAll(a), flattenAll(b)
	wanted := make(map[string]bool)
	for _, key := range asked {
		wanted[key] = true
	}
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
		first, _, _ := strings.Cut(k, ".")
		if slices.Equal(x[k].values, y[k].values) || slices.Contains(ignored, first) {
			continue
		}
		d := KeyDifference{Key: k, A: x[k].String(), B: y[k].String()}
		for _, alias := range append(append([]string{k}, x[k].aliases...), y[k].aliases...) {
			d.Asked = d.Asked || within(alias, wanted)
		}
		all = append(all, d)
	}
	return all
}

// within says whether a key, or one that it is below, is wanted.
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

// flattenAll is what several configurations say; a key that they do not agree on
// has all their values.
func flattenAll(configs []json.RawMessage) map[string]leaf {
	all := make(map[string]leaf)
	for _, raw := range configs {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			continue
		}
		one := make(map[string]leaf)
		flatten(one, "", nil, v)
		for k, l := range one {
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

// flatten notes the values below v. Elements of lists go by their names, or else
// by their numbers; phases are left out in an alias, as in --set.
func flatten(all map[string]leaf, key string, aliases []string, v any) {
	join := func(k, part string) string { return strings.TrimPrefix(k+"."+part, ".") }
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
		if len(v) == 0 || !isObject(v[0]) {
			all[key] = leaf{[]string{scalarText(v)}, aliases}
			return
		}
		for i, below := range v {
			number := strconv.Itoa(i)
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

func isObject(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}

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
