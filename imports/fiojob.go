package imports

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"strconv"
	"strings"

	"mbsim/imports/fio"
	"mbsim/workload"
)

// maxRequests is the most requests of all jobs together: a script of more lines would fill the disk.
const maxRequests = 100_000_000

// maxJobFiles is the most files of all jobs together: each is kept.
const maxJobFiles = 1_000_000

// The notes of the import of job files.
const (
	noteOrder    = "random requests: in an order of mbsim's own, each block once where fio has a map; a log of fio (write_iolog) has fio's order"
	noteRanges   = "random requests of several lengths: they may cover a block twice"
	noteTurns    = "jobs at the same time: they take turns, one request each"
	noteMmap     = "stores in a mapping of a file (ioengine=mmap), performed as writes"
	noteEngine   = "jobs whose engine works on no file of the file system"
	noteRelative = "files without a directory: they lie in the root"
)

// fioImporter makes a script of the jobs of job files.
type fioImporter struct {
	builder
	planned int64 // requests of the jobs so far
	parts   int64 // and their files
}

func importFio(logs []*Log, opt Options, out Output) (*Report, error) {
	ops, err := out("ops")
	if err != nil {
		return nil, err
	}
	im := &fioImporter{builder: newBuilder(logs, opt, ops)}
	if err := im.prepare(opt); err != nil {
		return nil, err
	}
	for _, l := range logs {
		var jobs *fio.Jobs
		err := l.text(func(r io.Reader) (err error) {
			jobs, err = fio.ParseJobs(r, l.Name, fio.Files(l.Name))
			return err
		})
		if err == nil {
			err = im.perform(jobs, l.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	return im.finish()
}

// perform makes the requests of one job file: first fio lays out the files of all jobs, then the jobs run,
// those between two stonewalls at the same time.
func (im *fioImporter) perform(jobs *fio.Jobs, name string) error {
	im.report.Lines += jobs.Lines
	for _, n := range jobs.Notes {
		im.report.note(n.Text, n.Line)
	}
	runs, err := im.plan(jobs, name)
	if err != nil {
		return err
	}
	for _, r := range runs {
		im.layOut(r)
	}
	for len(runs) > 0 {
		n := 1
		for n < len(runs) && !(runs[n].job.Stonewall && runs[n].job != runs[n-1].job) {
			n++
		}
		im.together(runs[:n])
		runs = runs[n:]
	}
	return nil
}

// noFile are engines that make no file.
var noFile = map[string]bool{"null": true, "cpuio": true, "net": true, "netsplice": true, "sg": true, "rados": true, "rbd": true, "http": true,
	"nbd": true, "libiscsi": true, "rdma": true, "exec": true, "e4defrag": true, "filestat": true, "nvme": true, "xnvme": true, "io_uring_cmd": true}

// plan makes a run of every copy of every job, and refuses what would be too long.
func (im *fioImporter) plan(jobs *fio.Jobs, name string) ([]*fioRun, error) {
	if im.root == "" {
		im.root = commonDirectory(jobs)
	}
	var runs []*fioRun
	for i := range jobs.Jobs {
		j := &jobs.Jobs[i]
		if noFile[j.Engine] {
			im.report.note(noteEngine, j.Line)
			continue
		}
		if j.Size == (fio.Share{}) && j.FileLow == 0 || j.Size.Percent > 0 && j.FileLow == 0 {
			return nil, fmt.Errorf("%s:%d:1: the job %s has no size: want size or filesize in bytes", name, j.Line, j.Name)
		}
		if files := j.Files * j.Jobs; files > maxJobFiles-im.parts { // both are below 2^24
			return nil, fmt.Errorf("%s:%d:1: the jobs up to %s have more than %d files: want less", name, j.Line, j.Name, int64(maxJobFiles))
		}
		im.parts += j.Files * j.Jobs
		for copy := range j.Jobs {
			r := im.newRun(j, copy)
			n := r.count() + int64(len(r.files))
			if im.planned += n; im.planned > maxRequests || n < 0 {
				return nil, fmt.Errorf("%s:%d:1: the job %s makes more than %d requests in all: want less", name, j.Line, j.Name, int64(maxRequests))
			}
			runs = append(runs, r)
		}
	}
	return runs, nil
}

// commonDirectory is the directory in which all files of the jobs lie whose paths are absolute.
func commonDirectory(jobs *fio.Jobs) string {
	root := ""
	for i := range jobs.Jobs {
		j := &jobs.Jobs[i]
		dirs := strings.Split(j.Directory, ":")
		if j.Directory == "" {
			dirs = dirs[:0]
			for f := range strings.SplitSeq(j.Filename, ":") {
				dirs = append(dirs, path.Dir(f))
			}
		}
		for _, d := range dirs {
			if d = path.Clean(d); !strings.HasPrefix(d, "/") {
				continue
			}
			if root == "" {
				root = d
			}
			// Upwards, until the one lies in the other.
			for {
				if _, ok := under(root, d); ok {
					break
				}
				root = path.Dir(root)
			}
		}
	}
	return root
}

// names are the paths of the files of a job's copy.
func names(j *fio.Job, copy int64) []string {
	var all []string
	in := strings.Split(j.Directory, ":")
	dir := in[copy%int64(len(in))]
	if j.Filename != "" {
		for f := range strings.SplitSeq(j.Filename, ":") {
			all = append(all, path.Join(dir, f))
		}
		return all
	}
	// fio takes a name from the format, in which a job's name has no slash.
	for n := range j.Files {
		r := strings.NewReplacer("$jobname", strings.ReplaceAll(j.Name, "/", "_"), "$jobnum", strconv.FormatInt(copy, 10), "$filenum", strconv.FormatInt(n, 10),
			"$clientuid", "local")
		all = append(all, path.Join(dir, r.Replace(j.Format)))
	}
	return all
}

// layOut makes the files of a run as fio does before any job runs: a file that is written alone is only
// reserved, and one that is read too, or written over, is written first.
func (im *fioImporter) layOut(r *fioRun) {
	j := r.job
	if j.CreateOnOpen || r.works != "" {
		return
	}
	for i := range r.files {
		f, end := r.files[i].file, r.files[i].begin+r.files[i].size
		if f == nil || f.exists && f.size >= end {
			continue
		}
		im.parents(f.path)
		full := j.Kind.Reads || j.Kind.Writes && j.Overwrite && !j.Append
		if f.exists && (full || j.Kind.Writes && !j.Append) {
			im.emit(unlinkOp(f.path))
			f.exists, f.size = false, 0
		}
		fd := im.descriptor()
		im.openFile(fd, f, false)
		im.reserve(fd, f, end, j.Fallocate)
		if full {
			im.emit(workload.Op{Kind: workload.Ftruncate, FD: fd, Len: end})
			for off := int64(0); off < end && im.err == nil; off += min(j.Writes.Max, end-off) {
				im.emit(workload.Op{Kind: workload.Write, FD: fd, Off: off, Len: min(j.Writes.Max, end-off)})
			}
			f.size = end
			if j.CreateFsync {
				im.emit(workload.Op{Kind: workload.Fsync, FD: fd})
			}
		}
		im.close(fd)
	}
}

// reserve is what fallocate= asks for.
func (im *fioImporter) reserve(fd string, f *plainFile, end int64, how string) {
	switch how {
	case "native":
		im.emit(workload.Op{Kind: workload.Fallocate, FD: fd, Len: end})
		f.size = max(f.size, end)
	case "keep":
		im.emit(workload.Op{Kind: workload.Fallocate, FD: fd, Mode: workload.FallocKeepSize, Len: end})
	case "truncate":
		im.emit(workload.Op{Kind: workload.Ftruncate, FD: fd, Len: end})
		f.size = max(f.size, end)
	}
}

// together lets runs take turns, one request each, until all have ended.
func (im *fioImporter) together(runs []*fioRun) {
	left := append([]*fioRun(nil), runs...)
	if len(left) > 1 {
		im.report.note(noteTurns, left[1].job.Line)
	}
	for len(left) > 0 && im.err == nil {
		// What has ended is taken out of the row, and the others keep their order.
		still := left[:0]
		for _, r := range left {
			if r.step(im) {
				still = append(still, r)
			}
		}
		left = still
	}
}

// isFio says whether a text begins as a job file: with a section, behind comments.
func isFio(head []byte) bool {
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' || line[0] == ';' {
			continue
		}
		return line[0] == '[' && bytes.ContainsRune(line, ']') || bytes.HasPrefix(line, []byte("include "))
	}
	return false
}

// stream is the source of random numbers of a job's copy.
func stream(j *fio.Job, copy int64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(j.Seed), uint64(j.Line)<<32+uint64(copy)))
}
