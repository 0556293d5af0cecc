package ext2

import (
	"testing"

	"mbsim/filesystem"
)

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		in, want string
	}{
		{"", ""},
		{"defaults,,noatime, resuid=5,errors=continue", ""},
		{"reservation_window=0", ""},
		{"reservation_window=1027", ""},
		{"reservation_window=1028", `mount option "reservation_window=1028": want a number of blocks, 0 to 1027`},
		{"reservation_window", `mount option "reservation_window": want a number of blocks, 0 to 1027`},
		{"noreservatoin", `unknown mount option "noreservatoin" (did you mean "noreservation"?)`},
		{"reservation_windows=8", `unknown mount option "reservation_windows=8" (did you mean "reservation_window="?)`},
		{"oldalloc=1", `unknown mount option "oldalloc=1" (did you mean "oldalloc"?)`},
		{"delalloc", `unknown mount option "delalloc" (did you mean "oldalloc"?)`},
		{"dax", `mount option "dax" is not modelled`},
	} {
		o := DefaultOptions(4096)
		got := ""
		if err := o.Parse(c.in); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.in, got, c.want)
		}
	}
	o := DefaultOptions(1024)
	if err := o.Parse("oldalloc,noreservation,minixdf,reservation_window=64"); err != nil {
		t.Fatal(err)
	}
	none := filesystem.ReserveOptions{UID: -1, GID: -1}
	if want := (Options{CPUs: 1, OldAlloc: true, MinixDF: true, Window: 64, Reserve: none}); o != want {
		t.Errorf("got %+v, want %+v", o, want)
	}
	if err := o.Parse("orlov,reservation,bsddf"); err != nil {
		t.Fatal(err)
	}
	if want := (Options{CPUs: 1, Reservation: true, Window: 64, Reserve: none}); o != want {
		t.Errorf("got %+v, want %+v", o, want)
	}
}
