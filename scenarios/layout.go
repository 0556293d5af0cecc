package scenarios

import (
	"os"

	"mbsim/allocator/mballoc"
	"mbsim/filesystem/ext2"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/image"
)

// MkfsParams are the parameters of Device.Mkfs, which must be set.
func (s *Scenario) MkfsParams() (image.MkfsParams, error) {
	return image.ParseMkfsArgs(s.MkfsArgs(), s.Device.Mkfs.Size)
}

// Layout is the starting state. Close it after use.
func (s *Scenario) Layout() (*image.Layout, error) {
	switch {
	case s.Device.Image != "":
		return image.Open(s.Path(s.Device.Image))
	case s.Device.Dumpe2fs != "":
		name := s.Path(s.Device.Dumpe2fs)
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return image.ReadDumpe2fs(f, name)
	}
	return s.made, nil
}

// Ext4Options are the options to mount ext4 with, for a profile of mballoc.
func (s *Scenario) Ext4Options(blockSize int64) (ext4.Options, error) {
	o := ext4.DefaultOptions(blockSize)
	o.CPUs = s.CPUs
	o.Tunables = make(map[string]uint32, len(s.Tunables))
	for _, t := range s.Tunables {
		o.Tunables[t.Sysfs] = t.Value
	}
	var err error
	if o.Kernel, err = mballoc.KernelByName(s.Profile); err != nil {
		return o, err
	}
	return o, o.Parse(s.Mount)
}

// Ext2Options are the options to mount ext2 with, for ProfileExt2.
func (s *Scenario) Ext2Options(blockSize int64) (ext2.Options, error) {
	o := ext2.DefaultOptions(blockSize)
	o.CPUs, o.Seed = s.CPUs, s.Seed
	return o, o.Parse(s.Mount)
}
