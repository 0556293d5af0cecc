package kernels

import (
	"os"
	"strings"
	"testing"
)

// TestNearest chooses profiles for releases of all kinds.
func TestNearest(t *testing.T) {
	for _, c := range []struct{ release, want, says string }{
		{"5.4.0-150-generic", "5.10", "who built it (150-generic) may have taken other changes"},
		{"5.10.223", "5.10", "the nearest profile is 5.10 (Linux 5.10.223)"},
		{"5.10.0-32-cloud-amd64", "5.10", "what stable releases between the two changed may differ"},
		{"5.12", "5.10", "no kernel of that series was ever compared"},
		{"5.10.250", "5.10", ""},
		{"5.15.0", "5.10", "it lacks order-lists"},
		{"6.1.20", "6.1", ""},
		{"6.1.176", "6.1", "the nearest profile is 6.1 (Linux 6.1.176)"},
		{"6.1.0-50-amd64", "6.1", ""},
		{"6.6.30", "6.12", "it has what this kernel may lack: stripe-fallback"},
		{"6.6.100", "6.12", ""},
		{"6.8.0-45-generic", "6.12", ""},
		{"6.12.107+deb13-cloud-amd64", "6.12", "(deb13-cloud-amd64)"},
		{"6.12.10", "6.12", "it has what this kernel may lack: skip-locked, circular-order, punch-writes-nothing"},
		{"6.14.0", "6.12", ""},
		{"6.15.3", "6.12", ""},
		{"6.16.1", "6.12", ""},
		{"6.17.4-arch1-1", "6.18", ""},
		{"6.18.15+deb13-cloud-amd64", "6.18", ""},
		{"6.18.5", "6.18", "the kernel is 6.18.5; the nearest profile is 6.18 (Linux 6.18.15)"},
		{"6.18.0-rc3", "6.18", ""},
		{"6.18.44", "6.18", ""},
		{"7.0.2", "7.2", "no kernel of that series was ever compared"}, // most of what is new in 7.2 is of 7.0
		{"7.2.12+deb14-amd64", "7.2", ""},
		{"7.3.4", "7.3", ""},
		{"7.4.1", "7.3", ""},
		{"7.3-rc1", "7.3", ""},
		{"8.0.1", "7.3", ""},
	} {
		sys, note, err := Nearest(c.release)
		if err != nil {
			t.Errorf("%s: %v", c.release, err)
			continue
		}
		if sys.Name != c.want || !strings.Contains(note, c.says) {
			t.Errorf("%s: %s, want %s and %q: %s", c.release, sys.Name, c.want, c.says, note)
		}
		t.Log(note)
	}
	for _, garbage := range []string{"", "linux", "6", "6.", ".6", "6.x", "v6.1", "6.1.2.3", "99999999999.1", "6.99999", "-6.1", "6.1\n7.2"} {
		if sys, _, err := Nearest(garbage); err == nil {
			t.Errorf("%q is taken for %s", garbage, sys.Name)
		}
	}
}

// Each profile is nearest to the release that it stands for, and says nothing that differs.
func TestNearestToItself(t *testing.T) {
	all := profiles()
	if len(all) < 6 {
		t.Errorf("%d profiles have a version", len(all))
	}
	for _, p := range all {
		sys, note, err := Nearest(strings.TrimPrefix(p.Doc, "Linux "))
		if err != nil || sys != p.System || strings.Count(note, ";") > 1 {
			t.Errorf("%s: %s, %v", p.Name, note, err)
		}
	}
}

// TestHasChange: where it is not known when a change came, it counts only for versions between
// two profiles of which both have it or neither. A profile says what its series has, unless the
// stable release is known.
func TestHasChange(t *testing.T) {
	all := []profile{
		{&System{Name: "a"}, version{6, 1, 9}}, {&System{Name: "b"}, version{6, 12, 107}}, {&System{Name: "c"}, version{6, 18, 15}},
	}
	undated := &Change{Kernels: []string{"b", "c"}}
	since := &Change{Kernels: []string{"b", "c"}, since: version{6, 17, 0}, dated: true, taken: parseStable("6.12, 6.6")}
	exact := &Change{Kernels: []string{"b", "c"}, since: version{6, 17, 0}, dated: true, taken: parseStable("6.12.77, 6.6.20")}
	later := &Change{Kernels: []string{"b", "c"}, since: version{6, 12, 0}, dated: true, taken: parseStable("5.4 and later")}
	taken := &Change{Kernels: []string{"b"}} // by one stable series only
	for _, x := range []struct {
		c          *Change
		v          version
		has, known bool
	}{
		{undated, version{5, 4, 0}, false, true}, {undated, version{6, 1, 200}, false, true}, {undated, version{6, 8, 0}, false, false},
		{undated, version{6, 12, 1}, true, true}, {undated, version{6, 14, 0}, true, true}, {undated, version{7, 0, 0}, true, true},
		{since, version{6, 5, 0}, false, true}, {since, version{6, 6, 30}, true, true}, {since, version{6, 12, 1}, true, true},
		{since, version{6, 14, 0}, false, true}, {since, version{6, 17, 0}, true, true}, {since, version{7, 0, 0}, true, true},
		{exact, version{6, 12, 76}, false, true}, {exact, version{6, 12, 77}, true, true}, {exact, version{6, 6, 19}, false, true},
		{exact, version{6, 6, 20}, true, true}, {exact, version{6, 13, 90}, false, true}, {exact, version{6, 18, 1}, true, true},
		{later, version{5, 3, 0}, false, true}, {later, version{5, 15, 0}, false, false}, {later, version{6, 14, 0}, true, true},
		{taken, version{6, 12, 0}, true, true}, {taken, version{6, 14, 0}, true, false}, {taken, version{6, 18, 0}, false, true},
	} {
		if has, known := x.c.has(x.v, all); known != x.known || known && has != x.has {
			t.Errorf("%+v, %v: %v %v", *x.c, x.v, has, known)
		}
	}
}

// TestHost looks at the kernel that the tests run on.
func TestHost(t *testing.T) {
	if _, err := os.Stat("/proc/sys/kernel/osrelease"); err != nil {
		t.Skip("no Linux")
	}
	sys, note, err := Host()
	if err != nil || sys == nil || !strings.HasPrefix(note, "the running kernel is ") {
		t.Errorf("%v, %q, %v", sys, note, err)
	}
	t.Log(note)
}
