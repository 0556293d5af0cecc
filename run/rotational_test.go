package run

import (
	"context"
	"fmt"
	"testing"

	"mbsim/filesystem/ext4"
	"mbsim/kernels"
)

// TestLinearGroupsFollowTheDevice: kernels that take groups from lists first look at some one
// after the other, but only on a device with heads that move.
func TestLinearGroupsFollowTheDevice(t *testing.T) {
	for storage, want := range map[string]uint32{"hdd": 4, "ssd": 0, "nvme": 0, "none": 4} {
		text := fmt.Sprintf("profile: 7.2\ndevice: {mkfs: {size: 64M}}\ntiming: {storage: %s}\nworkload: {classes: [{name: a, mix: {create: 1}, file_size: 4K}]}\nstop: {operations: 10}\n", storage)
		looked := false
		look := func(m *kernels.Mounted) error {
			looked = true
			if n := m.FileSystem.(*ext4.FS).Allocator().Tunables().MaxLinearGroups; n != want {
				t.Errorf("%s: mb_max_linear_groups is %d, want %d", storage, n, want)
			}
			return nil
		}
		if _, err := Run(context.Background(), load(t, text), Options{Look: look, At: 1}); err != nil || !looked {
			t.Errorf("%s: looked %t, %v", storage, looked, err)
		}
	}
}
