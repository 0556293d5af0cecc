package scenarios

// MkfsArgs are the arguments of mke2fs that make Device.Mkfs, which must be set,
// but for the device and its size.
func (s *Scenario) MkfsArgs() []string {
	fsType := "ext4"
	if s.Profile == ProfileExt2 {
		fsType = "ext2"
	}
	return s.Device.Mkfs.args(fsType)
}
