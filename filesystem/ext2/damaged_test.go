package ext2

import (
	"flag"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/image"
	"mbsim/filesystem/imagetest"
)

var (
	damagedSeed = flag.Uint64("damaged.seed", 0, "the first seed of TestDamagedImages")
	damagedRuns = flag.Uint64("damaged.n", 2000, "how many seeds TestDamagedImages takes")
)

// mountDamaged is the driver for package imagetest.
func mountDamaged(l *image.Layout) (filesystem.FileSystem, func() error, error) {
	opt := DefaultOptions(l.Super.BlockSize())
	opt.CPUs = 2
	if l.Super.Incompat&^knownIncompat != 0 || l.Super.ROCompat&^knownROCompat != 0 || l.Super.BlockSize() > pageSize {
		return nil, nil, imagetest.ErrFeatures
	}
	fs, err := Mount(l, opt)
	if err != nil {
		return nil, nil, err
	}
	return fs, fs.Check, nil
}

func TestSoundImages(t *testing.T) { imagetest.Sound(t, "ext2", mountDamaged) }

// Run one seed again with
// go test -run TestDamagedImages ./filesystem/ext2 -damaged.seed N -damaged.n 1.
func TestDamagedImages(t *testing.T) {
	imagetest.Damaged(t, "ext2", mountDamaged, *damagedSeed, *damagedRuns)
}

func FuzzMountExt2(f *testing.F) { imagetest.Fuzz(f, "ext2", mountDamaged) }
