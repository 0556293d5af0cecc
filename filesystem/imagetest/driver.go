package imagetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/image"
)

// Driver mounts a layout with two CPUs, and returns what recounts the file system.
// Layouts with features that it does not know it may refuse with ErrFeatures.
type Driver func(l *image.Layout) (fs filesystem.FileSystem, check func() error, err error)

// ErrFeatures is the error of a driver for features that it does not know.
var ErrFeatures = fmt.Errorf("unknown features")

// Sound works on the sound images whose names begin with prefix.
func Sound(t *testing.T, prefix string, d Driver) {
	for _, s := range mustSeeds(t, prefix) {
		if _, err := image.Read(bytes.NewReader(s.Image), int64(len(s.Image))); err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		for seed := range uint64(10) {
			if err := d.try(s.Image, seed); err != nil {
				t.Errorf("%s, seed %d: %v", s.Name, seed, err)
			}
		}
	}
}

// Damaged changes a few bytes of images, n times from the seed first on: each is
// refused with one line, or can be worked on. Some are accepted.
func Damaged(t *testing.T, prefix string, d Driver, first, n uint64) {
	seeds := mustSeeds(t, prefix)
	accepted := 0
	for i := first; i < first+n; i++ {
		r := rand.New(rand.NewPCG(i, 1))
		s := seeds[r.IntN(len(seeds))]
		changes := RandomChanges(r)
		img := s.Edit(changes)
		if _, err := image.Read(bytes.NewReader(img), int64(len(img))); err == nil {
			accepted++
		}
		if err := d.try(img, i); err != nil {
			t.Errorf("%s, changes %x, seed %d: %v", s.Name, changes, i, err)
		}
	}
	t.Logf("%d of %d accepted", accepted, n)
	if accepted == 0 && n > 100 {
		t.Error("no image was accepted")
	}
}

// Fuzz changes bytes of images as the fuzzer says.
func Fuzz(f *testing.F, prefix string, d Driver) {
	seeds := mustSeeds(f, prefix)
	for i := range seeds {
		f.Add(uint8(i), uint64(i), RandomChanges(rand.New(rand.NewPCG(uint64(i), 2))))
	}
	f.Fuzz(func(t *testing.T, which uint8, seed uint64, changes []byte) {
		s := seeds[int(which)%len(seeds)]
		if err := d.try(s.Edit(changes), seed); err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
	})
}

func mustSeeds(t testing.TB, prefix string) []*Seed {
	t.Helper()
	seeds, err := Seeds(prefix)
	if err != nil {
		t.Fatal(err)
	}
	return seeds
}

// try opens an image, mounts it and works on it. It returns what no image may
// lead to, a panic too; one that is refused leads to nothing.
func (d Driver) try(img []byte, seed uint64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	l, err := image.Read(bytes.NewReader(img), int64(len(img)))
	if err != nil {
		return oneLine(err)
	}
	return d.Mount(l, seed)
}

// oneLine refuses what is not a message of one line.
func oneLine(err error) error {
	if text := err.Error(); strings.Contains(text, "\n") || text == "" {
		return fmt.Errorf("refused with %q, which is not one line", text)
	}
	return nil
}

// Mount mounts a layout and works on it. It returns what no layout may lead to.
func (d Driver) Mount(l *image.Layout, seed uint64) error {
	fs, check, err := d(l)
	switch err {
	case nil:
		return Work(fs, seed, check)
	case ErrFeatures:
		return nil
	}
	return fmt.Errorf("opened, but not mounted: %w", err)
}
