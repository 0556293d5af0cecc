package scenarios

import (
	"io"
	"os"

	"gopkg.in/yaml.v3"

	"mbsim/filesystem/image"
	"mbsim/kernels"
)

// MkfsParams are the parameters of Device.Mkfs, which must be set.
func (s *Scenario) MkfsParams() (image.MkfsParams, error) {
	p, err := image.ParseMkfsArgs(s.MkfsArgs(), s.Device.Mkfs.Size)
	// A size that a pasted command line names is taken as it is: checkMkfs has compared it.
	if c, e := image.ParseMkfsCommand(s.Device.Mkfs.Options); e == nil {
		p.SizeGiven = c.Size != 0
	}
	return p, err
}

// Layout is the starting state. Close it after use.
func (s *Scenario) Layout() (*image.Layout, error) {
	d := &s.Device
	switch {
	case d.Image != "":
		return image.OpenAs(s.Path(d.Image), image.OpenOptions{Offset: d.Offset, KeepOrphans: s.System().KeepsOrphans})
	case d.Dumpe2fs != "":
		return s.dumpLayout()
	}
	// With mkfs the layout was computed when the scenario was checked.
	return s.made, nil
}

// StateFile is the file that the starting state is read from, "" where it is made.
func (s *Scenario) StateFile() string {
	switch {
	case s.Device.Image != "":
		return s.Path(s.Device.Image)
	case s.Device.Dumpe2fs != "":
		return s.Path(s.Device.Dumpe2fs)
	}
	return ""
}

// dumpLayout is the starting state that a text of dumpe2fs describes.
func (s *Scenario) dumpLayout() (*image.Layout, error) {
	d := image.Dump{Headers: true, Empty: s.Device.Fill == fillNone, Seed: s.Seed}
	if s.Device.FreeExtents != "" {
		err := s.read(s.Device.FreeExtents, func(r io.Reader, name string) (err error) {
			d.Free, err = image.ReadFreeExtents(r, name)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	var l *image.Layout
	err := s.read(s.Device.Dumpe2fs, func(r io.Reader, name string) (err error) {
		l, err = d.Read(r, name)
		return err
	})
	return l, err
}

// read reads a file that the scenario names.
func (s *Scenario) read(path string, f func(io.Reader, string) error) error {
	name := s.Path(path)
	r, err := os.Open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	return f(r, name)
}

// checkDevice refuses keys that belong to another starting state.
func checkDevice(d *decoder, n *yaml.Node, p any) error {
	v := p.(*Device)
	for _, k := range [...]struct {
		key, with string
		wrong     bool
	}{
		{"offset", "image", v.Offset != 0 && v.Image == ""},
		{"fill", "dumpe2fs", v.Fill != "" && v.Dumpe2fs == ""},
		{"free_extents", "dumpe2fs", v.FreeExtents != "" && v.Dumpe2fs == ""},
	} {
		if k.wrong {
			return d.errorf(keyNode(n, k.key), "%s is for a device that begins with %s", k.key, k.with)
		}
	}
	if v.FreeExtents != "" && v.Fill == fillNone {
		return d.errorf(keyNode(n, "fill"), "fill: none leaves the file system empty, and free_extents tells what is free: want one of them")
	}
	return nil
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
