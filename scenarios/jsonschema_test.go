package scenarios

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// validator checks values against the part of JSON Schema that JSONSchema uses. Any other keyword is an
// error, so that none is passed over.
type validator struct{ root map[string]any }

func (v *validator) check(s map[string]any, x any, at string) error {
	object, isObject := x.(map[string]any)
	array, isArray := x.([]any)
	for key, arg := range s {
		var err error
		switch key {
		case "description", "title", "$schema", "$defs":
		case "$ref":
			def, ok := v.root["$defs"].(map[string]any)[strings.TrimPrefix(arg.(string), "#/$defs/")].(map[string]any)
			if !ok {
				return fmt.Errorf("%s: no %v", at, arg)
			}
			err = v.check(def, x, at)
		case "type":
			is := map[string]bool{"object": isObject, "array": isArray, "string": reflect.TypeOf(x) == reflect.TypeOf("")}
			_, is["boolean"] = x.(bool)
			n, number := toFloat(x)
			is["null"] = x == nil
			is["number"], is["integer"] = number, number && n == float64(int64(n))
			if !is[arg.(string)] {
				err = fmt.Errorf("%s: %v is no %v", at, x, arg)
			}
		case "enum":
			if !slices.Contains(arg.([]any), x) {
				err = fmt.Errorf("%s: %v is none of %v", at, x, arg)
			}
		case "const", "minimum", "maximum":
			n, is := toFloat(x)
			limit := arg.(float64)
			if key == "const" && n != limit || key == "minimum" && is && n < limit || key == "maximum" && is && n > limit || key == "const" && !is {
				err = fmt.Errorf("%s: %v: %s is %v", at, x, key, limit)
			}
		case "pattern":
			if text, is := x.(string); is && !regexp.MustCompile(arg.(string)).MatchString(text) {
				err = fmt.Errorf("%s: %q is not like %v", at, x, arg)
			}
		case "required":
			for _, k := range arg.([]any) {
				if _, has := object[k.(string)]; isObject && !has {
					err = fmt.Errorf("%s: no %v", at, k)
				}
			}
		case "properties":
			for k, child := range object {
				if p, has := arg.(map[string]any)[k]; has && err == nil {
					err = v.check(p.(map[string]any), child, at+"."+k)
				}
			}
		case "propertyNames":
			for k := range object {
				if e := v.check(arg.(map[string]any), k, at+"."+k); e != nil {
					err = e
				}
			}
		case "patternProperties":
			for pattern, child := range arg.(map[string]any) {
				for k, value := range object {
					if regexp.MustCompile(pattern).MatchString(k) && err == nil {
						err = v.check(child.(map[string]any), value, at+"."+k)
					}
				}
			}
		case "minItems":
			if isArray && float64(len(array)) < arg.(float64) {
				err = fmt.Errorf("%s: %d items, want %v", at, len(array), arg)
			}
		case "additionalProperties":
			others, isSchema := arg.(map[string]any)
			for k, value := range object {
				if isSchema {
					if err == nil && !v.matched(s, k) {
						err = v.check(others, value, at+"."+k)
					}
				} else if _, has := s["properties"].(map[string]any)[k]; !has {
					err = fmt.Errorf("%s: no key %s", at, k)
				}
			}
		case "items":
			for i, child := range array {
				if err == nil {
					err = v.check(arg.(map[string]any), child, fmt.Sprintf("%s.%d", at, i))
				}
			}
		case "allOf", "anyOf", "oneOf":
			err = v.several(key, arg.([]any), x, at)
		case "not":
			if v.check(arg.(map[string]any), x, at) == nil {
				err = fmt.Errorf("%s: %v must not be", at, x)
			}
		default:
			err = fmt.Errorf("%s: unknown keyword %s", at, key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// matched says whether a key is one of the properties, or like one of the patterns.
func (v *validator) matched(s map[string]any, key string) bool {
	properties, _ := s["properties"].(map[string]any)
	if _, has := properties[key]; has {
		return true
	}
	patterns, _ := s["patternProperties"].(map[string]any)
	for p := range patterns {
		if regexp.MustCompile(p).MatchString(key) {
			return true
		}
	}
	return false
}

// several checks allOf, anyOf and oneOf.
func (v *validator) several(key string, schemas []any, x any, at string) (last error) {
	good := 0
	for _, s := range schemas {
		if err := v.check(s.(map[string]any), x, at); err == nil {
			good++
		} else if last == nil || len(err.Error()) > len(last.Error()) {
			last = err
		}
	}
	if key == "allOf" && good == len(schemas) || key == "anyOf" && good > 0 || key == "oneOf" && good == 1 {
		return nil
	}
	return fmt.Errorf("%s: %d of %d of %s: %w", at, good, len(schemas), key, last)
}

func toFloat(x any) (float64, bool) {
	switch x := x.(type) {
	case int:
		return float64(x), true
	case float64:
		return x, true
	}
	return 0, false
}

// TestJSONSchema: the schema takes the scenarios that come with mbsim, their resolved forms and one that
// has every key, and refuses what the program refuses for its shape.
func TestJSONSchema(t *testing.T) {
	var v validator
	if err := json.Unmarshal(JSONSchema(), &v.root); err != nil {
		t.Fatal(err)
	}
	validate := func(text []byte) error {
		var x any
		if err := yaml.Unmarshal(text, &x); err != nil {
			t.Fatal(err)
		}
		return v.check(v.root, x, "scenario")
	}
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, f := range append(files, "testdata/everything.yaml", "testdata/everything.resolved", "testdata/base.yaml") {
		if err := validate(mustRead(t, f)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	const head, class = "device: {mkfs: {size: 1G}}\n", "name: p, mix: {create: 1}, file_size: 4K"
	const work = head + "stop: {operations: 1}\nworkload: {classes: [{" + class + "}]}\n"
	for _, good := range []string{
		work + "tunables: {mb_stream_req: 0, s_mb_group_prealloc: 4294967295}",
		work + "expect: [mb_lost == 0, mean free_blocks >= 1e3, {metric: mb_lost, op: \"<\", value: 5}, \"max mb_lost <= -1.5\"]",
		work + "sweep: {grid: {mb_stream_req: 0..9, s_mb_group_prealloc: [16..64+16, 7], mb_order2_req: \"1,3\", tunables.mb_max_to_scan: 200}}",
		work + "sweep: {grid: {memory.size: [1G, 2G], workload.classes.p.file_size: [4K, {uniform: {min: 1, max: 4K}}], profile: [\"5.10\", \"6.1\"], workload.classes.0.count: 1..3}}",
		work + "sweep: {lhs: {n: 5, keys: {mb_stream_req: {min: 1, max: 64, log: true}}}}",
		work + "sweep: {variants: [{name: a, set: {mb_stream_req: 4, cpus: 2, mount: [nodelalloc]}}]}",
	} {
		if _, err := Parse([]byte(good), "good.yaml", Options{}); err != nil {
			t.Errorf("the program refuses %v", err)
		}
		if err := validate([]byte(good)); err != nil {
			t.Errorf("the schema refuses %s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"workload: {classes: [{" + class + "}]}", // no device
		head,                                     // no workload
		head + "workload: {classes: [{" + class + "}], script: x}",                    // two of a group
		head + "workload: {classes: [{" + class + ", colour: red}]}",                  // an unknown key
		head + "workload: {classes: [{" + class + ", count: many}]}",                  // no number
		head + "workload: {classes: [{" + class + ", on_full: explode}]}",             // no such choice
		head + "workload: {classes: [{" + class + ", sparse: maybe}]}",                // no boolean
		head + "workload: {classes: [{" + class + ", chunk: much}]}",                  // no size
		head + "workload: {classes: [{" + class + ", target_used: 150}]}",             // no share
		head + "workload: {classes: [{" + class + ", think: 1ms, arrival: 1ms}]}",     // exclude each other
		head + "workload: {classes: [{mix: {create: 1}}]}",                            // a required key is missing
		head + "cpus: 0.5\nworkload: {classes: [{" + class + "}]}",                    // no whole number
		head + "memory: {dirty_expire: soon}\nworkload: {classes: [{" + class + "}]}", // no duration
		work + "tunables: {mb_streem_req: 64}",                                        // no such tunable
		work + "tunables: {s_mb_stream_req: many}",                                    // no number
		work + "tunables: {mb_stream_req: -1}",                                        // below the least
		work + "tunables: {mb_stream_req: 4294967296}",                                // above the most
		work + "tunables: [mb_stream_req]",                                            // no mapping
		work + "expect: [mb_lost]",                                                    // no operator
		work + "expect: [mb_lost = 0]",                                                // no such operator
		work + "expect: [last mb_lost == none]",                                       // no number
		work + "expect: [median mb_lost == 0]",                                        // no such statistic
		work + "expect: [{metric: mb_lost, op: \"==\"}]",                              // no value
		work + "expect: [{metric: mb_lost, op: is, value: 0}]",                        // no such operator
		work + "sweep: {grid: {mb_streem_req: [1, 2]}}",                               // no such key
		work + "sweep: {grid: {memory.sise: [1G, 2G]}}",                               // no such key below
		work + "sweep: {grid: {workload.classes.p.sizes: [4K]}}",                      // no such key of an element
		work + "sweep: {grid: {mb_stream_req: []}}",                                   // no values
		work + "sweep: {grid: {mb_stream_req: [few, many]}}",                          // no numbers
		work + "sweep: {grid: {tunables.mb_stream_req: 1..x}}",                        // no range
		work + "sweep: {grid: {mb_stream_req: }}",                                     // nothing
		work + "sweep: {grid: [mb_stream_req]}",                                       // no mapping
		work + "sweep: {lhs: {n: 5, keys: {mb_stream_req: {min: 1}}}}",                // no bound
		work + "sweep: {lhs: {n: 5, keys: {mb_streem_req: {min: 1, max: 2}}}}",        // no such key
		work + "sweep: {variants: [{name: a, set: {cpu: 4}}]}",                        // no such key
		work + "sweep: {variants: [{name: a, set: {s_mb_stream_req: few}}]}",          // no number
	} {
		if _, err := Parse([]byte(bad), "bad.yaml", Options{}); err == nil {
			t.Errorf("the program accepts %s", bad)
		}
		if validate([]byte(bad)) == nil {
			t.Errorf("the schema accepts %s", bad)
		}
	}
}
