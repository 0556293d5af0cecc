package replay

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/filesystem/image"
	"mbsim/kernels"
	"mbsim/workload"
)

// decideCase replays the requests of a recording of a case: folder is the recording, trace its text.
func decideCase(t testing.TB, dir, folder string, trace []byte, change func(*Config)) (*Decisions, error) {
	t.Helper()
	c, err := workload.ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ReadLayout(filepath.Join(dir, folder))
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Kernel: folder, Case: c, Layout: l}
	if change != nil {
		change(&cfg)
	}
	return Decide(cfg, bytes.NewReader(trace), "trace.txt")
}

// made is the file system of a case as mke2fs makes it here, and not as it was recorded.
func made(t *testing.T, c *workload.Case) *image.Layout {
	t.Helper()
	l, err := kernels.Default().MakeLayout(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func traceOf(t testing.TB, name string) []byte {
	t.Helper()
	text, err := readText(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestDecide: from the events of a trace alone, without the script, the allocator answers every request as the
// kernel did that was recorded. testdata/decide has what mbsim import ftrace keeps of recordings.
func TestDecide(t *testing.T) {
	names, err := filepath.Glob("testdata/decide/*.txt.gz")
	if err != nil || len(names) != 4 {
		t.Fatalf("%d traces, %v", len(names), err)
	}
	for _, name := range names {
		base := strings.TrimSuffix(filepath.Base(name), ".txt.gz")
		caseName, kernel, _ := strings.Cut(base, ".")
		d, err := decideCase(t, filepath.Join("testdata", caseName), "5.10", traceOf(t, strings.TrimSuffix(name, ".gz")), func(c *Config) { c.Kernel = kernel })
		if err != nil {
			t.Errorf("%s: %v", base, err)
			continue
		}
		if d.Total < 100 || !d.whole() || d.BeforeFirst != d.Total || len(d.Differences)+d.Unknown+d.Again+d.Pieces > 0 || d.NoCommits {
			t.Errorf("%s: %v, %d again, %d unknown, %d pieces, %v", base, d.Tally, d.Again, d.Unknown, d.Pieces, d.NoCommits)
		}
	}
}

// TestDecideOthers: other kernels and other settings decide otherwise, and the replay goes on to the end with
// blocks of its own: every request of the recording is answered.
func TestDecideOthers(t *testing.T) {
	trace := traceOf(t, "testdata/requests/streams-1.txt")
	whole, err := decideCase(t, "testdata/streams-1", "5.10", trace, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"6.12":     func(c *Config) { c.Kernel = "6.12" },
		"tunables": func(c *Config) { c.Case.Tunables = []workload.Tunable{{Name: "mb_stream_req", Value: "4096"}} },
		"made":     func(c *Config) { c.Layout = made(t, c.Case) },
	} {
		d, err := decideCase(t, "testdata/streams-1", "5.10", trace, change)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d.Total != whole.Total || d.Same+d.Elsewhere+d.Shorter+d.Longer+d.NoSpace != d.Total {
			t.Errorf("%s: %+v", name, d.Tally)
		}
		if name != "made" && (d.Same == d.Total || len(d.Differences) == 0) {
			t.Errorf("%s: nothing differs", name)
		}
	}
}

// TestDecideGoesOn: a full device, on another kernel: blocks that mbsim has put elsewhere are freed where they
// are, and no block is freed twice or lost.
func TestDecideGoesOn(t *testing.T) {
	for _, name := range []string{"full-1", "truncates-1", "bigalloc-1", "holes-1"} {
		trace := traceOf(t, filepath.Join("testdata/requests", name+".txt"))
		for _, kernel := range []string{"5.10", "7.3"} {
			d, err := decideCase(t, filepath.Join("testdata", name), "5.10", trace, func(c *Config) { c.Kernel = kernel })
			if err != nil || d.Unknown > 0 {
				t.Errorf("%s on %s: %+v, %v", name, kernel, d, err)
			}
		}
	}
}

// TestDecideMistakes: what is wrong with a trace is said with its place, and what it does not have.
func TestDecideMistakes(t *testing.T) {
	const head = "guest-1 [000] .... 0: "
	for text, want := range map[string]string{
		"nothing\n": "trace.txt: no request for blocks is in it",
		head + "ext4_request_blocks: dev 8,0 ino 12 flags WRONG len 1 lblk 0 goal 0\n" + head + "ext4_allocate_blocks: dev 8,0 ino 12 block 5 len 1\n": `trace.txt:1:1: unknown flag "WRONG" of a request for blocks`,
		head + "ext4_free_blocks: dev 8,0 ino 12 block 5 count 1 flags WRONG\n":                                                                        `trace.txt:1:1: unknown flag "WRONG" of freed blocks`,
	} {
		if _, err := decideCase(t, "testdata/streams-1", "5.10", []byte(text), nil); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	d, err := decideCase(t, "testdata/streams-1", "5.10", []byte(head+"ext4_free_blocks: dev 8,0 ino 12 block 99999 count 4 flags METADATA\n"+
		head+"ext4_free_blocks: dev 8,0 ino 12 block 99999999999 count 4 flags METADATA\n"+
		head+"ext4_request_blocks: dev 8,0 ino 12 flags  len 1 lblk 0 goal 0 lleft 0\n"), nil)
	if err != nil || d.Unknown != 2 || !d.NoCommits || d.Total != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := decideCase(t, "testdata/streams-1", "5.10", nil, func(c *Config) { c.Kernel = "ext2" }); err == nil {
		t.Error("ext2 has the allocator of ext4")
	}
}

// FuzzDecide: whatever the events say, there is no panic of the allocator that is not one line.
func FuzzDecide(f *testing.F) {
	f.Add([]byte("g-1 [000] .... 0: ext4_request_blocks: dev 8,0 ino 12 flags HINT_DATA len 9 lblk 0 goal 5\ng-1 [000] .... 0: ext4_allocate_blocks: dev 8,0 block 5 len 4\n" +
		"g-1 [000] .... 0: ext4_free_blocks: dev 8,0 ino 12 block 5 count 2 flags FORGET\ng-1 [000] .... 0: ext4_discard_preallocations: dev 8,0 ino 12 needed 0\n"))
	f.Fuzz(func(t *testing.T, trace []byte) {
		if _, err := decideCase(t, "testdata/streams-1", "5.10", trace, nil); err != nil && strings.Contains(err.Error(), "panic") {
			t.Fatalf("%v", err)
		}
	})
}

// FuzzDecideEvents makes events from bytes: requests, answers that the allocator would not give, frees of
// anything, by several tasks.
func FuzzDecideEvents(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31})
	f.Fuzz(func(t *testing.T, bytes []byte) {
		next := func(n int) int {
			if len(bytes) == 0 {
				return 0
			}
			c := int(bytes[0])
			bytes = bytes[1:]
			return c % n
		}
		block := func() int { return 33280 + next(256)*next(4) }
		lens := []int{1, 2, 7, 64, 511, 2048, 40000, 0}
		var trace strings.Builder
		for range 300 {
			if len(bytes) == 0 {
				break
			}
			ino, task := 12+next(3), next(3)
			flags := []string{"HINT_DATA", "", "HINT_DATA|DELALLOC_RESV|USE_RESV", "HINT_DATA|HINT_NOPREALLOC"}[next(4)]
			n := lens[next(len(lens))]
			text := []string{
				fmt.Sprintf("ext4_request_blocks: dev 8,0 ino %d flags %s len %d lblk %d goal %d lleft 0 lright 0 pleft %d pright 0", ino, flags, n, next(256)*next(3)+1, block(), next(2)*block()),
				fmt.Sprintf("ext4_allocate_blocks: dev 8,0 ino %d flags %s len %d block %d lblk 0", ino, flags, n, block()),
				fmt.Sprintf("ext4_mballoc_alloc: dev 8,0 inode %d flags %s tail 0", ino, flags),
				fmt.Sprintf("ext4_free_blocks: dev 8,0 ino %d mode 0100644 block %d count %d flags %s", ino, block(), n, []string{"METADATA|FORGET", "VALIDATED", "1ST_CLUSTER|LAST_CLUSTER"}[next(3)]),
				fmt.Sprintf("ext4_discard_preallocations: dev 8,0 ino %d len: 0 needed 0", ino),
				fmt.Sprintf("ext4_da_reserve_space: dev 8,0 ino %d mode 0100644 i_blocks 0 reserve_blocks %dreserved_data_blocks 1", ino, n),
				fmt.Sprintf("ext4_da_update_reserve_space: dev 8,0 ino %d used_blocks %d", ino, n),
				fmt.Sprintf("ext4_allocate_inode: dev 8,0 ino %d dir 2 mode 0100644", ino),
				fmt.Sprintf("ext4_da_write_end: dev 8,0 ino %d pos %d len 9 copied %d", ino, n*4096, n),
				"jbd2_start_commit: dev 8,0 transaction 2 sync 0", "jbd2_end_commit: dev 8,0 transaction 2 sync 0 head 2",
			}[next(11)]
			fmt.Fprintf(&trace, "t-%d [00%d] .... 0: %s\n", task, next(4), text)
		}
		_, err := decideCase(t, "testdata/streams-1", "5.10", []byte(trace.String()), nil)
		if err != nil && strings.Contains(err.Error(), "panic") {
			t.Fatalf("%v\n%s", err, trace.String())
		}
	})
}
