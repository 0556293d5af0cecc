package workload

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParseScript(t *testing.T) {
	const script = `# every operation once
cpu 3
mkdir  d0
creat x d0/f1
	open y ./d0//f1	direct
open z /d0/f1

write x 8556544 4096
fsync x
ftruncate x 0
fallocate x 3 4096 8192
close x
unlink d0/f1
rmdir d0/
rename a b/../c
sync
stat
remount
read x 1 2
open a f direct append
open a f append
link a b/../c
symlink "x y" ./s
fsyncdir .
setxattr a user.x 100 7
setxattr a "user. " 0
removexattr a user.x
store x 1 2
copy x 1 y 2 3
user 7 8,9
user 0`
	want := []Op{
		{Kind: CPU, Line: 2, N: 3},
		{Kind: Mkdir, Line: 3, Path: "d0"},
		{Kind: Creat, Line: 4, FD: "x", Path: "d0/f1"},
		{Kind: Open, Line: 5, FD: "y", Path: "d0/f1", Direct: true},
		{Kind: Open, Line: 6, FD: "z", Path: "d0/f1"},
		{Kind: Write, Line: 8, FD: "x", Off: 8556544, Len: 4096},
		{Kind: Fsync, Line: 9, FD: "x"},
		{Kind: Ftruncate, Line: 10, FD: "x"},
		{Kind: Fallocate, Line: 11, FD: "x", Mode: 3, Off: 4096, Len: 8192},
		{Kind: Close, Line: 12, FD: "x"},
		{Kind: Unlink, Line: 13, Path: "d0/f1"},
		{Kind: Rmdir, Line: 14, Path: "d0"},
		{Kind: Rename, Line: 15, Path: "a", To: "c"},
		{Kind: Sync, Line: 16}, {Kind: Stat, Line: 17}, {Kind: Remount, Line: 18},
		{Kind: Read, Line: 19, FD: "x", Off: 1, Len: 2},
		{Kind: Open, Line: 20, FD: "a", Path: "f", Direct: true, Append: true},
		{Kind: Open, Line: 21, FD: "a", Path: "f", Append: true},
		{Kind: Link, Line: 22, Path: "a", To: "c"},
		{Kind: Symlink, Line: 23, Path: "s", To: "x y"},
		{Kind: FsyncDir, Line: 24, Path: "."},
		{Kind: SetXattr, Line: 25, Path: "a", To: "user.x", Len: 100, N: 7},
		{Kind: SetXattr, Line: 26, Path: "a", To: "user. "},
		{Kind: RemoveXattr, Line: 27, Path: "a", To: "user.x"},
		{Kind: Store, Line: 28, FD: "x", Off: 1, Len: 2},
		{Kind: Copy, Line: 29, FD: "x", Off: 1, To: "y", ToOff: 2, Len: 3},
		{Kind: AsUser, Line: 30, Mode: 7, To: "8,9"},
		{Kind: AsUser, Line: 31},
	}
	got, err := ParseScript(strings.NewReader(script), "ops")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	var b bytes.Buffer
	if err := WriteScript(&b, got); err != nil {
		t.Fatal(err)
	}
	again, err := ParseScript(&b, "written")
	if err != nil {
		t.Fatal(err)
	}
	for i := range again {
		again[i].Line = want[i].Line
	}
	if !reflect.DeepEqual(again, want) {
		t.Errorf("written and read again: %+v", again)
	}
}

func TestParseScriptErrors(t *testing.T) {
	for _, c := range []struct{ script, want string }{
		{"sync\n  wirte x 0 1", `ops:2:3: unknown operation "wirte" (did you mean "write"?)`},
		{`mkdir "a b`, `ops:1:7: "a b is no string in quotes as Go has them: escapes are \" \\ \n \t \x20`},
		{`mkdir "a"b`, `ops:1:7: "a"b is no string in quotes as Go has them: escapes are \" \\ \n \t \x20`},
		{`mkdir "\q"`, `ops:1:7: "\q" is no string in quotes as Go has them: escapes are \" \\ \n \t \x20`},
		{`mkdir ""`, `ops:1:7: an empty name`},
		{`rename a "b\x00"`, `ops:1:10: "b\x00" has a zero byte: no file system has such a name`},
		{`mkdir "x/../.. "/`, `ops:1:7: "x/../.. "/ is no string in quotes as Go has them: escapes are \" \\ \n \t \x20`},
		{`mkdir "x/../../ "`, `ops:1:7: path "\"x/../../ \"" leaves the mount point`},
		{"write x 0", `ops:1:10: LEN is missing: write FD OFF LEN`},
		{"write x 0 1 2", `ops:1:13: unexpected "2": write FD OFF LEN`},
		{"write x 0x10 1", `ops:1:9: OFF is "0x10": want a decimal number of 0 to 9223372036854775807`},
		{"write x -1 1", `ops:1:9: OFF is "-1": want a decimal number of 0 to 9223372036854775807`},
		{"fallocate x 4294967296 0 1", `ops:1:13: MODE is "4294967296": want a decimal number of 0 to 4294967295`},
		{"write x 9223372036854775807 1", `ops:1:29: offset 9223372036854775807 plus length 1 is more than 2^63-1`},
		{"open x f dirct", `ops:1:10: unexpected "dirct": open FD PATH [direct] [append]`},
		{"open x f append append", `ops:1:17: unexpected "append": open FD PATH [direct] [append]`},
		{"copy x 1 y 9223372036854775807 1", `ops:1:32: offset 9223372036854775807 plus length 1 is more than 2^63-1`},
		{"setxattr f user.a 1 -1", `ops:1:21: NUMBER is "-1": want a decimal number of 0 to 2147483647`},
		{"mkdir ../x", `ops:1:7: path "../x" leaves the mount point`},
		{"mkdir", `ops:1:6: PATH is missing: mkdir PATH`},
		{"mkdir a\x00b", `ops:1:8: a zero byte: this is not a script`},
		{"sync 1 2 3 4 5 6 7 8 9", `ops:1:6: unexpected "1": sync`},
	} {
		_, err := ParseScript(strings.NewReader(c.script), "ops")
		if err == nil || err.Error() != c.want {
			t.Errorf("%q:\ngot  %v\nwant %s", c.script, err, c.want)
		}
	}
	for _, name := range []string{"", "a\x00b"} {
		if err := WriteScript(&bytes.Buffer{}, []Op{{Kind: Mkdir, Path: name}}); err == nil {
			t.Errorf("the path %q was written", name)
		}
	}
}

func FuzzParseScript(f *testing.F) {
	f.Add("write x 0 1\nopen y a direct\n")
	f.Add("rename a ../b\n#\n\ncpu 9999")
	f.Fuzz(func(t *testing.T, s string) {
		ops, err := ParseScript(strings.NewReader(s), "s")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "s:") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
			return
		}
		for _, op := range ops {
			again, err := ParseScript(strings.NewReader(FormatOp(op)), "s")
			if err != nil || len(again) != 1 {
				t.Fatalf("%+v as %q: %v", op, FormatOp(op), err)
			}
			again[0].Line = op.Line
			if again[0] != op {
				t.Fatalf("%+v came back as %+v", op, again[0])
			}
		}
	})
}

func TestReadOracleCases(t *testing.T) {
	dirs, _ := filepath.Glob("/work/shared/oracle/c*/*/case.env")
	if len(dirs) == 0 {
		t.Skip("no oracle here")
	}
	for _, d := range dirs {
		c, err := ReadCase(filepath.Dir(d))
		if err != nil {
			t.Error(err)
			continue
		}
		if len(c.Ops) == 0 || c.Size < 160<<20 {
			t.Errorf("%s: %d ops, size %d", d, len(c.Ops), c.Size)
		}
		if concurrent := strings.Contains(d, "/concurrent/"); concurrent != (len(c.Writers) == 4) {
			t.Errorf("%s: %d writers", d, len(c.Writers))
		}
	}
}

func BenchmarkParseScript(b *testing.B) {
	var s strings.Builder
	const lines = 390_000
	for i := range lines / 3 {
		fmt.Fprintf(&s, "creat x d%d/f%d\nwrite x 0 %d\nclose x\n", i%100, i, i)
	}
	text := s.String()
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		p := parser{text: text}
		var op Op
		for {
			more, err := p.next(&op)
			if err != nil {
				b.Fatal(err)
			}
			if !more {
				break
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lines, "ns/line")
}
