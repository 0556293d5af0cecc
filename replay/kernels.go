package replay

import (
	"mbsim/allocator/mballoc"
	"mbsim/filesystem/image"
	"mbsim/workload"
)

// Ext2 names the ext2 driver (of Linux 6.1), whose recordings stand beside
// those of ext4.
const Ext2 = "ext2"

// Kernels lists whose behaviour Run knows.
func Kernels() []string {
	var names []string
	for _, p := range mballoc.Kernels() {
		names = append(names, p.Name)
	}
	return append(names, Ext2)
}

// RecordingName is the folder of a case that holds the recording to start from:
// the seed's code is of the 5.10 series and starts where 5.10 does.
func RecordingName(kernel string) string {
	if kernel == mballoc.Linux5_10Seed.Name {
		return mballoc.Linux5_10.Name
	}
	return kernel
}

// MakeLayout computes the case's starting layout, as mke2fs does with the
// recorder's arguments.
func MakeLayout(c *workload.Case, kernel string) (*image.Layout, error) {
	args := image.RecorderArgs("ext4", c.Mkfs)
	if kernel == Ext2 {
		args = image.RecorderArgs("ext2", c.MkfsExt2)
	}
	p, err := image.ParseMkfsArgs(args, c.Size)
	if err != nil {
		return nil, err
	}
	return image.Mkfs(p)
}
