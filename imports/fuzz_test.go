package imports

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mbsim/internal/fuzzing"
	"mbsim/workload"
)

// FuzzStrace: whatever the log, there is no panic, every call is counted, and the model is sound.
func FuzzStrace(f *testing.F) {
	f.Add(`1 openat(AT_FDCWD, "/r/a", O_RDWR|O_CREAT, 0644) = 3
1 link("/r/a", "/r/b") = 0
1 rename("/r/a", "/r/d/c") = 0
2 vfork( <unfinished ...>
3 unlink("/r/d/c") = 0
2 <... vfork resumed>) = 3
3 execve("x", [], NULL) = 0
1 open("/r", O_RDWR|O_TMPFILE) = 5
1 rmdir("/r/d") = 0
`)
	f.Add("mkdir(\"/r/x\", 0) = 0\nsymlink(\"x\", \"/r/l\") = 0\nrenameat2(AT_FDCWD, \"/r/l\", AT_FDCWD, \"/r/x\", RENAME_EXCHANGE) = 0\nstat(\"/r/l/y\", {st_mode=S_IFDIR|0755, st_size=7}) = 0\n")
	f.Fuzz(func(t *testing.T, text string) { fuzzOne(t, text) })
}

// fuzzOne imports a log, and checks the counts, the model and the script.
func fuzzOne(t *testing.T, text string) {
	file := filepath.Join(fuzzing.TempDir(t), "log")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	l, err := OpenLog(file)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	opt := Options{Root: "/r", Cwd: "/r", Lenient: true}
	im, err := perform(l, opt, true, nil, new(bytes.Buffer))
	if err != nil {
		return
	}
	var ops bytes.Buffer
	im, err = perform(l, opt, false, im.known, &ops)
	if err != nil {
		return
	}
	checkCounts(t, im.report)
	checkTree(t, im, im.tree)
	checkScript(t, ops.String(), text)
}

// checkScript: the script can be read, and uses only descriptors that are open.
func checkScript(t *testing.T, all, text string) {
	t.Helper()
	script, err := workload.ParseScript(strings.NewReader(all), "ops")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	open := make(map[string]bool)
	for _, op := range script {
		switch {
		case op.FD == "":
		case op.Kind == workload.Creat || op.Kind == workload.Open:
			if open[op.FD] {
				t.Fatalf("line %d: %s is open:\n%s\n%s", op.Line, op.FD, text, all)
			}
			open[op.FD] = true
		case !open[op.FD]:
			t.Fatalf("line %d: %s is not open:\n%s\n%s", op.Line, op.FD, text, all)
		case op.Kind == workload.Close:
			delete(open, op.FD)
		}
	}
}

// chooser chooses parts of calls by bytes.
type chooser struct{ b []byte }

func (x *chooser) next(n int) int {
	if len(x.b) == 0 {
		return 0
	}
	c := int(x.b[0])
	x.b = x.b[1:]
	return c % n
}

func (x *chooser) fd() string {
	return []string{"3", "4", "5", "3</r/a>", "4</r/d>", "5<pipe:[1]>"}[x.next(6)]
}

func (x *chooser) path() string {
	return `"` + []string{"/r/a", "a", "d/a", "d", "d/e", "/r/d/e/a", "l", "l/a", "..", "", "/r", "/x", "."}[x.next(13)] + `"`
}

func (x *chooser) flags() string {
	return []string{"O_RDONLY", "O_RDWR|O_CREAT", "O_WRONLY|O_CREAT|O_EXCL", "O_RDWR|O_TRUNC|O_APPEND", "O_RDWR|O_TMPFILE", "O_RDONLY|O_DIRECTORY", "O_WRONLY|O_CREAT|O_CLOEXEC|O_DIRECT"}[x.next(7)]
}

// FuzzCalls makes a log of calls from bytes: which call, by which process, on what.
func FuzzCalls(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31})
	f.Fuzz(func(t *testing.T, b []byte) {
		x := &chooser{b}
		next, fd, path, flags := x.next, x.fd, x.path, x.flags
		var log strings.Builder
		for range 200 {
			if len(x.b) == 0 {
				break
			}
			call := []func() string{
				func() string { return "openat(AT_FDCWD, " + path() + ", " + flags() + ") = " + fd() },
				func() string { return "write(" + fd() + ", \"\", 9) = 9" },
				func() string { return "close(" + fd() + ") = 0" },
				func() string { return "mkdir(" + path() + ", 0777) = 0" },
				func() string { return "rename(" + path() + ", " + path() + ") = 0" },
				func() string {
					return "renameat2(AT_FDCWD, " + path() + ", AT_FDCWD, " + path() + ", RENAME_EXCHANGE) = 0"
				},
				func() string { return "link(" + path() + ", " + path() + ") = 0" },
				func() string { return "linkat(" + fd() + ", \"\", AT_FDCWD, " + path() + ", AT_EMPTY_PATH) = 0" },
				func() string { return "symlink(" + path() + ", " + path() + ") = 0" },
				func() string { return "unlink(" + path() + ") = 0" },
				func() string { return "rmdir(" + path() + ") = 0" },
				func() string { return "ftruncate(" + fd() + ", 5) = 0" },
				func() string { return "chdir(" + path() + ") = 0" },
				func() string { return "stat(" + path() + ", {st_mode=S_IFDIR|0755, st_size=9}) = 0" },
				func() string { return "fstat(" + fd() + ", {st_mode=S_IFREG|0644, st_size=99}) = 0" },
				func() string { return "vfork() = " + []string{"1", "2", "3"}[next(3)] },
				func() string { return "clone(flags=CLONE_FILES|CLONE_FS) = " + []string{"1", "2", "3"}[next(3)] },
				func() string { return "execve(\"x\", [], NULL) = 0" },
				func() string { return "dup2(" + fd() + ", 5) = 5" },
				func() string { return "sendfile(" + fd() + ", " + fd() + ", NULL, 9) = 9" },
				func() string { return "fsync(" + fd() + ") = 0" },
				func() string { return "mknod(" + path() + ", S_IFIFO) = 0" },
			}[next(22)]()
			pid := []string{"1", "2", "3"}[next(3)]
			name, rest, _ := strings.Cut(call, "(")
			switch next(5) {
			case 0: // it begins, and ends later, if at all
				args := rest[:strings.LastIndex(rest, ")")]
				log.WriteString(pid + " " + name + "(" + args + " <unfinished ...>\n")
			case 1:
				log.WriteString(pid + " <... " + name + " resumed>) = " + []string{"0", "3", "-1 EINVAL (x)"}[next(3)] + "\n")
			case 2:
				log.WriteString(pid + " " + call + "\n" + pid + " +++ exited with 0 +++\n")
			default:
				log.WriteString(pid + " " + call + "\n")
			}
		}
		fuzzOne(t, log.String())
	})
}

// checkTree: names lead both ways.
func checkTree(t *testing.T, im *importer, n *node) {
	for as, x := range n.children {
		if !slices.Contains(x.names, name{n, as}) {
			t.Fatalf("%q is a child that does not know it", as)
		}
		if x.kind == dir {
			if len(x.names) != 1 {
				t.Fatalf("the folder %q has %d names", as, len(x.names))
			}
			checkTree(t, im, x)
		}
	}
}

// fuzzFormat imports a text of a format, whatever it holds: there is no panic, what was read is counted once,
// and the script can be read.
func fuzzFormat(t *testing.T, format string, text []byte) {
	file := filepath.Join(fuzzing.TempDir(t), "log")
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	l, err := OpenLog(file)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := FindFormat(format)
	if err != nil {
		t.Fatal(err)
	}
	// A text of a few bytes may ask for a hundred million requests: what is written is bounded here.
	var ops bytes.Buffer
	r, err := f.Import([]*Log{l}, Options{Lenient: true}, func(name string) (io.Writer, error) {
		if name == "ops" {
			return &bounded{&ops, 1 << 20}, nil
		}
		return io.Discard, nil
	})
	if err != nil {
		return
	}
	checkCounts(t, r)
	checkScript(t, ops.String(), string(text))
}

// bounded takes some bytes, and then fails as a full disk does.
type bounded struct {
	to   io.Writer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, io.ErrShortWrite
	}
	return b.to.Write(p)
}

// FuzzImport imports texts of all formats but strace.
func FuzzImport(f *testing.F) {
	for i, text := range []string{
		"d 4096 /h/me\nf 300000 /h/me/d/a\nf 0 /h/me/d/a\nf 1 /h/me/d/a/b\nd 1 /h/me/d/a\n",
		"-rw-r--r-- a/b 10250 2026-12-01 01:37 ./a\nhrw-r--r-- a/b 0 2026-12-01 01:37 b link to a\n",
		"[global]\nsize=64k\n[a]\nrw=randrw:3\nbssplit=4k/50:16k\nnrfiles=3\nnumjobs=2\nfsync=3\nloops=2\n[b]\nstonewall\nrw=write\nio_size=200k\nfile_service_type=random\nunlink=1\n",
		"fio version 3 iolog\n1 /d/a b add\n2 /d/a b open\n5 /d/a b write 0 4096\n6 /d/a b read 0 9999\n9 /d/a b close\n9 /d/a b sync 0 0\n",
		"g-1 [000] .... 0: ext4_request_blocks: dev 8,0 ino 12 flags HINT_DATA len 9\n",
		"3\n1 2\n4 5\n9 1\n",
		"100644 blob 9 300000\t\"d/\\303\\244\"\n",
		"debugfs: ls -l /d\n 12  100644 (1)  0  0  70000  1-Dec-2026 01:37 a.bin\n/12/100644/0/0/x/5/\n",
	} {
		f.Add(byte(i), []byte(text))
	}
	f.Fuzz(func(t *testing.T, which byte, text []byte) {
		all := Formats()[1:] // strace has fuzzers of its own
		fuzzFormat(t, all[int(which)%len(all)].Name, text)
		fuzzFormat(t, "fio", text)
		if format, err := Recognize(openText(t, string(text))); err == nil && !format.NeedsRoot {
			fuzzFormat(t, format.Name, text)
		}
	})
}
