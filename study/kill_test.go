package study

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// childEnv makes the test binary perform the study of killTest in this folder.
const childEnv = "MBSIM_TEST_STUDY"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := killedChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func killOptions() Options {
	return Options{Sets: []string{"s_mb_stream_request=0,16", "s_mb_group_prealloc=0,64"}, Replications: 6, Version: "killed", Metrics: metricNames()}
}

func killedChild(dir string) error {
	p, err := NewPlan(filepath.Join(dir, "tiny.yaml"), killOptions())
	if err != nil {
		return err
	}
	s, err := Open(filepath.Join(dir, "study"), p)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Run(context.Background(), &Pool{Jobs: 2}, nil); err != nil {
		return err
	}
	_, err = s.Write()
	return err
}

// A study killed (kill -9) at twenty random moments loses no finished run,
// repeats none, and comes to the bytes of one that was never killed.
func TestKilled(t *testing.T) {
	text := strings.Replace(tiny, "operations: 150", "operations: 250", 1)
	reference := t.TempDir()
	if err := os.WriteFile(filepath.Join(reference, "tiny.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := child(reference).Run(); err != nil {
		t.Fatal(err)
	}
	want := study(t, reference)
	size := int64(len(read(t, filepath.Join(reference, "study"), runsName)))

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	kills, between, wanted := 0, 0, 20
	if testing.Short() {
		wanted = 5
	}
	for kills < wanted {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "tiny.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		before := ""
		for {
			// Some time after the file has so many bytes more, a sixth of all at most;
			// now and then before there is any.
			path := filepath.Join(dir, "study", runsName)
			more := rng.Int64N(size/6) - size/50
			killed := killAfter(t, child(dir), path, int64(len(before))+more, time.Duration(rng.Int64N(int64(15*time.Millisecond))))
			raw, err := os.ReadFile(path)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			// What was finished before is still there, and nothing but a torn last
			// line is lost.
			now := string(raw)
			if !strings.HasPrefix(now, before) {
				t.Fatalf("seed %d: finished runs are gone:\n%s\nnow\n%s", seed, before, now)
			}
			before = now[:strings.LastIndexByte(now, '\n')+1]
			if !killed {
				break
			}
			kills++
			if n := strings.Count(before, "\n"); n > 0 && n < 24 {
				between++
			}
		}
		if got := study(t, dir); got != want {
			t.Errorf("seed %d: another study.json than without kills", seed)
		}
	}
	if between < wanted/4 {
		t.Errorf("only %d of %d kills came in the midst of the runs", between, kills)
	}
	t.Logf("%d kills, %d of them in the midst of the runs", kills, between)
}

func child(dir string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childEnv+"="+dir)
	c.Stderr = os.Stderr
	return c
}

// killAfter starts a process and kills it some time after a file has reached a
// size, if the process has not ended by itself.
func killAfter(t *testing.T, c *exec.Cmd, path string, size int64, d time.Duration) (killed bool) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	reached := make(chan bool, 1)
	go func() {
		for range 100000 {
			if st, err := os.Stat(path); size <= 0 || err == nil && st.Size() >= size {
				break
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(d)
		reached <- true
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
		return false
	case <-reached:
		if err := c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		return <-ended != nil
	}
}

// study is study.json of a folder, once it is sure that runs.ndjson has each run
// once.
func study(t *testing.T, dir string) string {
	t.Helper()
	records, _, err := readRecords(filepath.Join(dir, "study", runsName))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, r := range records {
		if seen[r.ID] {
			t.Errorf("run %s, replication %d, is there twice", r.Setting, r.Replication)
		}
		seen[r.ID] = true
	}
	if len(records) != 24 {
		t.Errorf("%d runs, want 24", len(records))
	}
	return read(t, filepath.Join(dir, "study"), resultName)
}
