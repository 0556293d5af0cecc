package scenarios

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// oneLineError fails unless an error is a mistake of the user in one line.
func oneLineError(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 5000 {
		t.Fatalf("%#v", err)
	}
}

// Whatever the text and the --set: no panic, an error is one line, and what
// loads resolves to itself.
func FuzzParse(f *testing.F) {
	for _, text := range samples(f) {
		f.Add(text, "seed=2")
		f.Add(text, "workload.classes.writers.file_size.lognormal.median=4K")
	}
	for part := range strings.SplitSeq(string(mustRead(f, "testdata/errors")), "\nload\n") {
		text, _, _ := strings.Cut(part, "\n----")
		f.Add(text, "device.mkfs.size=64M")
		f.Add(text, "mount=stripe=16")
		f.Add(text, "workload={script: \"sync\\n\"}")
	}
	base := samples(f)["base"]
	for part := range strings.SplitSeq(string(mustRead(f, "testdata/sets")), "\nset\n") {
		set, _, _ := strings.Cut(part, "\n----")
		f.Add(base, set)
	}
	f.Fuzz(func(t *testing.T, text, set string) {
		var sets []string
		if set != "" {
			sets = []string{set}
		}
		s, err := Parse([]byte(text), "in.yaml", Options{Sets: sets})
		if err != nil {
			oneLineError(t, err)
			return
		}
		again, err := Parse(s.Resolved(), "in.yaml", Options{})
		if err != nil {
			t.Fatalf("resolved: %v\n%s", err, s.Resolved())
		}
		if !bytes.Equal(s.Resolved(), again.Resolved()) {
			t.Fatalf("resolved twice:\n%s", diff(string(s.Resolved()), string(again.Resolved())))
		}
	})
}

// Whatever is set in a scenario that has everything: no panic, an error is one line that
// names the --set, and what loads resolves to itself.
func FuzzSet(f *testing.F) {
	base := samples(f)["base"]
	for part := range strings.SplitSeq(string(mustRead(f, "testdata/sets")), "\nset\n") {
		set, _, _ := strings.Cut(part, "\n----")
		first, second, _ := strings.Cut(set, "\n")
		f.Add(first, second)
	}
	for _, o := range Describe() {
		for _, where := range o.Where {
			for _, k := range o.Keys {
				f.Add(strings.TrimPrefix(where+"."+k.Name, ".")+"=0", "timing.storage=hdd")
			}
		}
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		s, err := Parse([]byte(base), "in.yaml", Options{Sets: []string{first, second}})
		if err != nil {
			oneLineError(t, err)
			return
		}
		again, err := Parse(s.Resolved(), "in.yaml", Options{})
		if err != nil || !bytes.Equal(s.Resolved(), again.Resolved()) {
			t.Fatalf("resolved: %v\n%s", err, s.Resolved())
		}
	})
}

// Whatever stands in a sweep: no panic, an error is one line, and no axis is too long.
func FuzzSweep(f *testing.F) {
	const base = "device: {mkfs: {size: 64M}}\nworkload: {script: \"sync\\nsync\\n\"}\nsweep:"
	for _, sweep := range []string{
		" {grid: {s_mb_order2_reqs: 0..9}}\n", "\n  grid:\n    mount: [nodelalloc, \"commit=5,stripe=8\"]\n    cpus: 1..4\n  constraint: cpus <= 3\n",
		" {lhs: {n: 10, keys: {s_mb_group_prealloc: {min: 1, max: 1000, log: true}, device.mkfs.reserved: {min: 0, max: 50}}}}\n",
		"\n  variants:\n    - {name: a, set: {cpus: 2}}\n    - {name: b, set: {profile: ext2, mount: oldalloc}}\n  baseline: a\n  replications: 3\n",
		" {until: {ci: 2%, max: 50}, grid: {s_mb_stream_request: [16, 64..256*2, 1K]}}\n", " {grid: {cpus: 0..1000000000000}}\n",
	} {
		f.Add(sweep)
	}
	f.Fuzz(func(t *testing.T, sweep string) {
		s, err := Parse([]byte(base+sweep), "in.yaml", Options{})
		if err != nil {
			oneLineError(t, err)
			return
		}
		if s.Sweep == nil {
			return
		}
		for _, a := range s.Sweep.Grid {
			if len(a.Values) == 0 || len(a.Values) > maxSettings {
				t.Fatalf("%s has %d values", a.Key, len(a.Values))
			}
		}
	})
}

// Whatever a constraint says: no panic, an error is one line, and what is read keeps its
// meaning when it is read again.
func FuzzConstraint(f *testing.F) {
	for _, c := range []string{"a < 5", "a<5&&b>=1.5e3", "s_mb_min_to_scan <= s_mb_max_to_scan && a != 64K", "5% == a", "a <", "&&", "1..2 < a", "a == -0x5"} {
		f.Add(c, "64K", "7")
	}
	f.Fuzz(func(t *testing.T, text, one, other string) {
		c, err := ParseConstraint(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q", err)
			}
			return
		}
		value := func(key string) string {
			if len(key)%2 == 0 {
				return one
			}
			return other
		}
		again, err := ParseConstraint(c.Text)
		if err != nil {
			t.Fatal(err)
		}
		a, err1 := c.Holds(value)
		b, err2 := again.Holds(value)
		if a != b || (err1 == nil) != (err2 == nil) || err1 != nil && strings.Contains(err1.Error(), "\n") {
			t.Fatalf("%q: %v, %v; read again %v, %v", text, a, err1, b, err2)
		}
	})
}

// Whatever values a key is given: no panic, an error is one line, and there are neither
// two equal values nor too many.
func FuzzAxis(f *testing.F) {
	for _, arg := range []string{"cpus=1,2", "s_mb_order2_reqs=0..9", "a=16..64+16", "a=16..1024*2", "mount=nodelalloc|commit=30", "workload.classes={a,b},{c}",
		"a=0..1000000000000", "a=1..9223372036854775807*9223372036854775807", "a=-5..5+3", "device.mkfs.options=-b 1024|-b 4096", "a=\"x,y\",z", "=", "a="} {
		f.Add(arg)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		a, err := ParseAxis(arg)
		if err != nil {
			oneLineError(t, err)
			return
		}
		seen := make(map[string]bool)
		for _, v := range a.Values {
			if seen[v] {
				t.Fatalf("%q has %q twice", arg, v)
			}
			seen[v] = true
		}
		if n := len(a.Values); n == 0 || n > maxSettings {
			t.Fatalf("%q has %d values", arg, n)
		}
	})
}
