package cost_test

import (
	"reflect"
	"strings"
	"testing"

	"mbsim/machine/cost"
)

// Every field of the model has exactly one entry, and the entry is complete.
func TestRegistryIsTheModel(t *testing.T) {
	fields := reflect.TypeFor[cost.Model]().NumField()
	if n := len(cost.List()); n != fields {
		t.Errorf("%d costs for %d fields", n, fields)
	}
	seen := map[string]bool{}
	for i, c := range cost.List() {
		if c.Unit == "" || c.Doc == "" || c.Source == "" || c.Default <= 0 || c.Default > cost.Max || seen[c.Name] {
			t.Errorf("%q is incomplete or there twice", c.Name)
		}
		seen[c.Name] = true
		var m cost.Model
		if err := m.Set(c.Name, int64(i)+1); err != nil {
			t.Error(err)
		}
		if c.Value(&m) != int64(i)+1 {
			t.Errorf("%s: set and read differ", c.Name)
		}
		// The name is that of the field, and the field is in the same place.
		f := reflect.TypeFor[cost.Model]().Field(i)
		if got := strings.ReplaceAll(c.Name, "_", ""); got != strings.ToLower(f.Name) {
			t.Errorf("%s sets %s", c.Name, f.Name)
		}
		if got := reflect.ValueOf(m).Field(i).Int(); got != int64(i)+1 {
			t.Errorf("%s does not set %s", c.Name, f.Name)
		}
		if d := cost.Default(); c.Value(&d) != c.Default {
			t.Errorf("%s: Default has %d", c.Name, c.Value(&d))
		}
	}
}

func TestSetRefuses(t *testing.T) {
	m := cost.Default()
	for _, c := range []struct {
		name string
		ns   int64
		want string
	}{
		{"group_scaned", 1, `unknown cost "group_scaned", did you mean "group_scanned"?`},
		{"qqqqqq", 1, `unknown cost "qqqqqq"`},
		{"", 1, `unknown cost ""`},
		{"syscall", -1, "syscall: -1 ns is not between 0 and 1000000000"},
		{"syscall", cost.Max + 1, "syscall: 1000000001 ns is not between 0 and 1000000000"},
	} {
		if err := m.Set(c.name, c.ns); err == nil || err.Error() != c.want {
			t.Errorf("%q %d: got %v, want %s", c.name, c.ns, err, c.want)
		}
	}
	if m != cost.Default() {
		t.Error("what was refused changed the model")
	}
}

// The sums, with costs that tell which factor went where.
func TestSums(t *testing.T) {
	var m cost.Model
	for i, name := range []string{
		"group_considered", "group_scanned", "extent_examined", "buddy_update", "bitmap_update", "bitmap_word",
		"buddy_generated", "buddy_fragment", "journal_commit", "journal_block", "copy_page", "new_page", "submit_page", "submit_request",
		"journal_start", "bitmap_checksum",
	} {
		n := int64(1) // each has a decimal digit of its own, three places apart in a sum
		for range i % 3 {
			n *= 1000
		}
		if err := m.Set(name, n); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what      string
		got, want int64
	}{
		{"Search", m.Search(2, 3, 4), 4_003_002},
		{"Bitmap of 1", m.Bitmap(1), 1_000_000 + 1_000 + 1},
		{"Bitmap of 65", m.Bitmap(65), 2_000_000 + 1_000 + 1},
		{"Generate", m.Generate(2, 7), 7_000 + 2},
		{"Commit", m.Commit(9), 1_000_000 + 9},
		{"Write", m.Write(3, 2), 2_000_000 + 3_000},
		{"Submit", m.Submit(4, 2), 2_000 + 4},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %d, want %d", c.what, c.got, c.want)
		}
	}
}
