package ext4

import (
	"strings"
	"testing"

	"mbsim/filesystem/image"
)

// TestCanWrite tests which features each kernel refuses to write to.
func TestCanWrite(t *testing.T) {
	for _, k := range Kernels() {
		for name, want := range map[string]string{
			// What mke2fs 1.47.2 makes by default: kernels that do not know orphan_file leave it alone.
			"orphan_file": "", "metadata_csum_seed": "", "read-only": "feature read-only", "orphan_present": "feature orphan_present",
		} {
			var f image.Features
			switch name {
			case "orphan_file":
				f.Compat = image.OrphanFile
			case "metadata_csum_seed":
				f.Incompat = image.CsumSeed
			case "read-only":
				f.ROCompat = image.ReadOnly
			case "orphan_present":
				f.Compat, f.ROCompat = image.OrphanFile, image.OrphanPresent
				if k.Quirks.OrphanFile {
					want = ""
				}
			}
			if err := k.CanWrite(f); err == nil && want != "" || err != nil && (want == "" || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s, %s: %v, want %q", k.Name, name, err, want)
			}
		}
	}
	now, err := KernelByName("6.1")
	if err != nil {
		t.Fatal(err)
	}
	if old := DefaultKernel; old.Quirks.OrphanFile || !now.Quirks.OrphanFile {
		t.Error("orphan_file came after 5.10 and before 6.1")
	}
}
