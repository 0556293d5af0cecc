package slurm

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// realEnv asks for the test on a real cluster: it takes a minute or two.
const realEnv = "MBSIM_SLURM"

// realCluster starts slurmctld and two nodes with a CPU each.
type realCluster struct {
	t    *testing.T
	dir  string
	port int
}

func startCluster(t *testing.T) *realCluster {
	t.Helper()
	if os.Getenv(realEnv) == "" {
		t.Skip("starts a Slurm cluster and kills one of its nodes: make slurm, or " + realEnv + "=1")
	}
	for _, name := range []string{"slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "munged", "runuser"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed: apt-get install slurm-wlm munge", name)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("needs root: munged runs as the user munge")
	}
	// Short, since it is part of a socket's name, and open to the user munge.
	dir, err := os.MkdirTemp("/tmp", "mbsim-slurm-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := &realCluster{t: t, dir: dir, port: freePorts(t, 3)}
	t.Cleanup(func() {
		c.script("stop", dir)
		if t.Failed() {
			c.logs()
		}
		os.RemoveAll(dir)
	})
	c.script("start", dir, strconv.Itoa(c.port), "2")
	t.Setenv("SLURM_CONF", filepath.Join(dir, "slurm.conf"))
	return c
}

// freePorts finds n ports in a row that nobody listens on.
func freePorts(t *testing.T, n int) int {
	t.Helper()
search:
	for first := 17000; first < 30000; first += n {
		for p := first; p < first+n; p++ {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p))
			if err != nil {
				continue search
			}
			l.Close()
		}
		return first
	}
	t.Fatal("no free ports")
	return 0
}

func (c *realCluster) script(args ...string) {
	c.t.Helper()
	// A file takes the output: daemons keep it open.
	out, err := os.Create(filepath.Join(c.dir, args[0]+".out"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command("bash", append([]string{"testdata/cluster.sh"}, args...)...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		raw, _ := os.ReadFile(out.Name())
		c.t.Fatalf("cluster.sh %s: %v\n%s", args[0], err, raw)
	}
}

func (c *realCluster) logs() {
	logs, _ := filepath.Glob(filepath.Join(c.dir, "log", "*.log"))
	for _, path := range logs {
		raw, _ := os.ReadFile(path)
		lines := strings.Split(string(raw), "\n")
		c.t.Logf("%s:\n%s", filepath.Base(path), strings.Join(lines[max(0, len(lines)-40):], "\n"))
	}
}

// pid reads a daemon's id.
func (c *realCluster) pid(name string) int {
	c.t.Helper()
	raw, err := os.ReadFile(filepath.Join(c.dir, "run", name))
	if err != nil {
		c.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		c.t.Fatal(err)
	}
	return pid
}

// killNode kills a node as a power cut does: its slurmd, and its tasks with the
// slurmstepd that watches each.
func (c *realCluster) killNode(name string, tasks []int) {
	c.t.Helper()
	syscall.Kill(c.pid("slurmd."+name+".pid"), syscall.SIGKILL)
	for _, pid := range tasks {
		step := parent(pid)
		if cmdline := processes(c.t)[step]; !strings.HasPrefix(cmdline, "slurmstepd: ") {
			c.t.Errorf("the parent of task %d is %q", pid, cmdline)
			continue
		}
		syscall.Kill(step, syscall.SIGKILL)
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// parent is the id of a process's parent.
func parent(pid int) int {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in parentheses, may hold anything.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	id, _ := strconv.Atoi(fields[1])
	return id
}

// tasks are the processes of tasks on a node, or on any.
func (c *realCluster) tasks(mbsim, node string) (pids []int) {
	for pid, cmdline := range processes(c.t) {
		if !strings.HasPrefix(cmdline, mbsim+" shard ") {
			continue
		}
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err == nil && (node == "" || bytes.Contains(env, []byte("SLURMD_NODENAME="+node+"\x00"))) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// processes are the command lines of all processes.
func processes(t *testing.T) map[int]string {
	t.Helper()
	all := make(map[int]string)
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		raw, err := os.ReadFile(path)
		if err == nil {
			all[pid] = strings.TrimSpace(string(bytes.ReplaceAll(raw, []byte{0}, []byte{' '})))
		}
	}
	return all
}

const workload = `# Does a cluster lose anything?
device: {mkfs: {size: 1G}}
cpus: 2
workload:
  classes:
    - name: w
      count: 4
      think: {exponential: 1ms}
      mix: {create: 5, append: 3, delete: 4}
      file_size: {lognormal: {median: 20K, sigma: 1.5, max: 4M}}
      append_size: 30K
      fsync_on_close: 30%
stop: {operations: 40000}
`

// A study on a real cluster: a worker is killed, a task is cancelled, a node dies
// and does not come back. The results are those of one machine, byte for byte.
func TestCluster(t *testing.T) {
	c := startCluster(t)
	mbsim := filepath.Join(c.dir, "mbsim")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", mbsim, "mbsim/cmd/mbsim").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	scenario := filepath.Join(c.dir, "cluster.yaml")
	if err := os.WriteFile(scenario, []byte(workload), 0o644); err != nil {
		t.Fatal(err)
	}
	local, remote := filepath.Join(c.dir, "local"), filepath.Join(c.dir, "remote")
	sweep := func(dir string, args ...string) *exec.Cmd {
		cmd := exec.Command(mbsim, append([]string{"sweep", scenario, "--set", "s_mb_group_prealloc=0,64,512", "--reps", "4", "-o", dir}, args...)...)
		cmd.Stderr = os.Stderr
		return cmd
	}
	started := time.Now()
	if err := sweep(local).Run(); err != nil {
		t.Fatal(err)
	}
	t.Logf("12 runs here: %v", time.Since(started).Round(100*time.Millisecond))

	c.sweepFolders(mbsim, local, sweep)

	cmd := sweep(remote, "--engine", "slurm", "--shards", "6")
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	worker := c.waitForTask(ended, mbsim, "")[0]
	t.Logf("killing worker %d", worker)
	syscall.Kill(worker, syscall.SIGKILL)
	job := strings.Fields(c.output("squeue", "-h", "-o", "%A"))[0]
	t.Logf("cancelling task 4 of job %s", job)
	c.output("scancel", job+"_4")
	tasks := c.waitForTask(ended, mbsim, "n2")
	t.Log("killing node n2")
	c.killNode("n2", tasks)
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
	case <-time.After(5 * time.Minute):
		cmd.Process.Kill()
		t.Fatalf("it does not come to an end:\n%s\n%s", out.String(), c.output("squeue", "-r"))
	}
	if state := c.output("sinfo", "-h", "-N", "-n", "n2", "-o", "%T"); !strings.Contains(state, "down") {
		t.Errorf("node n2 is %s: it was not killed", state)
	}
	for _, name := range []string{"study.csv", "study.json"} {
		a, err1 := os.ReadFile(filepath.Join(local, name))
		b, err2 := os.ReadFile(filepath.Join(remote, name))
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s is not that of one machine (%d and %d bytes, %v %v)", name, len(a), len(b), err1, err2)
		}
	}
	raw, err := os.ReadFile(filepath.Join(remote, "runs.ndjson"))
	if n := bytes.Count(raw, []byte("\n")); err != nil || n != 12 {
		t.Errorf("%d runs are recorded, %v", n, err)
	}
	t.Logf("all in %v", time.Since(started).Round(time.Second))
}

// sweepFolders performs the study in folders whose names mean something to Slurm. The
// results are those in local, and each task has its log.
func (c *realCluster) sweepFolders(mbsim, local string, sweep func(string, ...string) *exec.Cmd) {
	c.t.Helper()
	for i, name := range hardFolders {
		dir := filepath.Join(c.dir, fmt.Sprint("folders", i), name)
		if err := sweep(dir, "--engine", "slurm", "--shards", "2", "-q").Run(); err != nil {
			c.t.Errorf("%q: %v", name, err)
			continue
		}
		logs, err := os.ReadDir(filepath.Join(dir, logsName))
		if err != nil || len(logs) != 2 {
			c.t.Errorf("%q: there are %d logs, %v", name, len(logs), err)
		}
		a, err1 := os.ReadFile(filepath.Join(local, "study.json"))
		b, err2 := os.ReadFile(filepath.Join(dir, "study.json"))
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
			c.t.Errorf("%q: study.json is not that of one machine, %v %v", name, err1, err2)
		}
	}
}

// waitForTask waits until a node, or any, runs a task, and returns its processes.
func (c *realCluster) waitForTask(ended chan error, mbsim, node string) []int {
	c.t.Helper()
	for range 1200 {
		if pids := c.tasks(mbsim, node); pids != nil {
			return pids
		}
		select {
		case err := <-ended:
			c.t.Fatalf("it ended before a task was found on node %q: %v", node, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	c.t.Fatalf("no task ran on node %q", node)
	return nil
}

func (c *realCluster) output(name string, args ...string) string {
	c.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}
