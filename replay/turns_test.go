package replay

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mbsim/filesystem/ext4"
)

// TestReadTurns reads the turns of a made-up trace: a flusher that maps a range while the writer goes
// on, a writer that maps one while a worker converts another, and one that sync waits for.
func TestReadTurns(t *testing.T) {
	const trace = `
  guest-9  [001] .... 1: tracing_mark_write: line 3 write a 0 12288
  guest-9  [001] .... 2: ext4_da_reserve_space: dev 254,0 ino 12
 kworker/u4:0-7 [000] .... 3: ext4_da_write_pages: dev 254,0 ino 12 first_page 0 nr_to_write 13312 sync_mode 0
 kworker/u4:0-7 [000] .... 4: ext4_da_write_pages_extent: dev 254,0 ino 12 lblk 0 len 1 flags 0x100
  guest-9  [001] .... 5: ext4_da_reserve_space: dev 254,0 ino 12
 kworker/u4:0-7 [000] .... 6: ext4_request_blocks: dev 254,0 ino 12 len 1
 kworker/u4:0-7 [000] .... 7: ext4_ext_map_blocks_exit: dev 254,0 ino 12 flags CREATE|UNWRIT lblk 0 pblk 9 len 1
  guest-9  [001] .... 8: ext4_da_reserve_space: dev 254,0 ino 12
  guest-9  [001] .... 9: tracing_mark_write: line 4 fsync a
  guest-9  [001] .... 10: ext4_da_write_pages_extent: dev 254,0 ino 12 lblk 1 len 2 flags 0x100
 kworker/0:1-8 [000] .... 11: ext4_ext_map_blocks_exit: dev 254,0 ino 12 flags CREATE|UNWRIT|CONVERT lblk 0 pblk 9 len 1
  guest-9  [001] .... 12: ext4_request_blocks: dev 254,0 ino 12 len 2
  guest-9  [001] .... 13: ext4_ext_map_blocks_exit: dev 254,0 ino 12 flags CREATE|UNWRIT lblk 1 pblk 10 len 2
 kworker/0:1-8 [000] .... 14: ext4_free_blocks: dev 254,0 ino 12
  guest-9  [001] .... 15: ext4_da_write_pages_extent: dev 254,0 ino 12 lblk 9 len 1 flags 0x100
  guest-9  [001] .... 16: ext4_request_blocks: dev 254,0 ino 12 len 1
 kworker/0:1-8 [000] .... 17: ext4_ext_map_blocks_exit: dev 254,0 ino 12 flags CREATE|UNWRIT|CONVERT lblk 1 pblk 10 len 2
  guest-9  [001] .... 18: tracing_mark_write: line 5 sync
 kworker/u4:0-7 [001] .... 19: ext4_da_write_pages: dev 254,0 ino 13 first_page 0 nr_to_write 9223372036854775807 sync_mode 0
 kworker/u4:0-7 [001] .... 20: ext4_da_write_pages_extent: dev 254,0 ino 13 lblk 0 len 5 flags 0x100
 kworker/u4:0-7 [001] .... 21: ext4_request_blocks: dev 254,0 ino 13 len 5
`
	got, err := readTurns(strings.NewReader(trace), "trace", 0)
	if err != nil {
		t.Fatal(err)
	}
	want := ext4.Turns{
		Ranges: []ext4.RangeTurn{
			// It is mapped after the second reservation, which came before the request.
			{Line: 3, CPU: 0, Beside: true, Steps: 2, Inode: 12, Lblk: 0, N: 1},
			{Line: 4, CPU: 1, Inode: 12, Lblk: 1, N: 2},
			{Line: 4, CPU: 1, Inode: 12, Lblk: 9, N: 1},
			{Line: 5, CPU: 1, Inode: 13, Lblk: 0, N: 5},
		},
		Conversions: []ext4.ConversionTurn{
			// The first ends before the writer has begun to map. The second begins before the
			// writer's second range, though it ends later.
			{Line: 4, After: 0, Inode: 12, Lblk: 0, N: 1},
			{Line: 4, After: 1, Inode: 12, Lblk: 1, N: 2},
		},
	}
	if !reflect.DeepEqual(got.Threads, want) || got.Seconds != nil {
		t.Errorf("got %+v\nwant %+v", *got, want)
	}
}

// TestSeconds asks when seconds passed: the numbers of inodes say in which lines one did, and in which
// none.
func TestSeconds(t *testing.T) {
	const trace = `
  guest-9 [000] .... 1: tracing_mark_write: line 1 unlink a
  guest-9 [000] .... 2: ext4_free_inode: dev 254,0 ino 12
  guest-9 [000] .... 3: tracing_mark_write: line 2 creat b
  guest-9 [000] .... 4: ext4_allocate_inode: dev 254,0 ino 12 dir 2
  guest-9 [000] .... 5: tracing_mark_write: line 3 unlink b
  guest-9 [000] .... 6: ext4_free_inode: dev 254,0 ino 12
  guest-9 [000] .... 7: tracing_mark_write: line 9 creat c
  guest-9 [000] .... 8: ext4_allocate_inode: dev 254,0 ino 13 dir 2
  guest-9 [000] .... 9: tracing_mark_write: line 10 remount
  guest-9 [000] .... 10: tracing_mark_write: line 11 creat d
  guest-9 [000] .... 11: ext4_allocate_inode: dev 254,0 ino 12 dir 2
`
	for _, c := range []struct {
		perGroup uint32
		want     []int
	}{
		{0, nil},         // with a journal the numbers tell nothing
		{64, []int{9}},   // 12 was passed over in line 9; that it is taken after a mount tells nothing
		{12, []int(nil)}, // 12 is of another group than 13
	} {
		got, err := readTurns(strings.NewReader(trace), "trace", c.perGroup)
		if err != nil || !slices.Equal(got.Seconds, c.want) {
			t.Errorf("%d inodes a group: %v, %v, want %v", c.perGroup, got.Seconds, err, c.want)
		}
	}
	for _, c := range []struct {
		name         string
		passed, none []interval
		want         []int
	}{
		{"nothing known", nil, nil, nil},
		{"as late as possible", []interval{{2, 9}}, nil, []int{9}},
		{"one for two", []interval{{2, 9}, {5, 12}}, nil, []int{9}},
		{"two", []interval{{2, 5}, {5, 12}}, nil, []int{5, 12}},
		{"before a number that was taken at once", []interval{{2, 9}}, []interval{{6, 10}}, []int{6}},
		{"impossible", []interval{{7, 9}}, []interval{{6, 10}}, nil},
	} {
		if got := seconds(c.passed, c.none); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestTurnsDoNotHelp damages a recording that is identical in turns, in what the kernel answered: then it
// must be different, as turns say nothing of where blocks lie. Without its trace it differs by rules.
func TestTurnsDoNotHelp(t *testing.T) {
	verify := func(change func(dir string)) *Verdict {
		dir := filepath.Join(t.TempDir(), "mix-9140")
		if err := os.CopyFS(dir, os.DirFS("testdata/mix-9140")); err != nil {
			t.Fatal(err)
		}
		change(filepath.Join(dir, "6.12"))
		v, err := Verify(dir, "6.12")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := verify(func(string) {}); v.Identical || !v.InTurnsIdentical() || v.InTurns.Turns.Beside == 0 {
		t.Errorf("as recorded: %+v", v)
	}
	if v := verify(func(dir string) { os.Remove(dir + "/trace.txt.gz") }); v.InTurns != nil || v.InTurnsIdentical() {
		t.Errorf("without a trace: %+v", v)
	}
	for file, change := range map[string][2]string{
		"trace.txt": {"block 1141 ", "block 1140 "},
		"files.txt": {"@1141:", "@1140:"},
	} {
		v := verify(func(dir string) { replaceText(t, filepath.Join(dir, file), change[0], change[1]) })
		if v.InTurnsIdentical() {
			t.Errorf("%s is damaged, and the verdict is %+v", file, v.InTurns)
		}
	}
}

// replaceText replaces the first old in a text of a recording, which becomes unpacked.
func replaceText(t *testing.T, name, old, new string) {
	text, err := readText(name)
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Replace(string(text), old, new, 1)
	if bad == string(text) {
		t.Fatalf("%q is not in %s", old, name)
	}
	if err := os.RemoveAll(name + ".gz"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(bad), 0o644); err != nil {
		t.Fatal(err)
	}
}
