package filesystem

import "testing"

// TestReserve: who may take the blocks reserved for root, with the superblock's user and group
// and the options that replace them.
func TestReserve(t *testing.T) {
	for _, c := range []struct {
		user    *User
		super   [2]uint16
		options map[string]string
		may     bool
		why     string
	}{
		{nil, [2]uint16{}, nil, true, "a thread of the kernel's"},
		{&User{}, [2]uint16{5, 6}, nil, true, "root, although another is named"},
		{&User{UID: 7, Groups: []uint32{7}}, [2]uint16{}, nil, false, "a user whom nobody names"},
		{&User{UID: 7, Groups: []uint32{0}}, [2]uint16{}, nil, false, "group 0 stands for no group"},
		{&User{UID: 7, Groups: []uint32{8}}, [2]uint16{8, 7}, nil, false, "users are no groups"},
		{&User{UID: 7}, [2]uint16{7, 0}, nil, true, "the superblock's user"},
		{&User{UID: 7, Groups: []uint32{1, 9}}, [2]uint16{0, 9}, nil, true, "a member of the superblock's group"},
		{&User{UID: 7}, [2]uint16{7, 0}, map[string]string{"resuid": "8"}, false, "the option replaces the superblock's user"},
		{&User{UID: 7}, [2]uint16{7, 0}, map[string]string{"resuid": "0"}, false, "with root too"},
		{&User{UID: 7, Groups: []uint32{9}}, [2]uint16{0, 9}, map[string]string{"resgid": "0"}, false, "or with no group"},
		{&User{UID: 1 << 20}, [2]uint16{}, map[string]string{"resuid": "1048576"}, true, "a number beyond the superblock's 16 bits"},
		{&User{UID: 1 << 16}, [2]uint16{}, map[string]string{"resuid": "0"}, false, "which is not cut to them"},
	} {
		o := ReserveOptions{-1, -1}
		for key, value := range c.options {
			if known, err := o.Parse(key, value); !known || err != nil {
				t.Errorf("%s=%s: %t, %v", key, value, known, err)
			}
		}
		if may := o.Over(c.super[0], c.super[1]).OpenTo(c.user); may != c.may {
			t.Errorf("%s (%+v, superblock %v, options %v): may take the reserve: %t", c.why, c.user, c.super, c.options, may)
		}
	}
	for _, bad := range []string{"", "root", "-1", "4294967295", "4294967296", "0x7", "1 "} {
		o := ReserveOptions{-1, -1}
		if known, err := o.Parse("resgid", bad); !known || err == nil || o.GID != -1 {
			t.Errorf("resgid=%s: %t, %v, %+v", bad, known, err, o)
		}
	}
	if known, err := new(ReserveOptions).Parse("resid", "7"); known || err != nil {
		t.Errorf("resid: %t, %v", known, err)
	}
}
