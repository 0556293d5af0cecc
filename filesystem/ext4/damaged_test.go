package ext4

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
	fs, err := Mount(l, opt)
	if err != nil {
		return nil, nil, err
	}
	return fs, fs.Check, nil
}

func TestSoundImages(t *testing.T) { imagetest.Sound(t, "ext", mountDamaged) }

// Run one seed again with
// go test -run TestDamagedImages ./filesystem/ext4 -damaged.seed N -damaged.n 1.
func TestDamagedImages(t *testing.T) {
	imagetest.Damaged(t, "ext", mountDamaged, *damagedSeed, *damagedRuns)
}

func FuzzMountExt4(f *testing.F) { imagetest.Fuzz(f, "ext", mountDamaged) }
