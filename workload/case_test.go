package workload

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// writeCase writes a case of the given files into a fresh folder.
func writeCase(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadCase(t *testing.T) {
	dir := writeCase(t, map[string]string{
		"case.env": "# a comment\nSIZE=\"6G\" SMP=4\nMKFS='-b 4096 -O ^orphan_file'\nMOUNT=\"commit=9999,nodelalloc\" # why\nTUNABLES=\"mb_order2_req=5 mb_stats=1\"\nMEM=512\nPIDMOD=\nMKFS_EXT2=\"-b 1024\"\nMOUNT_EXT2=oldalloc\n",
		"ops":      "mkdir d\n",
		"ops.10":   "sync\n", "ops.2": "sync\nsync\n", "ops.old": "junk",
	})
	got, err := ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := &Case{
		Dir: dir, Size: 6 << 30, Mkfs: "-b 4096 -O ^orphan_file", Mount: "commit=9999,nodelalloc",
		Tunables: []Tunable{{"mb_order2_req", "5"}, {"mb_stats", "1"}}, SMP: 4, Mem: 512 << 20, PIDMod: -1,
		MkfsExt2: "-b 1024", MountExt2: "oldalloc", Ops: []Op{{Kind: Mkdir, Line: 1, Path: "d"}},
		Writers: []Writer{{"2", []Op{{Kind: Sync, Line: 1}, {Kind: Sync, Line: 2}}}, {"10", []Op{{Kind: Sync, Line: 1}}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// The defaults are those of record.sh and record-ext2.sh.
func TestReadCaseDefaults(t *testing.T) {
	dir := writeCase(t, map[string]string{"case.env": "", "ops": ""})
	got, err := ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := &Case{Dir: dir, Size: 256 << 20, SMP: 1, Mem: 2 << 30, MkfsExt2: "-b 4096", Ops: []Op{}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestReadCaseErrors(t *testing.T) {
	for _, c := range []struct{ env, ops, want string }{
		{"SIZE=\"12Q\"", "", `case.env:1:1: size "12Q": want a number of bytes, or one with a suffix such as 512M or 6G`},
		{"SIZE=9000000000G", "", `case.env:1:1: size "9000000000G": want a number of bytes, or one with a suffix such as 512M or 6G`},
		{"\nMFKS=\"\"", "", `case.env:2:1: unknown key "MFKS" (did you mean MKFS?)`},
		{"MKFS=\"$X\"", "", `case.env:1:7: '$' needs a shell: write the value out`},
		{"MKFS=\"-b 1024", "", `case.env:1:6: the quote " is not closed`},
		{"SMP=0", "", `case.env:1:1: SMP is "0": want a number of CPUs, 1 to 1024`},
		{"if true", "", `case.env:1:1: want KEY="VALUE"`},
		{"TUNABLES=mb_stats", "", `case.env:1:1: TUNABLES has "mb_stats": want NAME=VALUE`},
		{"PIDMOD=16", "", `case.env:1:1: PIDMOD is "16": want 0 to 15`},
		{"", "creet x f", `ops:1:1: unknown operation "creet" (did you mean "creat"?)`},
	} {
		dir := writeCase(t, map[string]string{"case.env": c.env, "ops": c.ops})
		_, err := ReadCase(dir)
		if err == nil || strings.TrimPrefix(err.Error(), dir+"/") != c.want {
			t.Errorf("%q %q:\ngot  %v\nwant %s", c.env, c.ops, err, c.want)
		}
	}
	if _, err := ReadCase(t.TempDir()); err == nil {
		t.Error("an empty folder was read as a case")
	}
}
