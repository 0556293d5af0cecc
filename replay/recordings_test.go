package replay

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mbsim/filesystem/image"
	"mbsim/kerneltext/ftrace"
)

// keep names recordings to keep a small copy of:
//
//	go test ./replay -run TestKeep -keep '/cases/mix-*/6.1'
//
// CASE/KERNEL, with a whole trace, becomes testdata/CASE/KERNEL.
var keep = flag.String("keep", "", "pattern of recordings to keep copies of in testdata")

// TestKeep copies recordings into testdata, with as much of their traces as a comparison needs.
func TestKeep(t *testing.T) {
	if *keep == "" {
		t.Skip("nothing to keep")
	}
	found, _ := filepath.Glob(*keep)
	for _, dir := range found {
		from := filepath.Dir(dir)
		to := filepath.Join("testdata", filepath.Base(from), filepath.Base(dir))
		if err := os.MkdirAll(to, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"case.env", "ops"} {
			text, err := os.ReadFile(filepath.Join(from, name))
			if err == nil {
				err = os.WriteFile(filepath.Join(filepath.Dir(to), name), text, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"before.dumpe2fs", "results.txt", "files.txt", "mb_groups.txt", "mb_stats.txt", "mb_structs.txt", "mb_groups.log"} {
			text, err := readText(filepath.Join(dir, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			pack(t, filepath.Join(to, name), text)
		}
		pack(t, filepath.Join(to, "trace.txt"), cutTrace(t, recording{dir, dir}))
	}
}

// pack writes a text packed, as name.gz.
func pack(t *testing.T, name string, text []byte) {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	z.Write(text)
	z.Close()
	if err := os.WriteFile(name+".gz", b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// cutTrace is the part of a recording's trace that tells of requests and turns: the whole trace and
// the part tell the same.
func cutTrace(t *testing.T, r recording) []byte {
	l, err := ReadLayout(r.first)
	if err != nil {
		t.Fatal(err)
	}
	turns, err := r.turns()
	if err != nil {
		t.Fatal(err)
	}
	// Reservations matter where the flusher came in between.
	reserving := make(map[int]bool)
	for _, x := range turns.Threads.Ranges {
		reserving[x.Line] = reserving[x.Line] || x.Beside && x.Steps > 0
	}
	cut := traceCutter{reserving: reserving, numbers: l.Super.Compat&image.HasJournal == 0}
	err = r.trace(func(text io.Reader, name string) error {
		s := ftrace.NewScanner(text, name)
		for s.Scan() {
			cut.event(s.Event())
		}
		return s.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	// The whole and the part must tell the same.
	part, err := readTurns(bytes.NewReader(cut.Bytes()), "part", map[bool]uint32{true: l.Geometry().InodesPerGroup}[cut.numbers])
	if err != nil || !reflect.DeepEqual(part, turns) {
		t.Errorf("%s: the part of the trace has other turns (%v)", r.dir, err)
	}
	whole, err := r.requests()
	if err != nil {
		t.Fatal(err)
	}
	requests, err := readExchanges(bytes.NewReader(cut.Bytes()), "part")
	if d := matchExchanges(whole, requests, new(Tally)); d != nil || err != nil {
		t.Errorf("%s: the part of the trace has other requests: %v %v", r.dir, d, err)
	}
	return cut.Bytes()
}

// traceCutter writes the events that matter.
type traceCutter struct {
	bytes.Buffer
	reserving map[int]bool // lines of the script
	numbers   bool         // those of inodes matter
	writer    string
	line      int
	mark      string // the line under way, if not written yet
}

// event writes an event if it matters, and before it the line that it belongs to.
func (x *traceCutter) event(e *ftrace.Event) {
	text := e.Text
	switch e.Name {
	case "tracing_mark_write":
		x.writer = e.Task
		fmt.Sscanf(text, "line %d", &x.line)
		x.mark = fmt.Sprintf("%s [%03d] .... 0: %s: %s\n", e.Task, e.CPU, e.Name, text)
		if strings.HasSuffix(text, " remount") {
			x.WriteString(x.mark)
			x.mark = ""
		}
		return
	case "ext4_request_blocks", "ext4_allocate_blocks", "ext4_da_write_pages_extent":
	case "ext4_da_write_pages":
		text = "nr_to_write " + e.Field("nr_to_write")
	case "ext4_da_reserve_space":
		if !x.reserving[x.line] {
			return
		}
		text = ""
	case "ext4_ext_map_blocks_exit":
		if e.Task == x.writer || !strings.Contains(text, "CONVERT") {
			text = ""
		}
	case "ext4_free_blocks":
		if e.Task == x.writer {
			return
		}
		text = ""
	case "ext4_free_inode", "ext4_allocate_inode":
		if !x.numbers {
			return
		}
	default:
		return
	}
	x.WriteString(x.mark)
	x.mark = ""
	fmt.Fprintf(x, "%s [%03d] .... 0: %s: %s\n", e.Task, e.CPU, e.Name, text)
}
