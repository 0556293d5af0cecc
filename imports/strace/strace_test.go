package strace

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// show is an event in one line.
func show(e *Event) string {
	s := fmt.Sprintf("%d %d", e.Kind, e.PID)
	if e.Kind == Superseded {
		s += fmt.Sprintf(" by %d", e.By)
	}
	if c := e.Call; c != nil {
		s += " " + c.Name + "[" + strings.Join(c.Args, "|") + "]"
		switch {
		case e.Kind == Begin:
		case c.Void:
			s += "=?"
		case c.Err != "":
			s += "=" + c.Err
		default:
			s += fmt.Sprintf("=%d", c.Ret)
		}
		if c.RetFD.Shown {
			s += " " + c.RetFD.Path
		}
	}
	return s
}

// TestLines reads each form of a line.
func TestLines(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		// Every clock, and what stands before it.
		{`close(3) = 0`, "0 0 close[3]=0"},
		{`12 close(3) = 0`, "0 12 close[3]=0"},
		{`12    close(3)                                = 0`, "0 12 close[3]=0"},
		{`[pid    12] close(3) = 0`, "0 12 close[3]=0"},
		{`[pid 12<bash>] close(3) = 0`, "0 12 close[3]=0"},
		{`12<tokio-run 1> close(3) = 0`, "0 12 close[3]=0"},
		{`10:11:12 close(3) = 0`, "0 0 close[3]=0"},
		{`12 10:11:12.123456 close(3) = 0`, "0 12 close[3]=0"},
		{`12 1796047607.658510 close(3) = 0 <0.000123>`, "0 12 close[3]=0"},
		{`     0.000123 close(3) = 0`, "0 0 close[3]=0"},
		{`12      0.000123 close(3) = 0`, "0 12 close[3]=0"},
		{`1796047607.658510 (+     0.003225) close(3) = 0`, "0 0 close[3]=0"},
		{`[pid 12] 10:11:12.1 (+ 0.1) [   3] [00007f2b] close(3) = 0`, "0 12 close[3]=0"},
		{`12 2026-11-30T10:11:12+0100 close(3) = 0`, "in:1:4: this is no line of strace: want the name of a call and ("},
		// Arguments.
		{`fork() = 7`, "0 0 fork[]=7"},
		{`write(1, "a, \"(b\\", 6) = 6`, `0 0 write[1|"a, \"(b\\"|6]=6`},
		{`write(5</mnt/a, (b>, ""..., 6) = 6`, `0 0 write[5</mnt/a, (b>|""...|6]=6`},
		{`read(0</dev/null<char 1:3>>, 0x1, 6) = 0`, `0 0 read[0</dev/null<char 1:3>>|0x1|6]=0`},
		{`read(4<TCP:[1.2.3.4:5->6.7.8.9:10]>, "", 6) = 0`, `0 0 read[4<TCP:[1.2.3.4:5->6.7.8.9:10]>|""|6]=0`},
		{`execve("/bin/sh", ["sh", "-c"], 0x7ffc /* 36 vars (x */) = 0`, `0 0 execve["/bin/sh"|["sh", "-c"]|0x7ffc /* 36 vars (x */]=0`},
		{`f(1<<20, {a=[1, {b=(2)}], c=3}) = 0`, `0 0 f[1<<20|{a=[1, {b=(2)}], c=3}]=0`},
		{`syscall_0x1b3(0x1, 0x2) = 0x3`, `0 0 syscall_0x1b3[0x1|0x2]=3`},
		// Results.
		{`open("a", O_RDONLY) = 3</mnt/a>`, `0 0 open["a"|O_RDONLY]=3 /mnt/a`},
		{`open("a", O_RDONLY) = 3</mnt/a\40b\n\74> <0.1>`, `0 0 open["a"|O_RDONLY]=3 /mnt/a b` + "\n<"},
		{`open("a", O_RDONLY) = -1 ENOENT (No such file or directory)`, `0 0 open["a"|O_RDONLY]=ENOENT`},
		{`open("a", O_RDONLY) = -1 (errno 7)`, `0 0 open["a"|O_RDONLY]=an error`},
		{`read(0, 0x1, 2) = ? ERESTARTSYS (To be restarted)`, `0 0 read[0|0x1|2]=?`},
		{`fcntl(3, F_GETFL) = 0x8002 (flags O_RDWR|O_LARGEFILE)`, `0 0 fcntl[3|F_GETFL]=32770`},
		{`exit_group(0) = ?`, `0 0 exit_group[0]=?`},
		{`mmap(NULL, 8) = 0xffffffffff600000`, `0 0 mmap[NULL|8]=-10485760`},
		// What is no call.
		{`12 --- SIGCHLD {si_signo=SIGCHLD, si_utime=7 /* 0.07 s */} ---`, "6 12"},
		{`12 +++ exited with 0 +++`, "3 12"},
		{`[pid 12] +++ killed by SIGKILL (core dumped) +++`, "3 12"},
		{`12 +++ superseded by execve in pid 13 +++`, "4 12 by 13"},
		{`strace: Process 13 attached`, "5 13"},
		{`strace: Could not find x`, "6 0"},
		{`Process 13 detached`, "6 0"},
		{`12 <... read resumed>"", 5) = 5`, "0 12 read[]=?"}, // it began before the log
		// What strace does not write.
		{`hello`, "in:1:1: this is no line of strace: want the name of a call and ("},
		{`12 1.5 hello world(`, "in:1:8: this is no line of strace: want the name of a call and ("},
		{`close(3`, "in:1:8: this is no line of strace: the arguments do not end: want )"},
		{`close("3) = 0`, "in:1:7: this is no line of strace: a string that does not end"},
		{`close(3]) = 0`, "in:1:8: this is no line of strace: a ] that nothing has opened"},
		{`close(3)`, "in:1:9: this is no line of strace: want = and what the call returned"},
		{`close(3) = zero`, "in:1:12: this is no line of strace: want what the call returned: a number or ?"},
		{`--- SIGCHLD`, "in:1:12: this is no line of strace: it does not end with ---"},
		{`+++ left +++`, "in:1:5: this is no line of strace: want that a process exited, was killed or superseded"},
	} {
		r := NewReader(strings.NewReader(c.line+"\n"), "in")
		got := ""
		if r.Next() {
			got = show(r.Event())
		} else if r.Err() != nil {
			got = r.Err().Error()
		}
		if got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.line, got, c.want)
		}
	}
}

// TestParts joins calls that others interrupt.
func TestParts(t *testing.T) {
	const log = `1 openat(AT_FDCWD, "a",  <unfinished ...>
2 write(3, ""..., 5 <unfinished ...>
1 <... openat resumed>O_RDONLY) = 3</a>

2 <... write resumed>) = 4
2 execve("x", [], NULL <unfinished ...>
1 +++ superseded by execve in pid 2 +++
1 <... execve resumed>) = 0
1 read(0,  <unfinished ...>
1 +++ killed by SIGKILL +++
`
	want := []string{
		`1 1 openat[AT_FDCWD|"a"]`, `1 2 write[3|""...|5]`, `2 1 openat[AT_FDCWD|"a"|O_RDONLY]=3 /a`, `2 2 write[3|""...|5]=4`,
		`1 2 execve["x"|[]|NULL]`, `4 1 by 2`, `2 1 execve["x"|[]|NULL]=0`, `1 1 read[0]`, `3 1`,
	}
	r := NewReader(strings.NewReader(log), "in")
	var got []string
	for r.Next() {
		got = append(got, show(r.Event()))
	}
	if r.Err() != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %q\nwant %q", r.Err(), got, want)
	}
	if r.Lines != 10 || r.Unfinished() != 0 {
		t.Errorf("%d lines, %d calls without an end", r.Lines, r.Unfinished())
	}
	// On a terminal a message may split a line.
	r = NewReader(strings.NewReader("clone(flags=SIGCHLDstrace: Process 8 attached\n, child_tidptr=0x7) = 8\n[pid 8] close(3) = 0\n[pid 7] vfork(strace: Process 9 attached\n <unfinished ...>\n"), "in")
	got = nil
	for r.Next() {
		got = append(got, show(r.Event()))
	}
	want = []string{"0 0 clone[flags=SIGCHLD|child_tidptr=0x7]=8", "5 8", "0 8 close[3]=0", "1 7 vfork[]", "5 9"}
	if r.Err() != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %q\nwant %q", r.Err(), got, want)
	}
	// A mistake in the second part has its column there.
	r = NewReader(strings.NewReader("1 write(3, <unfinished ...>\n1 <... write resumed>5] = 5\n"), "in")
	for r.Next() {
	}
	if err := r.Err(); err == nil || err.Error() != "in:2:23: this is no line of strace: a ] that nothing has opened" {
		t.Error(err)
	}
}

// TestLenient counts strange lines and goes on.
func TestLenient(t *testing.T) {
	r := NewReader(strings.NewReader("usage: x\nclose(3) = 0\nbye\n"), "in")
	r.Lenient = true
	n := 0
	for r.Next() {
		n++
	}
	if r.Err() != nil || n != 1 || r.Foreign != 2 || r.First.Line != 1 {
		t.Errorf("%v, %d calls, %d strange lines, the first %v", r.Err(), n, r.Foreign, r.First)
	}
}

func TestArguments(t *testing.T) {
	for arg, want := range map[string]FD{
		"3": {N: 3}, "-1": {N: -1}, "AT_FDCWD": {N: AtCWD}, "AT_FDCWD</a>": {N: AtCWD, Shown: true, Path: "/a"},
		"3</a b>": {N: 3, Shown: true, Path: "/a b"}, "3<pipe:[7]>": {N: 3, Shown: true}, "3</a>(deleted)": {N: 3, Shown: true, Path: "/a", Deleted: true},
		"3</a (deleted)>": {N: 3, Shown: true, Path: "/a", Deleted: true}, `3</a\12\x41\101\\>`: {N: 3, Shown: true, Path: "/a\nAA\\"},
		"0</dev/null<char 1:3>>": {N: 0, Shown: true, Path: "/dev/null"}, "5<anon_inode:[eventfd]>": {N: 5, Shown: true},
	} {
		if got, ok := ParseFD(arg); !ok || got != want {
			t.Errorf("%s: %+v, %v, want %+v", arg, got, ok, want)
		}
	}
	if _, ok := ParseFD("NULL"); ok {
		t.Error("NULL is a descriptor")
	}
	for arg, want := range map[string]string{
		`"a"`: "a", `"\x41\102\n\t\"\\\0"`: "AB\n\t\"\\\x00", `"\12a"`: "\na", `"\0011"`: "\x011", `"é"`: "é", `"\q"`: "q", `""...`: "",
	} {
		if got, cut, ok := String(arg); !ok || got != want || cut != strings.HasSuffix(arg, "...") {
			t.Errorf("%s: %q, %v, %v", arg, got, cut, ok)
		}
	}
	if _, _, ok := String("0x7ff"); ok {
		t.Error("an address is a string")
	}
	for arg, want := range map[string]int64{"7": 7, "-1": -1, "0x10": 16, "0644": 420, "5 /* five */": 5} {
		if got, ok := Int(arg); !ok || got != want {
			t.Errorf("%s: %d, %v", arg, got, ok)
		}
	}
	for arg, want := range map[string]int64{"7": 7, "[5]": 5, "[5] => [9]": 5} {
		if got, ok := Offset(arg); !ok || got != want {
			t.Errorf("%s: %d, %v", arg, got, ok)
		}
	}
	if _, ok := Offset("NULL"); ok {
		t.Error("NULL is a position")
	}
	if v, ok := Field("{st_mode=S_IFREG|0644, st_size=12, ...}", "st_size"); !ok || v != "12" {
		t.Errorf("%q, %v", v, ok)
	}
	if _, ok := Field("{xst_size=12}", "st_size"); ok {
		t.Error("a part of a name is a name")
	}
	if !Has("O_RDWR|O_CREAT", "O_CREAT") || Has("O_CREATE", "O_CREAT") {
		t.Error("flags")
	}
}

// FuzzReader: whatever the text, there is no panic, and an error has its place.
func FuzzReader(f *testing.F) {
	f.Add("1 openat(AT_FDCWD, \"a\\0\",  <unfinished ...>\n1 <... openat resumed>O_RDONLY) = 3</a\\1>(deleted)\n")
	f.Add("[pid 1<x>] 1.2 (+ 1) [1] f(\"a\"..., {a=[1]}, 1</x<char 1:2>>) = -1 E (x)\n+++ exited with 1 +++\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := NewReader(strings.NewReader(text), "in")
		r.Lenient = true
		for r.Next() {
			if c := r.Event().Call; c != nil {
				for _, a := range c.Args {
					ParseFD(a)
					String(a)
					Offset(a)
					Field(a, "st_size")
				}
			}
		}
		if r.First != nil && (r.First.Line < 1 || r.First.Col < 1) {
			t.Errorf("%+v", r.First)
		}
	})
}
