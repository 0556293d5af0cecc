package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"mbsim/internal/input"
	"mbsim/study"
)

// cluster is a Slurm cluster, used by the commands that Slurm comes with.
type cluster struct {
	maxArray int
	patience time.Duration // how long a controller may not answer
}

// Times.
const (
	commandTime = time.Minute
	patience    = 10 * time.Minute
)

// retryPause is the time between two attempts to reach a controller that does not
// answer.
var retryPause = 5 * time.Second

// newCluster makes sure that Slurm's commands are there and answer.
func newCluster(ctx context.Context) (*cluster, error) {
	for _, name := range []string{"sbatch", "squeue", "scontrol", "scancel"} {
		if _, err := exec.LookPath(name); err != nil {
			return nil, &study.UserError{Err: fmt.Errorf("the slurm engine needs %s, which is not there: is this a login node of a Slurm cluster?", name)}
		}
	}
	// The largest index of a job array is a setting of the cluster.
	out, err := command(ctx, "", "scontrol", "show", "config")
	if err != nil {
		return nil, &study.UserError{Err: err}
	}
	m := maxArraySize.FindStringSubmatch(out)
	if m == nil {
		return nil, &study.UserError{Err: errors.New("scontrol show config tells no MaxArraySize")}
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n < 1 {
		return nil, &study.UserError{Err: fmt.Errorf("MaxArraySize is %s: this cluster runs no job arrays", m[1])}
	}
	return &cluster{maxArray: n, patience: patience}, nil
}

var maxArraySize = regexp.MustCompile(`(?m)^MaxArraySize\s*=\s*(\d+)`)

// command runs one of Slurm's commands and returns what it prints. The error has the first
// line of what the command wrote to its standard error.
func command(ctx context.Context, stdin, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Stdin = strings.NewReader(stdin)
	// A child that keeps the pipes open must not keep this waiting.
	c.WaitDelay = time.Second
	var out, complaint bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaint
	if err := c.Run(); err != nil {
		line, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n")
		// That the time was up says more than that the command was killed.
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if line == "" {
			line = err.Error()
		}
		return "", &commandError{name, line, err}
	}
	return out.String(), nil
}

// commandError is a command that failed.
type commandError struct {
	name, complaint string
	err             error
}

func (e *commandError) Error() string { return e.name + ": " + e.complaint }
func (e *commandError) Unwrap() error { return e.err }

// submit submits a script and returns the job's id.
func (c *cluster) submit(ctx context.Context, script string, args []string) (string, error) {
	out, err := command(ctx, script, "sbatch", args...)
	if err != nil {
		return "", &study.UserError{Err: err}
	}
	id, _, _ := strings.Cut(strings.TrimSpace(out), ";") // a federation adds the cluster's name
	if _, err := strconv.ParseUint(id, 10, 64); err != nil {
		return "", fmt.Errorf("sbatch --parsable printed %q, which is no job id", strings.TrimSpace(out))
	}
	return id, nil
}

// queued counts the tasks of a job that are in the queue.
type queued struct {
	tasks  int
	held   int    // those that are held, so that Slurm will not start them
	reason string // of one that is held
}

// queue returns what of a job is in the queue. A job that squeue does not know has ended. While
// the controller does not answer it is asked again, for as long as patience says.
func (c *cluster) queue(ctx context.Context, id string) (queued, error) {
	var last error
	for start := time.Now(); ; {
		// One line for each task: its state and the reason for it.
		out, err := command(ctx, "", "squeue", "--noheader", "--array", "--jobs="+id, "--format=%T %r")
		var ce *commandError
		switch {
		case err == nil:
			return parseQueue(out), nil
		case errors.As(err, &ce) && strings.Contains(ce.complaint, "Invalid job id"):
			return queued{}, nil
		}
		last = err
		if ctx.Err() != nil || time.Since(start) > c.patience {
			return queued{}, last
		}
		// A pause, which the end of the study cuts short.
		select {
		case <-ctx.Done():
		case <-time.After(retryPause):
		}
	}
}

// parseQueue counts the lines that squeue has printed.
func parseQueue(out string) (q queued) {
	for line := range strings.Lines(out) {
		state, reason, _ := strings.Cut(strings.TrimSpace(line), " ")
		if state == "" {
			continue
		}
		q.tasks++
		if state == "PENDING" && (strings.Contains(strings.ToLower(reason), "held") || strings.Contains(reason, "Held")) {
			q.held++
			q.reason = strings.Trim(reason, "()")
		}
	}
	return q
}

// release lets Slurm start tasks of a job that are held.
func (c *cluster) release(ctx context.Context, id string) error {
	_, err := command(ctx, "", "scontrol", "release", id)
	return err
}

// cancel cancels a job; that it has ended already is no error. It uses no context of the
// study, because it is needed when that is over.
func (c *cluster) cancel(id string) error {
	_, err := command(context.Background(), "", "scancel", id)
	var ce *commandError
	if errors.As(err, &ce) && strings.Contains(ce.complaint, "Invalid job id") {
		return nil
	}
	return err
}

// ranges writes numbers in ascending order as sbatch --array takes them, such as 0-3,7.
func ranges(n []int) string {
	var parts []string
	for len(n) > 0 {
		last := 0
		for last+1 < len(n) && n[last+1] == n[last]+1 {
			last++
		}
		part := strconv.Itoa(n[0])
		if last > 0 {
			part += "-" + strconv.Itoa(n[last])
		}
		parts = append(parts, part)
		n = n[last+1:]
	}
	return strings.Join(parts, ",")
}

// lastLog returns the last line in which a task of the job complained, "" if none did.
func lastLog(dir string, j *job) string {
	if j == nil {
		return ""
	}
	entries, err := os.ReadDir(filepath.Join(dir, logsName)) // sorted by name
	if err != nil {
		return ""
	}
	// The last attempt's logs come last by name. A line that begins with "shard" is that of a
	// shard that came to its end.
	for _, e := range slices.Backward(entries) {
		if !strings.HasPrefix(e.Name(), j.ID+"_") || !strings.HasSuffix(e.Name(), ".log") {
			continue
		}
		raw, err := input.ReadFile(filepath.Join(dir, logsName, e.Name()), "the log of a task", input.MaxWhole)
		if err != nil {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
		if line := strings.TrimSpace(lines[len(lines)-1]); line != "" && !strings.HasPrefix(line, "shard ") {
			return line
		}
	}
	return ""
}
