package play_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mbsim/filesystem"
	"mbsim/filesystem/ext2"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/image"
	"mbsim/filesystem/play"
	"mbsim/workload"
)

// machines are the file systems that scripts are performed on.
var machines = []struct {
	ext2        bool
	size        int64
	mkfs, mount string
}{
	{mkfs: "-b 4096", size: 16 << 20},
	{mkfs: "-b 1024 -m 0", size: 4 << 20, mount: "nodelalloc"},
	{mkfs: "-b 1024 -O ^extent,^64bit", size: 4 << 20},
	{mkfs: "-b 8192 -O ^extent,^64bit,^huge_file -m 0", size: 32 << 20},
	{mkfs: "-b 2048 -O bigalloc -C 16384", size: 16 << 20, mount: "dioread_lock"},
	{mkfs: "-b 4096 -O inline_data -I 512", size: 16 << 20},
	{mkfs: "-b 1024 -O ^has_journal,^flex_bg -g 1024", size: 8 << 20},
	{mkfs: "-b 65536", size: 96 << 20},
	{mkfs: "-b 32768 -O ^extent,^64bit -N 64", size: 64 << 20, mount: "stripe=7"},
	{ext2: true, mkfs: "-b 1024", size: 4 << 20},
	{ext2: true, mkfs: "-b 4096 -m 0", size: 16 << 20, mount: "oldalloc"},
	{ext2: true, mkfs: "-b 2048", size: 8 << 20, mount: "noreservation"},
}

// checked is a file system that can recount itself.
type checked interface {
	filesystem.FileSystem
	Check() error
}

// mount makes and mounts machine n.
func mount(t *testing.T, n int) checked {
	t.Helper()
	m := machines[n]
	kind := "ext4"
	if m.ext2 {
		kind = "ext2"
	}
	p, err := image.ParseMkfsArgs(append([]string{"-t", kind}, strings.Fields(m.mkfs)...), m.size)
	if err != nil {
		t.Fatal(err)
	}
	l, err := image.Mkfs(p)
	if err != nil {
		t.Fatal(err)
	}
	var fs checked
	if m.ext2 {
		opt := ext2.DefaultOptions(l.Super.BlockSize())
		if err = opt.Parse(m.mount); err == nil {
			opt.CPUs = 2
			fs, err = ext2.Mount(l, opt)
		}
	} else {
		opt := ext4.DefaultOptions(l.Super.BlockSize())
		if err = opt.Parse(m.mount); err == nil {
			opt.CPUs = 2
			fs, err = ext4.Mount(l, opt)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// A script on each machine mounts, so that FuzzPerform fails for scripts alone.
func TestMachines(t *testing.T) {
	for n := range machines {
		perform(t, n, "creat x a\nwrite x 0 100000\nsync\n")
	}
}

// perform performs a script, and recounts everything in the end and now and then.
func perform(t *testing.T, n int, script string) {
	t.Helper()
	ops, err := workload.ParseScript(strings.NewReader(script), "ops")
	if err != nil {
		if !strings.HasPrefix(err.Error(), "ops:") || strings.Contains(err.Error(), "\n") {
			t.Fatalf("%q", err)
		}
		return
	}
	const most = 300 // operations: a recount costs what the device holds
	ops = ops[:min(len(ops), most)]
	fs := mount(t, n)
	p := &play.Player{FS: fs, CPUs: 2}
	p.Stat = func() error { return play.WriteFiles(new(bytes.Buffer), fs) }
	for i := range ops {
		if _, err := p.Do(&ops[i]); err != nil {
			t.Fatal(err)
		}
		if i%32 == 31 {
			if err := fs.Check(); err != nil {
				t.Fatalf("after line %d (%s): %v", ops[i].Line, workload.FormatOp(ops[i]), err)
			}
		}
	}
	if err := p.Stat(); err != nil {
		t.Fatal(err)
	}
	if err := p.CloseAll(); err != nil {
		t.Fatal(err)
	}
	if err := fs.Check(); err != nil {
		t.Fatalf("after closing: %v", err)
	}
	if err := fs.Sync(&p.Task); err != nil {
		t.Fatal(err)
	}
	if err := fs.Check(); err != nil {
		t.Fatalf("after sync: %v", err)
	}
}

// Whatever a script does: no panic, no operation without an end, and every count right.
func FuzzPerform(f *testing.F) {
	cases, err := filepath.Glob("../../replay/testdata/*/ops")
	if err != nil {
		f.Fatal(err)
	}
	for i, name := range cases {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		lines := strings.SplitAfterN(string(text), "\n", 60)
		f.Add(uint8(i), strings.Join(lines[:len(lines)-1], ""))
	}
	for i := range machines {
		var b strings.Builder
		for _, off := range []int64{0, 1, 12 << 10, 268 << 10, 1 << 30, 1<<42 - 10, 1 << 44, 1 << 60} {
			fmt.Fprintf(&b, "creat x a\nwrite x %d 5000\nread x 0 %d\nfallocate x 3 %d 1000000\nftruncate x %d\nstat\nfsync x\nremount\n", off, off, off/2, off+1)
		}
		b.WriteString("mkdir d\nrename a d/b\ncpu 1\nopen y d/b direct\nfallocate y 16 0 99999\nfallocate y 1 0 999999999\nwrite y 0 9223372036854775807\nunlink d/b\nrmdir d\n")
		f.Add(uint8(i), b.String())
	}
	f.Fuzz(func(t *testing.T, n uint8, script string) {
		// A worker that hangs tells nobody its input; one that panics does. The time is
		// many times what the slowest input takes on a busy machine.
		hung := time.AfterFunc(time.Minute/3, func() { panic("an operation does not end") })
		defer hung.Stop()
		perform(t, int(n)%len(machines), script)
	})
}

// results.txt, whatever it holds: one line of an error with its place, or results that
// are written as they were read.
func FuzzReadResults(f *testing.F) {
	f.Add([]byte("# pid 12\n1 0\n2 -28\n"))
	f.Add([]byte("1 9223372036854775807\r\n\n"))
	f.Add([]byte("# pid x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		pid, results, err := play.ReadResults(bytes.NewReader(text), "results.txt")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "results.txt:") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q", err)
			}
			return
		}
		var b bytes.Buffer
		if err := play.WriteResults(&b, pid, results); err != nil {
			t.Fatal(err)
		}
		pid2, again, err := play.ReadResults(&b, "results.txt")
		if err != nil || pid2 != pid || fmt.Sprint(again) != fmt.Sprint(results) {
			t.Fatalf("%d, %v, %v: read back %d, %v", pid, results, err, pid2, again)
		}
	})
}
