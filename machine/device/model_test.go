package device

import (
	"strings"
	"testing"
)

// Parameters that do not fit together are refused with the reason.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		medium Medium
		name   string
		v      int64
		want   string
	}{
		{HDD, "average_seek", 20 * ms, "are not in order"},
		{HDD, "average_seek", 14500 * us, "no curve from 1000000 ns (track_seek) to 16000000 ns (full_seek) has a mean of 14500000 ns"},
		{HDD, "average_seek", 4 * ms, "has a mean of 4000000 ns with its knee at 200 thousandths"},
		{HDD, "inner_rate", 300 * mega, "inner_rate: 300000000 bytes/s is more than outer_rate"},
		{HDD, "rpm", 0, "rpm: 0 turns/min is not between 60 and 100000"},
		{SSD, "rmp", 5400, `unknown parameter "rmp" of ssd`},
		{HDD, "head", 5400, `unknown parameter "head" of hdd, did you mean "heads"?`},
		{SSD, "dyes", 5400, `unknown parameter "dyes" of ssd, did you mean "dies"?`},
		{None, "rpm", 5400, `unknown parameter "rpm" of none`},
		{NVMe, "queue_depth", 1 << 20, "queue_depth: 1048576 requests is not between"},
	} {
		m := Default(c.medium)
		err := m.Set(c.name, c.v)
		if err == nil {
			err = m.Check()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v %s %d: got %v, want %s", c.medium, c.name, c.v, err, c.want)
		}
	}
	m := Default(HDD)
	m.Zones = 0 // not through Set
	if err := m.Check(); err == nil || !strings.Contains(err.Error(), "zones: 0 zones") {
		t.Errorf("got %v", err)
	}
	if err := (&Model{Medium: 9}).Check(); err == nil {
		t.Error("there is a ninth medium")
	}
}

func TestRegistry(t *testing.T) {
	for medium := range media {
		seen := map[string]bool{}
		d := Default(medium)
		if err := d.Check(); err != nil {
			t.Errorf("%v: %v", medium, err)
		}
		for i, p := range List(medium) {
			if p.Unit == "" || p.Doc == "" || p.Source == "" || p.Min > p.Default || p.Default > p.Max || seen[p.Name] {
				t.Errorf("%v: %q is incomplete or there twice", medium, p.Name)
			}
			seen[p.Name] = true
			m := Model{Medium: medium}
			if err := m.Set(p.Name, p.Min); err != nil {
				t.Error(err)
			}
			*p.at(&m) = int64(i) + 1
			for j, other := range List(medium) {
				if v := other.Value(&m); j != i && v != 0 && v != other.Min {
					t.Errorf("%v: %s sets %s too", medium, p.Name, other.Name)
				}
			}
			if p.Value(&d) != p.Default {
				t.Errorf("%v: %s is %d", medium, p.Name, p.Value(&d))
			}
		}
		if found, err := FindMedium(medium.String()); err != nil || found != medium {
			t.Errorf("%v: found %v, %v", medium, found, err)
		}
	}
	for name, want := range map[string]string{
		"hd":   `unknown device "hd", did you mean "hdd"?`,
		"tape": `unknown device "tape": it is none, hdd, ssd or nvme`,
	} {
		if _, err := FindMedium(name); err == nil || err.Error() != want {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
