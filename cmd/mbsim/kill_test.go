package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mbsim/reports"
	"mbsim/study"
)

const killScenario = `device: {mkfs: {size: 64M}}
workload:
  classes:
    - {name: w, think: {exponential: 1ms}, mix: {create: 4, append: 2, delete: 1}, file_size: {lognormal: {median: 20K, sigma: 1}}, append_size: 9K}
stop: {operations: 400}
`

// killed is a folder in which a command is killed again and again.
type killed struct {
	t    *testing.T
	dir  string
	took time.Duration // of a command that nobody kills
	rng  *rand.Rand
}

// newKilled makes the folder, with the scenario k.yaml.
func newKilled(t *testing.T) *killed {
	t.Helper()
	k := &killed{t: t, dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(k.dir, "k.yaml"), []byte(killScenario), 0o666); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	k.rng = rand.New(rand.NewPCG(seed, 0))
	return k
}

// whole performs a command to its end, and notes how long it took.
func (k *killed) whole(args string) {
	k.t.Helper()
	c, stderr := program(k.t, k.dir, strings.Fields(args)...)
	start := time.Now()
	if err := c.Run(); err != nil {
		k.t.Fatalf("mbsim %s: %v, %s", args, err, stderr)
	}
	k.took = time.Since(start)
}

// kill performs a command and kills it at some moment of the time that a whole one took.
func (k *killed) kill(args string) {
	k.t.Helper()
	c, _ := program(k.t, k.dir, strings.Fields(args)...)
	if err := c.Start(); err != nil {
		k.t.Fatal(err)
	}
	time.Sleep(time.Duration(k.rng.Int64N(int64(k.took))))
	if err := c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		k.t.Fatal(err)
	}
	if err := c.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		k.t.Fatal(err)
	}
}

// hidden are the files and folders of the whole folder whose names begin with a dot.
func (k *killed) hidden() (names []string) {
	for _, path := range tree(k.t, k.dir) {
		if strings.HasPrefix(filepath.Base(path), ".") {
			names = append(names, path)
		}
	}
	return names
}

// same compares a file of two folders.
func (k *killed) same(a, b, name string) {
	k.t.Helper()
	x, err1 := os.ReadFile(filepath.Join(k.dir, a, name))
	y, err2 := os.ReadFile(filepath.Join(k.dir, b, name))
	if err1 != nil || err2 != nil || string(x) != string(y) {
		k.t.Errorf("%s: not the same in %s and %s, %v %v", name, a, b, err1, err2)
	}
}

// names are the files of a folder.
func (k *killed) names(dir string) (names []string) {
	k.t.Helper()
	entries, err := os.ReadDir(filepath.Join(k.dir, dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// kills is how often each command is killed.
func kills() int {
	if testing.Short() {
		return 5
	}
	return 20
}

// Runs that are killed at random moments, into folders that are there and that are not:
// what is taken for a run is all of one, and the next run leaves nothing but its own.
func TestKilledRuns(t *testing.T) {
	k := newKilled(t)
	for seed := 1; seed <= 2; seed++ {
		k.whole(fmt.Sprintf("run k.yaml -q --no-plots --force --seed %d -o ref%d", seed, seed))
	}
	for i := range kills() {
		k.kill(fmt.Sprintf("run k.yaml -q --no-plots --force --seed %d -o out", 1+i%2))
		r, err := reports.Load(filepath.Join(k.dir, "out"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		if err == nil {
			for _, name := range append(r.Manifest.Files, "results.json") {
				k.same("out", fmt.Sprintf("ref%d", r.Manifest.Seed), name)
			}
		}
		if i%5 == 4 {
			k.whole("run k.yaml -q --no-plots --force --seed 1 -o out")
			got, want := k.names("out"), k.names("ref1")
			if strings.Join(got, " ") != strings.Join(want, " ") || k.hidden() != nil {
				t.Errorf("after the next run there are %s and %s, want %s", got, k.hidden(), want)
			}
			for _, name := range want {
				if name != "manifest.json" {
					k.same("out", "ref1", name)
				}
			}
		}
		if i%10 == 9 {
			if err := os.RemoveAll(filepath.Join(k.dir, "out")); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Sweeps that are killed at random moments: what is taken for a study is unfinished or
// right, and the next sweep comes to what one that was never killed does.
func TestKilledSweeps(t *testing.T) {
	k := newKilled(t)
	const sweep = "sweep k.yaml -q -j 2 --set s_mb_group_prealloc=0,64 --reps 3 -o "
	k.whole(sweep + "ref")
	for i := range kills() {
		k.kill(sweep + "out")
		r, err := study.Load(filepath.Join(k.dir, "out"))
		if err != nil && !strings.Contains(err.Error(), "no study: there is no plan.json") {
			t.Error(err)
		}
		if err == nil && r.Missing == 0 && exists(filepath.Join(k.dir, "out", "study.json")) {
			k.same("out", "ref", "study.json")
		}
		if i%5 == 4 {
			k.whole(sweep + "out")
			for _, name := range []string{"study.json", "study.csv", "report.html"} {
				k.same("out", "ref", name)
			}
			if k.hidden() != nil {
				t.Errorf("after the next sweep there are %s", k.hidden())
			}
			if err := os.RemoveAll(filepath.Join(k.dir, "out")); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Replays that are killed at random moments: each file is whole, and the next replay
// leaves nothing but its own.
func TestKilledReplays(t *testing.T) {
	k := newKilled(t)
	dir, err := filepath.Abs("../../replay/testdata/small-files-1")
	if err != nil {
		t.Fatal(err)
	}
	replay := "replay " + dir + " --mkfs --trace -o "
	k.whole(replay + "ref")
	want := strings.Join(k.names("ref"), " ")
	for i := range kills() {
		k.kill(replay + "out")
		for _, name := range k.names("out") {
			k.same("out", "ref", name)
		}
		if i%5 == 4 {
			k.whole(replay + "out")
			if got := strings.Join(k.names("out"), " "); got != want || k.hidden() != nil {
				t.Errorf("after the next replay there are %s and %s, want %s", got, k.hidden(), want)
			}
			if err := os.RemoveAll(filepath.Join(k.dir, "out")); err != nil {
				t.Fatal(err)
			}
		}
	}
}
