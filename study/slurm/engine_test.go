package slurm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"mbsim/study"
)

// TestMain lets the test binary stand in for mbsim: the tasks of the cluster that
// testdata/fake plays run it as "shard ...".
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "shard" {
		index, _ := strconv.Atoi(os.Args[3])
		of, _ := strconv.Atoi(os.Args[5])
		if _, err := study.Shard(context.Background(), os.Args[7], index, of, 1, "test"); err != nil {
			fmt.Fprintln(os.Stderr, "mbsim:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const tiny = `# Does a cluster lose anything?
device: {mkfs: {size: 64M}}
workload:
  classes:
    - name: w
      think: {exponential: 1ms}
      mix: {create: 1}
      file_size: {lognormal: {median: 20K, sigma: 1}}
      fsync_on_close: 50%
stop: {operations: 50}
`

// fakeCluster puts testdata/fake, which plays Slurm, into the path. Its state is in
// the folder returned.
func fakeCluster(t *testing.T) string {
	t.Helper()
	bin, err := filepath.Abs("testdata/fake")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("FAKE", dir)
	return dir
}

func newStudy(t *testing.T, until string) *study.Study {
	t.Helper()
	return newStudyIn(t, "the study's folder", until)
}

// newStudyIn is a study in a folder of this name.
func newStudyIn(t *testing.T, folder, until string) *study.Study {
	t.Helper()
	name := filepath.Join(t.TempDir(), "tiny.yaml")
	if err := os.WriteFile(name, []byte(tiny), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := study.NewPlan(name, study.Options{Sets: []string{"s_mb_group_prealloc=0,64"}, Replications: 3, Until: until, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := study.Open(filepath.Join(t.TempDir(), folder), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// lines collects what the engine tells.
type lines struct {
	t   *testing.T
	all []string
}

func (l *lines) log(format string, a ...any) {
	l.t.Logf(format, a...)
	l.all = append(l.all, fmt.Sprintf(format, a...))
}

func (l *lines) want(t *testing.T, parts ...string) {
	t.Helper()
	text := strings.Join(l.all, "\n")
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("the log does not say %q:\n%s", p, text)
		}
	}
}

func engine(t *testing.T) (*Engine, *lines) {
	l := &lines{t: t}
	return &Engine{Attempts: 3, Poll: 20 * time.Millisecond, Log: l.log, Program: os.Args[0]}, l
}

// submitted are the arrays that sbatch was given.
func submitted(t *testing.T, fake string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(fake, "arrays"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

func set(t *testing.T, fake, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(fake, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Without trouble: one array, all runs, and nothing left behind. With a rule for
// more replications, an array a round.
func TestArray(t *testing.T) {
	for _, until := range []string{"", "ci=0%,max=5,metric=free_extents"} {
		fake := fakeCluster(t)
		s := newStudy(t, until)
		e, log := engine(t)
		e.Shards = 4
		e.Args = []string{"--partition=test"}
		if err := s.Run(t.Context(), e, nil); err != nil {
			t.Fatal(err)
		}
		log.want(t, "submitted job 1: 4 shards of 4, 6 runs; logs are in")
		want := "0-3"
		if until != "" {
			want = "0-3\n0-3"
		}
		if got := submitted(t, fake); got != want {
			t.Errorf("arrays %q, want %q", got, want)
		}
		if _, err := os.Stat(filepath.Join(s.Dir, stateName)); !os.IsNotExist(err) {
			t.Error("slurm.json is left")
		}
		raw, err := os.ReadFile(filepath.Join(fake, "args"))
		if err != nil || !strings.Contains(string(raw), "--parsable --requeue --job-name=mbsim-tiny") || !strings.Contains(string(raw), "--partition=test") {
			t.Errorf("sbatch got %s, %v", raw, err)
		}
	}
}

// hardFolders are names of folders that mean something to Slurm's patterns, to a shell
// or to patterns of files.
var hardFolders = []string{"100%", "%A_%a %%j%5x", "it's \"so\" $HOME;`id`", "[a-z]*?", `back\slash`, `\\%j'`, " "}

// A study runs in a folder of any name, and each task has its log in it.
func TestFolders(t *testing.T) {
	for _, name := range hardFolders {
		set(t, fakeCluster(t), "lose-always", "1")
		s := newStudyIn(t, name, "")
		e, _ := engine(t)
		e.Shards, e.Attempts = 2, 1
		err := s.Run(t.Context(), e, nil)
		want := "3 runs of 1 shard are missing after 1 attempt; a task said: slurmstepd: error: *** JOB 1 ON n1 CANCELLED"
		if strings.Contains(name, `\`) { // Slurm cannot say it there
			want = "3 runs of 1 shard are missing after 1 attempt"
		}
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(s.Dir, logsName, "1_0.log")); err != nil {
			t.Error(err)
		}
	}
}

// Tasks that are cancelled or die are submitted again, and only they.
func TestLostTasks(t *testing.T) {
	fake := fakeCluster(t)
	set(t, fake, "lose", "1 3") // in the first array
	s := newStudy(t, "")
	e, log := engine(t)
	e.Shards = 5
	if err := s.Run(t.Context(), e, nil); err != nil {
		t.Fatal(err)
	}
	if got := submitted(t, fake); got != "0-4\n1,3" {
		t.Errorf("arrays %q", got)
	}
	log.want(t, "2 shards of 5 lack runs: submitted again")
}

// What is lost again and again is given up, with a task's own words.
func TestGivesUp(t *testing.T) {
	fake := fakeCluster(t)
	set(t, fake, "lose-always", "2")
	s := newStudy(t, "")
	e, _ := engine(t)
	e.Shards = 6
	err := s.Run(t.Context(), e, nil)
	if err == nil || err.Error() != "1 runs of 1 shard are missing after 3 attempts; a task said: slurmstepd: error: *** JOB 3 ON n1 CANCELLED" {
		t.Error(err)
	}
	if got := submitted(t, fake); got != "0-5\n2\n2" {
		t.Errorf("arrays %q", got)
	}
	if done, total := s.Finished(); done != 5 || total != 6 {
		t.Errorf("%d of %d runs are there", done, total)
	}
}

// A process that dies leaves the job running; the next one follows it, instead of
// submitting another.
func TestFollowsAgain(t *testing.T) {
	fake := fakeCluster(t)
	s := newStudy(t, "")
	e, _ := engine(t)
	c, err := newCluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.submit(t.Context(), c, s, 6, []int{0, 1, 2, 3, 4, 5}); err != nil {
		t.Fatal(err)
	}
	e, log := engine(t)
	e.Shards = 2 // the job in the queue has six
	if err := s.Run(t.Context(), e, nil); err != nil {
		t.Fatal(err)
	}
	if got := submitted(t, fake); got != "0-5" {
		t.Errorf("arrays %q", got)
	}
	log.want(t, "following job 1 of 6 shards")
}

// An interrupt cancels the job.
func TestInterrupt(t *testing.T) {
	fake := fakeCluster(t)
	set(t, fake, "slow", "")
	s := newStudy(t, "")
	e, log := engine(t)
	e.Shards = 2
	ctx, cancel := context.WithCancel(t.Context())
	e.Log = func(format string, a ...any) {
		log.log(format, a...)
		if strings.HasPrefix(format, "submitted") {
			cancel()
		}
	}
	if err := s.Run(ctx, e, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	log.want(t, "cancelling job 1")
	if raw, err := os.ReadFile(filepath.Join(fake, "cancelled")); err != nil || strings.TrimSpace(string(raw)) != "1" {
		t.Errorf("cancelled: %s, %v", raw, err)
	}
}

// A controller that does not answer for a while, and a task that is held.
func TestTrouble(t *testing.T) {
	fake := fakeCluster(t)
	set(t, fake, "mute", "3") // squeue fails so often
	set(t, fake, "hold", "")
	s := newStudy(t, "")
	e, log := engine(t)
	e.Shards = 2
	old := retryPause
	retryPause = 10 * time.Millisecond
	defer func() { retryPause = old }()
	if err := s.Run(t.Context(), e, nil); err != nil {
		t.Fatal(err)
	}
	log.want(t, "of job 1 held (launch failed requeued held): released")
	if got := submitted(t, fake); got != "0-1" {
		t.Errorf("arrays %q", got)
	}
}

func TestRefusals(t *testing.T) {
	s := newStudy(t, "")
	e, _ := engine(t)
	t.Setenv("PATH", t.TempDir())
	err := s.Run(t.Context(), e, nil)
	if err == nil || err.Error() != "the slurm engine needs sbatch, which is not there: is this a login node of a Slurm cluster?" || !errors.As(err, new(*study.UserError)) {
		t.Error(err)
	}
	t.Setenv("PATH", "/usr/bin:/bin")
	fake := fakeCluster(t)
	e.Shards = 32
	if err := s.Run(t.Context(), e, nil); err == nil || err.Error() != "--shards is 32: this cluster's MaxArraySize allows 31" {
		t.Error(err)
	}
	e.Shards = 0
	set(t, fake, "refuse", "")
	if err := s.Run(t.Context(), e, nil); err == nil || err.Error() != "sbatch: sbatch: error: invalid partition specified: test" {
		t.Error(err)
	}
	for _, state := range []string{"{", "{}", `{"job": "x", "shards": 2}`, `{"job": "7", "shards": 0}`, `{"job": "7", "shards": 2, "submitted": [2]}`} {
		set(t, s.Dir, stateName, state)
		if err := s.Run(t.Context(), e, nil); err == nil || !strings.Contains(err.Error(), "slurm.json: cannot be read") {
			t.Errorf("%s: %v", state, err)
		}
	}
}

func TestRanges(t *testing.T) {
	for want, n := range map[string][]int{"": nil, "3": {3}, "0-2": {0, 1, 2}, "0,2-3,7,9-10": {0, 2, 3, 7, 9, 10}} {
		if got := ranges(n); got != want {
			t.Errorf("%v: %s, want %s", n, got, want)
		}
	}
}

func TestParseQueue(t *testing.T) {
	for out, want := range map[string]queued{
		"":                                  {},
		"RUNNING None\nPENDING Resources\n": {tasks: 2},
		"PENDING launch failed requeued held\nCOMPLETING None\n": {tasks: 2, held: 1, reason: "launch failed requeued held"},
		"PENDING JobHeldUser\n":                                  {tasks: 1, held: 1, reason: "JobHeldUser"},
	} {
		if got := parseQueue(out); got != want {
			t.Errorf("%q: %+v, want %+v", out, got, want)
		}
	}
}
