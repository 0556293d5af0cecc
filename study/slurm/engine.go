package slurm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"mbsim/internal/atomicfile"
	"mbsim/internal/input"
	"mbsim/internal/shell"
	"mbsim/study"
)

// Engine performs runs as a Slurm job array.
type Engine struct {
	Shards   int      // tasks of the array; 0 for as many as the estimated time asks for
	Args     []string // further arguments of sbatch
	Attempts int      // how often shards are submitted; 0 for one time
	// Log, if not nil, is told what happens, a line at a time.
	Log func(format string, a ...any)
	// Program is the mbsim that nodes run, "" for the one that is running.
	Program string
	// Poll is the time between two looks at the queue, 0 for a second.
	Poll time.Duration
}

// job is slurm.json: the job array that performs a study.
type job struct {
	ID     string `json:"job"`
	Shards int    `json:"shards"`
	Next   []int  `json:"submitted"` // shards in it
}

const (
	stateName = "slurm.json"
	logsName  = "slurm"
	// shardTime is what a shard should take at least.
	shardTime = time.Minute
	// unknownShards are how many shards there are if nothing tells what runs take.
	unknownShards = 64
)

// Execute submits what is pending, follows the job and merges, until nothing is pending or all
// attempts are used up.
func (e *Engine) Execute(ctx context.Context, s *study.Study, tasks []study.Task, running func(float64)) error {
	c, err := newCluster(ctx)
	if err != nil {
		return err
	}
	shards, err := e.shards(s, tasks, c.maxArray)
	if err != nil {
		return err
	}
	// A job that an earlier process has submitted may still be in the queue: follow it first.
	j, err := readJob(s.Dir)
	if err != nil {
		return err
	}
	for attempt := 0; ; attempt++ {
		if j != nil {
			e.log("following job %s of %s", j.ID, plural(len(j.Next), "shard"))
			if err := e.follow(ctx, c, s, j, running); err != nil {
				return err
			}
		}
		// What the job did not bring is submitted again.
		missing := missingShards(s, shards)
		switch {
		case len(missing) == 0:
			return nil
		case attempt > 0 && attempt >= max(e.Attempts, 1):
			return e.lost(s, j, len(missing), attempt)
		case attempt > 0:
			e.log("%s of %d lack runs: submitted again", plural(len(missing), "shard"), shards)
		}
		if j, err = e.submit(ctx, c, s, shards, missing); err != nil {
			return err
		}
	}
}

// log passes a line on, if somebody wants it.
func (e *Engine) log(format string, a ...any) {
	if e.Log != nil {
		e.Log(format, a...)
	}
}

// shards returns into how many parts the study is divided: as asked for, or so that a part
// takes about shardTime.
func (e *Engine) shards(s *study.Study, tasks []study.Task, maxArray int) (int, error) {
	n := e.Shards
	if n == 0 {
		cost, err := s.Plan.Estimate(s.Dir, tasks)
		if err != nil {
			return 0, err
		}
		// From the estimated time to shards, rounded up.
		n = unknownShards
		if cost.Known {
			n = int((cost.Time + shardTime - 1) / shardTime)
		}
		n = min(n, len(tasks), maxArray)
	}
	if n > maxArray {
		return 0, &study.UserError{Err: fmt.Errorf("--shards is %d: this cluster's MaxArraySize allows %d", n, maxArray)}
	}
	return max(n, 1), nil
}

// missingShards returns, in ascending order, the shards that have a run to perform.
func missingShards(s *study.Study, shards int) (missing []int) {
	pending := make(map[string]bool)
	for _, t := range s.Pending() {
		pending[t.ID] = true
	}
	// A task belongs to the shard that is its number's remainder, as in study.Shard.
	for i, t := range s.Plan.Tasks() {
		if pending[t.ID] && !slices.Contains(missing, i%shards) {
			missing = append(missing, i%shards)
		}
	}
	slices.Sort(missing)
	return missing
}

// submit submits shards as a job array, and notes the job before anything else can
// happen to this process.
func (e *Engine) submit(ctx context.Context, c *cluster, s *study.Study, shards int, which []int) (*job, error) {
	program := e.Program
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	// Nodes may have another working folder, so that all paths are absolute.
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return nil, err
	}
	logs := filepath.Join(dir, logsName)
	if err := os.MkdirAll(logs, 0o777); err != nil {
		return nil, err
	}
	// The script runs one shard: the array's index is the shard's.
	pattern, redirect := logTo(logs)
	script := fmt.Sprintf("#!/bin/sh\n#SBATCH --array=%s\n%sexec %s shard --index \"$SLURM_ARRAY_TASK_ID\" --of %d --out %s\n",
		ranges(which), redirect, shell.Quote(program), shards, shell.Quote(dir))
	args := append([]string{"--parsable", "--requeue", "--job-name=mbsim-" + s.Plan.Scenario, "--chdir=" + dir, "--output=" + pattern}, e.Args...)
	id, err := c.submit(ctx, script, args)
	if err != nil {
		return nil, err
	}
	// If the job cannot be noted nobody would follow it: cancel it.
	j := &job{ID: id, Shards: shards, Next: which}
	if err := j.write(s.Dir); err != nil {
		return nil, errors.Join(err, c.cancel(id))
	}
	e.log("submitted job %s: %s of %d, %d runs; logs are in %s", id, plural(len(which), "shard"), shards, len(s.Pending()), logs)
	return j, nil
}

// logTo makes the tasks of an array write a file each into folder logs: the pattern is
// for sbatch --output, and redirect, a line of its script or nothing, comes before all
// others.
//
// In a pattern %% stands for %. But a backslash anywhere makes Slurm take all backslashes
// out and leave the rest as it is, so that no pattern leads into a folder with one: there
// the script opens the file, and what Slurm itself would say in it is lost.
func logTo(logs string) (pattern, redirect string) {
	if strings.Contains(logs, `\`) {
		return os.DevNull, "exec >" + shell.Quote(logs) + `/"$SLURM_ARRAY_JOB_ID"_"$SLURM_ARRAY_TASK_ID".log 2>&1` + "\n"
	}
	return filepath.Join(strings.ReplaceAll(logs, "%", "%%"), "%A_%a.log"), ""
}

// follow waits until no task of the job is in the queue, and merges as it goes.
func (e *Engine) follow(ctx context.Context, c *cluster, s *study.Study, j *job, running func(float64)) error {
	// Look at the queue at regular times.
	poll := time.NewTicker(max(e.Poll, 10*time.Millisecond))
	if e.Poll == 0 {
		poll.Reset(time.Second)
	}
	defer poll.Stop()
	released := false
	for {
		select {
		case <-ctx.Done():
			// The study is to end: cancel the job, but keep what is finished.
			e.log("cancelling job %s", j.ID)
			err := c.cancel(j.ID)
			if _, e := s.Import(); err == nil {
				err = e
			}
			if err == nil {
				err = removeJob(s.Dir)
			}
			return errors.Join(ctx.Err(), err)
		case <-poll.C:
		}
		// An error of the queue does not end the job.
		q, err := c.queue(ctx, j.ID)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("%w (the job goes on; the same command follows it again)", err)
		}
		// Only after the queue is empty is what Import finds all there is.
		if _, err := s.Import(); err != nil {
			return err
		}
		running(0)
		switch {
		case ctx.Err() != nil:
		case q.tasks == 0:
			return removeJob(s.Dir)
		case q.held > 0 && !released:
			// A node that died while it started a task leaves it held.
			released = true
			e.log("%s of job %s held (%s): released", plural(q.held, "task"), j.ID, q.reason)
			if err := c.release(ctx, j.ID); err != nil {
				return err
			}
		}
	}
}

// lost is the error of runs that no attempt has brought.
func (e *Engine) lost(s *study.Study, j *job, shards, attempts int) error {
	err := fmt.Errorf("%d runs of %s are missing after %s", len(s.Pending()), plural(shards, "shard"), plural(attempts, "attempt"))
	if tail := lastLog(s.Dir, j); tail != "" {
		err = fmt.Errorf("%w; a task said: %s", err, tail)
	}
	return err
}

// plural is a count of things.
func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// readJob reads the job that an earlier process has noted, nil if there is none.
func readJob(dir string) (*job, error) {
	path := filepath.Join(dir, stateName)
	raw, err := input.ReadFile(path, "the state of a job", 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	j := &job{}
	if err == nil {
		err = json.Unmarshal(raw, j)
	}
	if err != nil || j.check() != nil {
		return nil, &study.UserError{Err: fmt.Errorf("%s: cannot be read: remove it if no job of this study is in the queue", path)}
	}
	return j, nil
}

// check says whether the state is one that write has written.
func (j *job) check() error {
	if _, err := strconv.ParseUint(j.ID, 10, 64); err != nil || j.Shards < 1 {
		return fmt.Errorf("job %q of %d shards", j.ID, j.Shards)
	}
	for _, i := range j.Next {
		if i < 0 || i >= j.Shards {
			return fmt.Errorf("shard %d of %d", i, j.Shards)
		}
	}
	return nil
}

// write notes the job in the study's folder.
func (j *job) write(dir string) error {
	raw, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return atomicfile.WriteDurable(filepath.Join(dir, stateName), append(raw, '\n'))
}

// removeJob removes the note of a job that has ended.
func removeJob(dir string) error {
	err := os.Remove(filepath.Join(dir, stateName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
