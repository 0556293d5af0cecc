package imagewriter_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/image"
	"mbsim/filesystem/imagewriter"
	"mbsim/kernels"
	"mbsim/replay"
	"mbsim/workload"
)

// unpacked is what a gzip file holds.
func unpacked(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// half makes a case of one half of a script, and opens it.
func half(t *testing.T, dir, name string) *workload.Case {
	t.Helper()
	to := t.TempDir()
	env, err := os.ReadFile(filepath.Join(dir, "case.env"))
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string][]byte{"case.env": env, "ops": unpacked(t, filepath.Join(dir, name+".gz"))} {
		if err := os.WriteFile(filepath.Join(to, file), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c, err := workload.OpenCase(to)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTakeover: a real kernel has mounted the image of the first half of a script, and has performed the
// second half (oracle/takeover.sh; the recordings are of that kernel). Whoever reads the image here and
// performs the second half has the same files in the same blocks, and the same buddies.
func TestTakeover(t *testing.T) {
	dirs, err := filepath.Glob("testdata/takeover/*")
	if err != nil || len(dirs) < 8 {
		t.Fatal(err, len(dirs))
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			word, err := os.ReadFile(filepath.Join(dir, "kernel"))
			if err != nil {
				t.Fatal(err)
			}
			kernel := strings.TrimSpace(string(word))
			sys, err := kernels.Find(kernel)
			if err != nil {
				t.Fatal(err)
			}
			disk := filepath.Join(t.TempDir(), "disk")
			first := half(t, dir, "first")
			l, err := sys.MakeLayout(first)
			if err != nil {
				t.Fatal(err)
			}
			_, err = replay.Run(replay.Config{Kernel: kernel, Case: first, Layout: l, Final: func(m *kernels.Mounted) error {
				if err := m.Remount(&filesystem.Task{}); err != nil {
					return err
				}
				return imagewriter.WriteFile(disk, m.OnDisk(), imagewriter.Options{})
			}})
			if err != nil {
				t.Fatal(err)
			}
			again, err := image.Open(disk)
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			out, err := replay.Run(replay.Config{Kernel: kernel, Case: half(t, dir, "second"), Layout: again})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range []struct {
				name string
				got  []byte
			}{{"files.txt", out.Files}, {"mb_groups.txt", out.Groups}} {
				if want := unpacked(t, filepath.Join(dir, x.name+".gz")); !bytes.Equal(want, x.got) {
					t.Errorf("%s is another: %d bytes, the kernel's has %d", x.name, len(x.got), len(want))
				}
			}
		})
	}
}
