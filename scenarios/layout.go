package scenarios

import (
	"os"

	"mbsim/filesystem/image"
	"mbsim/kernels"
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
	// With mkfs the layout was computed when the scenario was checked.
	return s.made, nil
}

// System is the system that the profile names.
func (s *Scenario) System() *kernels.System {
	sys, err := kernels.Find(s.Profile)
	if err != nil {
		panic(err) // the keys of scenarios allow no other
	}
	return sys
}

// MountOptions are what the scenario says of how to mount. Whoever runs it adds clock,
// writeback and observers.
func (s *Scenario) MountOptions() kernels.Options {
	o := kernels.Options{Mount: s.Mount, CPUs: s.CPUs, Seed: s.Seed, Tunables: make(map[string]uint32, len(s.Tunables))}
	for _, t := range s.Tunables {
		o.Tunables[t.Sysfs] = t.Value
	}
	return o
}
