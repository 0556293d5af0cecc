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
		case "additionalProperties":
			for k := range object {
				if _, has := s["properties"].(map[string]any)[k]; !has {
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
	} {
		if _, err := Parse([]byte(bad), "bad.yaml", Options{}); err == nil {
			t.Errorf("the program accepts %s", bad)
		}
		if validate([]byte(bad)) == nil {
			t.Errorf("the schema accepts %s", bad)
		}
	}
}
