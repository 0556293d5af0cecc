package fio

import (
	"os"
	"strings"
	"testing"
)

// TestSizes: the sizes of fio, where the unit with an i is the power of 1000.
func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "512": 512, "4k": 4096, "4K": 4096, "4kb": 4096, "4ki": 4000, "4KiB": 4000, "1.5m": 3 << 19, "2G": 2 << 30, "1t": 1 << 40, "0x1000": 4096, "16b": 16} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "k", "4x", "-1", "4kk", "1e3", "4i", "0x", "nan", "inf", "99999999999t", "4 k x"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}

// TestEveryKeyOnce: a key has an effect, or is not kept, or is harmless, and not two of these.
func TestEveryKeyOnce(t *testing.T) {
	seen := make(map[string]bool)
	for _, k := range nearestKeys() {
		if seen[k] {
			t.Errorf("%s is known in two ways", k)
		}
		seen[k] = true
	}
}

// TestJobs: sections [global] add up, and included files and variables are read.
func TestJobs(t *testing.T) {
	t.Setenv("MBSIM_FIO_SIZE", "8k")
	dir := t.TempDir()
	if err := writeFile(dir+"/common.fio", "[global]\nbs=2k\ndirect=1\n"); err != nil {
		t.Fatal(err)
	}
	jobs, err := ParseJobs(strings.NewReader("[global]\nsize=${MBSIM_FIO_SIZE}\ninclude common.fio\n[a]\nrw=randrw:4\nrwmixwrite=30\n[global]\nbs=1k\n[b]\nbuffered=1\nsync=none\n"), "job.fio", Files(dir+"/job.fio"))
	if err != nil || len(jobs.Jobs) != 2 {
		t.Fatalf("%+v, %v", jobs, err)
	}
	a, b := jobs.Jobs[0], jobs.Jobs[1]
	if a.Size.Bytes != 8192 || a.Writes.Max != 2048 || !a.Direct || a.Run != 4 || a.MixRead != 70 || !a.Kind.Random || b.Writes.Min != 1024 || b.Direct || b.Size.Bytes != 8192 {
		t.Errorf("%+v\n%+v", a, b)
	}
	if err := writeFile(dir+"/loop.fio", "include loop.fio\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := ParseJobs(strings.NewReader("include loop.fio\n"), "job.fio", Files(dir+"/job.fio")); err == nil || !strings.Contains(err.Error(), "loop.fio:1:1: include: files include one another") {
		t.Errorf("%v", err)
	}
}

func writeFile(name, text string) error { return os.WriteFile(name, []byte(text), 0o666) }
