package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mbsim/metrics"
	"mbsim/reports"
)

// mbsim runs a command line that must succeed, and gives what it prints.
func mbsim(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := execute(args, &out, &errs); code != exitOK {
		t.Fatalf("mbsim %q: exit code %d: %s", args, code, errs.String())
	}
	return out.String()
}

// tool runs a program. The test is skipped where it is not installed.
func tool(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	full, err := exec.LookPath(name)
	if err != nil {
		full = "/usr/sbin/" + name
	}
	if _, err := os.Stat(full); err != nil {
		t.Skip(name, "is not installed")
	}
	c := exec.Command(full, args...)
	c.Stdin = strings.NewReader(stdin)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, errs.Bytes())
	}
	return string(out)
}

// idleRun runs a scenario that starts from an image and does nothing.
func idleRun(t *testing.T, img string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	name := filepath.Join(dir, "idle.yaml")
	text := fmt.Sprintf("# Nothing?\ndevice: {image: %s}\nworkload:\n  script: |\n    sync\n    sync\n", img)
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	mbsim(t, "run", name, "-q", "--no-plots", "-o", filepath.Join(dir, "out"))
	return filepath.Join(dir, "out")
}

// filled makes an image with the real tools: files in folders, every third
// removed.
func filled(t *testing.T, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	img := filepath.Join(dir, "img")
	tool(t, "", "mkfs.ext4", append(append([]string{"-q", "-F"}, args...), img, "48M")...)
	rnd := rand.New(rand.NewPCG(3, 4))
	var script strings.Builder
	script.WriteString("mkdir d0\nmkdir d1\n")
	for i := range 70 {
		name := filepath.Join(dir, fmt.Sprint("f", i))
		if err := os.WriteFile(name, bytes.Repeat([]byte{1}, 1+int(rnd.ExpFloat64()*150e3)), 0o666); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&script, "write %s d%d/f%d\n", name, i%2, i)
	}
	for i := 0; i < 70; i += 3 {
		fmt.Fprintf(&script, "rm d%d/f%d\n", i%2, i)
	}
	tool(t, script.String(), "debugfs", "-w", img)
	return img
}

// The state of a run that starts from a real image and does nothing is what
// e2freefrag tells of the image.
func TestShowIsE2freefrags(t *testing.T) {
	for _, args := range [][]string{{"-b", "4096"}, {"-b", "1024", "-O", "^flex_bg"}, {"-b", "2048", "-g", "4096"}, {"-b", "8192"}, {"-b", "16384"}, {"-b", "32768"}, {"-b", "65536"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			img := filled(t, args...)
			want := tool(t, "", "e2freefrag", img)
			out := idleRun(t, img)
			for _, at := range [][]string{nil, {"--at", "0s"}, {"--at", "15us"}} {
				got := mbsim(t, append([]string{"show", out, "--as", "e2freefrag"}, at...)...)
				if got = strings.Replace(got, out, img, 1); got != want {
					t.Errorf("%v: got\n%s\nwant\n%s", at, got, want)
				}
			}
		})
	}
}

// mounted mounts an image on a loop device, and gives its folder and the loop
// device's name. The test is skipped where that is not allowed.
func mounted(t *testing.T, img string, options string) (dir, device string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting an image needs root")
	}
	dir = t.TempDir()
	if out, err := exec.Command("mount", "-o", "loop,"+options, img, dir).CombinedOutput(); err != nil {
		t.Skipf("an image cannot be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() }) // has been unmounted already, or is now
	return dir, filepath.Base(strings.TrimSpace(strings.SplitN(tool(t, "", "losetup", "-j", img), ":", 2)[0]))
}

// The state of a run that starts from an image that the real ext4 has written,
// and does nothing, is what filefrag and the kernel tell of the image mounted.
func TestShowIsTheKernels(t *testing.T) {
	img := filled(t, "-b", "4096")
	dir, _ := mounted(t, img, "rw")
	var names []string
	add := func(name string, perform func(f *os.File) error) {
		t.Helper()
		f, err := os.Create(filepath.Join(dir, name))
		if err == nil {
			err = perform(f)
		}
		if err == nil {
			err = f.Sync()
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	add("d0/sparse", func(f *os.File) error {
		for i := range 30 {
			if _, err := f.WriteAt(make([]byte, 5000), int64(i*i)*40_000); err != nil {
				return err
			}
		}
		return nil
	})
	add("d1/large", func(f *os.File) error { _, err := f.Write(make([]byte, 9<<20)); return err })
	add("d1/unwritten", func(f *os.File) error {
		tool(t, "", "fallocate", "-o", "8192", "-l", "3M", f.Name())
		_, err := f.WriteAt(make([]byte, 70_000), 1<<20)
		return err
	})
	add("empty", func(*os.File) error { return nil })
	for _, d := range []string{"d0", "d1"} {
		files, err := filepath.Glob(filepath.Join(dir, d, "f*"))
		if err != nil || len(files) < 10 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		for _, f := range files {
			names = append(names, d+"/"+filepath.Base(f))
		}
	}
	slices.Sort(names)
	tool(t, "", "umount", dir)

	out := idleRun(t, img)
	dir, device := mounted(t, img, "ro,noload")
	filefrag := exec.Command("filefrag", append([]string{"-v"}, names...)...)
	filefrag.Dir = dir
	want, err := filefrag.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range [][]string{nil, {"--at", "15us"}} {
		if got := mbsim(t, append([]string{"show", out, "--as", "filefrag"}, at...)...); got != string(want) {
			t.Errorf("%v: filefrag: got\n%s\nwant\n%s", at, got, want)
		}
	}
	groups, err := os.ReadFile(filepath.Join("/proc/fs/ext4", device, "mb_groups"))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range [][]string{nil, {"--at", "15us"}} {
		got := mbsim(t, append([]string{"show", out, "--as", "mb_groups"}, at...)...)
		if strings.Count(string(groups), "\n") != strings.Count(got, "\n") || !strings.HasPrefix(string(groups), got[:40]) {
			t.Skipf("the kernel here writes another form:\n%s", groups)
		}
		if got != string(groups) {
			t.Errorf("%v: mb_groups: got\n%s\nwant\n%s", at, got, groups)
		}
	}
}

const showScenario = `
# What was there?
device: {mkfs: {size: 96M}}
cpus: 2
memory: {size: 64M, dirty_expire: 200ms, dirty_writeback: 100ms}
mount: commit=1
workload:
  classes:
    - name: w
      count: 3
      think: {exponential: 3ms}
      mix: {create: 5, append: 3, delete: 3, truncate: 1, fallocate: 1, fsync: 1}
      file_size: {lognormal: {median: 20K, sigma: 1.5, max: 2M}}
      append_size: 30K
stop: {operations: 1500}
`

// What is shown of a time is what the run was like then: the free space that its
// samples saw, counters between those that they saw, and the end at its end.
func TestShowOfATime(t *testing.T) {
	dir := t.TempDir()
	name, out := filepath.Join(dir, "s.yaml"), filepath.Join(dir, "out")
	if err := os.WriteFile(name, []byte(showScenario), 0o666); err != nil {
		t.Fatal(err)
	}
	mbsim(t, "run", name, "-q", "--no-plots", "-o", out)
	r, err := reports.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	snaps := r.Result.Snapshots
	if len(snaps) < 10 {
		t.Fatalf("%d snapshots", len(snaps))
	}
	for _, i := range []int{3, len(snaps) / 2, len(snaps) - 3} {
		// A sample is taken after the operation that ended then.
		at := time.Duration(snaps[i].Time + 1)
		var want bytes.Buffer
		if err := reports.WriteFreeFrag(&want, out, &snaps[i].Free, snaps[i].Free.Blocks); err != nil {
			t.Fatal(err)
		}
		if got := mbsim(t, "show", out, "--as", "e2freefrag", "--at", at.String()); got != want.String() {
			t.Errorf("at %v: got\n%s\nwant\n%s", at, got, want.String())
		}
		sampled := slices.Index(r.Result.Series.Times, snaps[i].Time)
		id, err := metrics.Find("mb_reqs")
		if err != nil || sampled < 0 {
			t.Fatal(sampled, err)
		}
		row := r.Result.Series.Rows[sampled]
		if got, want := mbsim(t, "show", out, "--as", "mb_stats", "--at", at.String()), fmt.Sprintf("\treqs: %.0f\n", row[id]); !strings.Contains(got, want) {
			t.Errorf("at %v: got\n%s\nwant %s", at, got, want)
		}
		checkFiles(t, mbsim(t, "show", out, "--as", "filefrag", "--at", at.String()), row)
	}
	checkFiles(t, mbsim(t, "show", out, "--as", "filefrag"), r.Result.Final)
	end := time.Duration(r.Result.End).String()
	for _, as := range []string{"mb_groups", "e2freefrag"} {
		// The last moment of a run is before its last sync has ended.
		if mbsim(t, "show", out, "--as", as) == mbsim(t, "show", out, "--as", as, "--at", "0s") {
			t.Errorf("--as %s: the start is the end", as)
		}
		if got := mbsim(t, "show", out, "--as", as, "--at", end); got != mbsim(t, "show", out, "--as", as) {
			t.Errorf("--as %s: the end is not the end:\n%s", as, got)
		}
	}
}

// extentOf is a line of filefrag -v: where an extent ends, its length, its flags.
var extentOf = regexp.MustCompile(`(?m)^ +\d+: +\d+\.\. +\d+: +\d+\.\. +\d+: +(\d+): +(?:\d+:)? *(.*)$`)

// checkFiles compares filefrag's text with a row of the series: files, blocks
// that have a place, and blocks that have none yet.
func checkFiles(t *testing.T, text string, row metrics.Row) {
	t.Helper()
	files, placed, delayed := 0, 0, 0
	for line := range strings.Lines(text) {
		if strings.HasSuffix(line, " found\n") {
			files++
		}
	}
	for _, m := range extentOf.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(m[2], "delalloc") {
			delayed += max(n, 1)
		} else {
			placed += n
		}
	}
	for name, got := range map[string]int{"files": files, "data_blocks": placed} {
		id, err := metrics.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		if float64(got) != row[id] {
			t.Errorf("filefrag shows %d %s, the sample %v", got, name, row[id])
		}
	}
	if id, err := metrics.Find("delayed_blocks"); err != nil || (delayed > 0) != (row[id] > 0) {
		t.Errorf("filefrag shows %d delayed extents, the sample %v blocks, %v", delayed, row[id], err)
	}
}
