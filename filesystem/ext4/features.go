package ext4

import (
	"fmt"

	"mbsim/filesystem/image"
)

// CanWrite refuses a file system with features that the kernel does not write to
// (ext4_feature_set_ok). Compatible features are never a reason: a kernel that does not know
// them leaves what belongs to them alone. What no kernel can mount, such as unknown
// incompatible features, package image has refused.
func (k *Kernel) CanWrite(f image.Features) error {
	switch {
	case f.ROCompat&image.ReadOnly != 0:
		return fmt.Errorf("ext4: the file system has the feature read-only: every kernel mounts it for reading only (tune2fs -O ^read-only makes it writable)")
	case f.ROCompat&image.OrphanPresent != 0 && !k.Quirks.OrphanFile:
		return fmt.Errorf("ext4: the file system has the feature orphan_present, which kernel %s does not know: it mounts it for reading only (kernels that know it clear it when they unmount, and so does e2fsck)", k.Name)
	}
	return nil
}
