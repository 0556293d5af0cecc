package imports

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mbsim/imports/fio"
	"mbsim/workload"
)

// fioOps imports a job file, and returns its script without the sync at the end.
func fioOps(t *testing.T, text string, opt Options) (*Report, string) {
	t.Helper()
	r, files, err := importAs(t, "fio", text, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r, strings.TrimSuffix(files["ops"].String(), "sync\n")
}

// TestFioRecorded: the job file that was recorded makes the requests that the logs of fio show, but for the
// order of the random ones and how many of them read.
func TestFioRecorded(t *testing.T) {
	job, err := os.ReadFile("testdata/fio/job.fio")
	if err != nil {
		t.Fatal(err)
	}
	_, ops := fioOps(t, string(job), Options{})
	log, err := os.ReadFile("testdata/fio/seq.iolog")
	if err != nil {
		t.Fatal(err)
	}
	r, files, err := importAs(t, "fio-iolog", string(log), Options{})
	if err != nil || r.Performed != 69 || r.NoBlock != 1 || r.Before != 0 || r.Root != "/mnt/vol" {
		t.Fatalf("%+v, %v", r, err)
	}
	// The job has reserved its file, and opens it; the log does not show that.
	logged := strings.TrimSuffix(files["ops"].String(), "sync\n")
	if want := strings.TrimPrefix(logged, "creat f1 fio.seq\n"); !strings.Contains(ops, "open f1 fio.seq\n"+want) {
		t.Errorf("the job makes other requests than\n%s\nnamely\n%s", want, ops)
	}
	if !strings.HasPrefix(ops, "creat f1 fio.seq\nfallocate f1 0 0 4194304\nclose f1\ncreat f1 fio.rnd\nfallocate f1 0 0 4194304\nftruncate f1 4194304\nwrite f1 0 4096\n") {
		t.Errorf("files are laid out otherwise: %.300s", ops)
	}
	// The random job: as many requests, and as many bytes written as a multiple of 4 KB, nothing twice.
	log, err = os.ReadFile("testdata/fio/rnd.iolog")
	if err != nil {
		t.Fatal(err)
	}
	r, _, err = importAs(t, "fio-iolog", string(log), Options{})
	if err != nil || r.Performed != 58 || r.NoBlock != 49 || r.Before != 1 || r.UnknownSizes != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	// A list says how large the file was.
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte("f 4194304 fio.rnd\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	r, files, err = importAs(t, "fio-iolog", string(log), Options{State: list})
	if err != nil || r.UnknownSizes != 0 || r.Bytes != 4194304 || !strings.HasPrefix(files["ops"].String(), "creat f1 fio.rnd\nwrite f1 0 1048576\n") {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestFioJobs: keys that change what is written.
func TestFioJobs(t *testing.T) {
	const head = "[global]\nsize=8k\nbs=4k\nrw=write\nfallocate=none\n"
	for name, c := range map[string]struct{ job, want string }{
		"sync":     {"[a]\nsync=1\n", "creat f1 a.0.0\nclose f1\nopen f1 a.0.0\nwrite f1 0 4096\nfsync f1\nwrite f1 4096 4096\nfsync f1\nclose f1\n"},
		"direct":   {"[a]\ndirect=1\nend_fsync=1\nunlink=1\n", "creat f1 a.0.0\nclose f1\nopen f1 a.0.0 direct\nwrite f1 0 4096\nwrite f1 4096 4096\nfsync f1\nclose f1\nunlink a.0.0\n"},
		"on open":  {"[a]\ncreate_on_open=1\nbs=8k\ndirect\n", "creat f1 a.0.0\nclose f1\nopen f1 a.0.0 direct\nwrite f1 0 8192\nclose f1\n"},
		"keep":     {"[a]\nfallocate=keep\ncreate_only=1\n", "creat f1 a.0.0\nfallocate f1 1 0 8192\nclose f1\n"},
		"truncate": {"[a]\nfallocate=truncate\ncreate_only=1\n", "creat f1 a.0.0\nftruncate f1 8192\nclose f1\n"},
		"read":     {"[a]\nrw=read\ncreate_fsync=0\n", "creat f1 a.0.0\nftruncate f1 8192\nwrite f1 0 4096\nwrite f1 4096 4096\nclose f1\nopen f1 a.0.0\nclose f1\n"},
		"offset":   {"[a]\noffset=4k\nsize=4k\nfilename=x\n", "creat f1 x\nclose f1\nopen f1 x\nwrite f1 4096 4096\nclose f1\n"},
		"number":   {"[a]\nnumber_ios=1\n", "creat f1 a.0.0\nclose f1\nopen f1 a.0.0\nwrite f1 0 4096\nclose f1\n"},
		"gap":      {"[a]\nrw=write:4k\nio_size=4k\n", "creat f1 a.0.0\nclose f1\nopen f1 a.0.0\nwrite f1 0 4096\nclose f1\n"},
		"loops":    {"[a]\nloops=2\nbs=8k\nfsync_on_close=1\n", "creat f1 a.0.0\nclose f1\nopen f1 a.0.0\nwrite f1 0 8192\nfsync f1\nclose f1\nopen f1 a.0.0\nwrite f1 0 8192\nfsync f1\nclose f1\n"},
		"files":    {"[a/b]\nnrfiles=2\nbs=2k\nfilename_format=d/$jobname.$filenum\ncreate_on_open=1\n", "mkdir d\ncreat f1 d/a_b.0\ncreat f2 d/a_b.1\nwrite f1 0 2048\nwrite f2 0 2048\nwrite f1 2048 2048\nwrite f2 2048 2048\nclose f1\nclose f2\n"},
		"order":    {"[a]\nnrfiles=2\nbs=2k\nfile_service_type=sequential\ncreate_on_open=1\n", "creat f1 a.0.0\ncreat f2 a.0.1\nwrite f1 0 2048\nwrite f1 2048 2048\nwrite f2 0 2048\nwrite f2 2048 2048\nclose f1\nclose f2\n"},
		"two jobs": {"[a]\nfilename=x\nbs=8k\n[b]\nfilename=x\nbs=8k\n", "creat f1 x\nclose f1\nunlink x\ncreat f1 x\nclose f1\nopen f1 x\nopen f2 x\nwrite f1 0 8192\nwrite f2 0 8192\nclose f1\nclose f2\n"},
		"wall":     {"[a]\nbs=8k\ncreate_on_open=1\n[b]\nstonewall\nbs=8k\ncreate_on_open=1\n", "creat f1 a.0.0\nwrite f1 0 8192\nclose f1\ncreat f1 b.0.0\nwrite f1 0 8192\nclose f1\n"},
		"names":    {"[a]\nioengine=filecreate\nnrfiles=2\n[b]\nstonewall\nioengine=filedelete\nfilename=a.0.0\n", "creat f1 a.0.0\nclose f1\ncreat f1 a.0.1\nclose f1\nunlink a.0.0\n"},
		"falloc":   {"[a]\nioengine=falloc\n", "creat f1 a.0.0\nfallocate f1 0 0 8192\nclose f1\n"},
		"split":    {"[a]\nbssplit=2k/100:4k/0\nsize=4k\ncreate_on_open=1\n", "creat f1 a.0.0\nwrite f1 0 2048\nwrite f1 2048 2048\nclose f1\n"},
		"by way":   {"[a]\nbs=512,8k\ncreate_on_open=1\n", "creat f1 a.0.0\nwrite f1 0 8192\nclose f1\n"},
		"io_size":  {"[a]\nbs=8k\nio_size=16k\ncreate_on_open=1\n", "creat f1 a.0.0\nwrite f1 0 8192\nwrite f1 0 8192\nclose f1\n"},
	} {
		if r, got := fioOps(t, head+c.job, Options{}); got != c.want {
			t.Errorf("%s: got\n%swant\n%s%+v", name, got, c.want, r)
		}
	}
}

// TestFioRandom: with a map every block is written once, whatever the distribution of the lengths; without
// one offsets lie in the file.
func TestFioRandom(t *testing.T) {
	for _, more := range []string{"", "norandommap=1\n", "random_distribution=zipf:1.2\n", "random_distribution=zipf:1\n", "random_distribution=pareto:0.2\n", "random_distribution=normal:20\n",
		"random_distribution=zoned:50/10:50/90\n", "bssplit=4k/50:16k/\n", "bsrange=4k-16k\n"} {
		_, ops := fioOps(t, "[a]\nrw=randwrite\nsize=1m\nfallocate=none\ncreate_on_open=1\n"+more, Options{})
		script, err := workload.ParseScript(strings.NewReader(ops), "ops")
		if err != nil {
			t.Fatal(err)
		}
		var offs []int64
		bytes := int64(0)
		for _, op := range script {
			if op.Kind == workload.Write {
				offs = append(offs, op.Off)
				bytes += op.Len
				if op.Off%4096 != 0 || op.Off < 0 || op.Off+op.Len > 1<<20 {
					t.Errorf("%q: %s", more, workload.FormatOp(op))
				}
			}
		}
		if bytes != 1<<20 {
			t.Errorf("%q: %d bytes are written", more, bytes)
		}
		inOrder := slices.IsSorted(offs)
		slices.Sort(offs)
		if distinct := len(slices.Compact(offs)); inOrder || more == "" && distinct != 256 || distinct < 20 {
			t.Errorf("%q: %d offsets, in order: %v", more, distinct, inOrder)
		}
	}
}

// TestPermutation: every number once.
func TestPermutation(t *testing.T) {
	for _, n := range []uint64{1, 2, 3, 4, 5, 63, 64, 65, 1000} {
		seen := make([]bool, n)
		for i := range n {
			p := newPermutation(n, n)
			x := p.at(i)
			if x >= n || seen[x] {
				t.Fatalf("%d of %d comes twice", x, n)
			}
			seen[x] = true
		}
	}
}

// TestFioSaid: what is not kept is said with its line, and what cannot be is refused with its place.
func TestFioSaid(t *testing.T) {
	r, _ := fioOps(t, "; a comment\n[a]\nsize=4k\nrw=randrw\nruntime=5\nrutime=5\nthinktime=3\nba=4k\nruntime=6\n[b]\nioengine=null\n[c]\nioengine=mmap\nsize=4k\n", Options{})
	var notes []string
	for _, n := range r.Notes {
		notes = append(notes, n.Text)
	}
	for i, want := range []string{"runtime is not kept: a script says neither when", `unknown key "rutime", passed over (did you mean "runtime"?)`, "thinktime is not kept", "ba is not kept: requests are made as without it"} {
		if !strings.HasPrefix(notes[i], want) {
			t.Errorf("%q, want %q", notes[i], want)
		}
	}
	if r.Notes[0].Count != 2 || r.Notes[0].Line != 5 || !slices.Contains(notes, noteEngine) || !slices.Contains(notes, noteMmap) {
		t.Errorf("%+v", r.Notes)
	}
	for text, want := range map[string]string{
		"[a]\nsize=4x\n":                    `log:2:6: size: "4x": want a size such as 4k`,
		"[a]\nrw=wrte\n":                    `log:2:4: rw: "wrte": want read, write, rw,`,
		"[a]\n bs=0\n":                      `log:2:5: bs: "0": want a length of 1 byte to 1 GB`,
		"[a]\nbssplit=4k/10:8k/10\n":        `log:2:9: bssplit: "4k/10:8k/10": the shares make 20%: want 100%`,
		"[a]\nrw=write\n":                   "log:1:1: the job a has no size: want size or filesize in bytes",
		"[a]\nsize=50%\n":                   "log:1:1: the job a has no size",
		"[a\n":                              "log:1:1: want the name of a section between [ and ]",
		"[global]\nrw=read\n":               "log:1:1: no job is in it: want a section such as [job1]",
		"[a]\nsize=1p\nbs=512\n":            "log:1:1: the job a makes more than 100000000 requests in all: want less",
		"[a]\nsize=4k\nnumjobs=0\n":         `log:3:9: numjobs: "0": want a number of 1 to 100000`,
		"[a]\nsize=${MBSIM_NOT_THERE}\n":    "log:2:6: ${MBSIM_NOT_THERE}: the environment has no such variable",
		"[a]\ninclude not-there.fio\n":      "no such file or directory",
		"[a]\nrandom_distribution=zipf:x\n": "log:2:21: random_distribution: ",
		"[a]\nsync=often\n":                 `log:2:6: sync: "often": want none, sync or dsync`,
	} {
		var err error
		if text == "[a\n" { // nothing tells that it is a job file
			_, err = fio.ParseJobs(strings.NewReader(text), "log", fio.Options{})
		} else {
			_, _, err = importAs(t, "fio", text, Options{})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestIologs: logs with times are merged, those without are not, and lines that are none are refused.
func TestIologs(t *testing.T) {
	a := openText(t, "fio version 3 iolog\n1 /d/a b add\n2 /d/a b open\n5 /d/a b write 0 4096\n9 /d/a b datasync 0 0\n9 /d/a b close\n")
	b := openText(t, "fio version 3 iolog\n3 /d/e/c open\n4 /d/e/c write 4096 4096\n7 /d/e/c trim 0 4096\n")
	f, err := FindFormat("fio-iolog")
	if err != nil {
		t.Fatal(err)
	}
	var ops strings.Builder
	r, err := f.Import([]*Log{a, b}, Options{}, func(string) (io.Writer, error) { return &ops, nil })
	if err != nil {
		t.Fatal(err)
	}
	want := join(`creat f1 "a b"
		mkdir e
		creat f2 e/c
		write f2 4096 4096
		write f1 0 4096
		fsync f1
		close f1
		close f2
		sync`)
	if ops.String() != want || r.Left() != 1 || r.Lines != 10 {
		t.Errorf("got\n%swant\n%s%+v", ops.String(), want, r)
	}
	old := openText(t, "fio version 2 iolog\n/a open\n/a write 0 1\nwait 5\n")
	if _, err := f.Import([]*Log{a, old}, Options{}, func(string) (io.Writer, error) { return &ops, nil }); err == nil || !strings.Contains(err.Error(), "a log of version 2 has no times") {
		t.Errorf("%v", err)
	}
	for text, want := range map[string]string{
		"fio version 3 iolog\nx /a open\n":                      `log:2:1: this is no line of a log of fio: "x": want the time of the request`,
		"fio version 3 iolog\n1 /a opn\n":                       `log:2:6: this is no line of a log of fio: "opn": want a file, and add,`,
		"fio version 2 iolog\n/a write 5\n":                     "log:2:11: this is no line of a log of fio: write needs an offset and a length",
		"fio version 2 iolog\n/a write 5 9223372036854775807\n": "log:2:4: this is no line of a log of fio: offset 5 plus length",
		"fio version 2 iolog\n":                                 "no request is in it",
	} {
		if _, _, err := importAs(t, "fio-iolog", text, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
