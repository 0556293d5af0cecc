package reservation

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"mbsim/allocator"
	"mbsim/allocator/alloctest"
)

// TestDecisions lays out a state, asks for decisions and shows them:
//
//	disk [groups=N] [blocks=N a group] [last=N] [window=N] [reserved=N] [unprivileged] [cpus=N] [used=(START+N,...)]
//	     [damaged: group 0 does not mark its metadata]
//	take [file=NAME] [goal=N] [n=N]
//	give START+N
//	close file=NAME
//	show (free blocks by group, windows)
//	stats
//
// Blocks have 4096 bytes, and each group begins with 5 blocks of metadata, group 0
// with 7.
func TestDecisions(t *testing.T) {
	var m *machine
	datadriven.RunTest(t, "testdata/decisions", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "disk" {
			m = newMachine(t, d)
			return m.show()
		}
		out := m.perform(t, d)
		if err := m.a.Check(); err != nil {
			out += err.Error() + "\n"
		}
		return out
	})
}

// machine is an allocator and the windows of the files that use it.
type machine struct {
	a       *Allocator
	windows map[string]*Window
	// unprivileged processes make the requests
	unprivileged bool
}

func newMachine(t *testing.T, d *datadriven.TestData) *machine {
	number := func(key string, otherwise int) int {
		if d.HasArg(key) {
			d.ScanArgs(t, key, &otherwise)
		}
		return otherwise
	}
	s := alloctest.Shape{BlockBits: 12, Groups: number("groups", 2), BlocksPerGroup: uint32(number("blocks", 64))}
	s.LastGroup = uint32(number("last", int(s.BlocksPerGroup)))
	for _, a := range d.CmdArgs {
		if a.Key == "used" {
			for _, v := range a.Vals {
				s.Used = append(s.Used, rangeOf(t, v))
			}
		}
	}
	disk := alloctest.NewDisk(s)
	var source allocator.Source = disk
	if d.HasArg("damaged") {
		source = damaged{disk}
	}
	a, err := New(Config{
		Geometry: disk.Geometry, Source: source, Window: uint32(number("window", DefaultWindow)), CPUs: number("cpus", 1),
		RootReserved: uint64(number("reserved", 0)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &machine{a, map[string]*Window{}, d.HasArg("unprivileged")}
}

// damaged is a disk whose bitmaps do not mark the file system's own blocks.
type damaged struct{ *alloctest.Disk }

func (d damaged) BlockBitmap(id allocator.GroupID, bits []uint64) {
	d.Disk.BlockBitmap(id, bits)
	if id == 0 {
		bits[0] &^= 1<<7 - 1
	}
}

func (d damaged) Desc(id allocator.GroupID) allocator.GroupDesc {
	x := d.Disk.Desc(id)
	if id == 0 {
		x.FreeClusters += 7
	}
	return x
}

func rangeOf(t *testing.T, s string) (r alloctest.Range) {
	if _, err := fmt.Sscanf(s, "%d+%d", &r.Start, &r.Len); err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return r
}

func (m *machine) perform(t *testing.T, d *datadriven.TestData) string {
	file := ""
	if d.HasArg("file") {
		d.ScanArgs(t, "file", &file)
	}
	w := m.windows[file]
	switch d.Cmd {
	case "take":
		goal, n := 0, 1
		if d.HasArg("goal") {
			d.ScanArgs(t, "goal", &goal)
		}
		if d.HasArg("n") {
			d.ScanArgs(t, "n", &n)
		}
		if file != "" && w == nil {
			w = new(Window)
			m.a.InitWindow(w)
			m.windows[file] = w
		}
		r := Request{Goal: allocator.Block(goal), Len: uint32(n), Window: w, Unprivileged: m.unprivileged}
		b, ok := m.a.NewBlocks(0, &r)
		if !ok {
			return fmt.Sprintf("no space, groups %d\n", r.Groups)
		}
		return fmt.Sprintf("%d+%d, groups %d%s\n", b, r.Len, r.Groups, describe(w))
	case "give":
		r := rangeOf(t, d.CmdArgs[0].Key)
		m.a.FreeBlocks(0, r.Start, r.Len)
		return ""
	case "close":
		m.a.DiscardWindow(w)
		return ""
	case "show":
		return m.show()
	case "stats":
		return fmt.Sprintf("%+v\n", m.a.Stats())
	}
	t.Fatalf("unknown command %q", d.Cmd)
	return ""
}

func describe(w *Window) string {
	if w == nil {
		return ""
	}
	start, n := w.Reserved()
	if n == 0 {
		return fmt.Sprintf("; no window, next %d", w.size)
	}
	return fmt.Sprintf("; window %d+%d, hits %d, next %d", start, n, w.hits, w.size)
}

func (m *machine) show() string {
	var b strings.Builder
	for id := range m.a.geo.Groups {
		g := &m.a.groups[id]
		fmt.Fprintf(&b, "group %d: %d free:", id, g.free)
		n := m.a.blocksIn(id)
		bits := m.a.bits(id, g)
		for i := bits.NextZero(0, n); i < n; {
			end := bits.NextSet(i, n)
			fmt.Fprintf(&b, " %d+%d", m.a.geo.BlockAt(id, allocator.GroupOffset(i)), end-i)
			i = bits.NextZero(end, n)
		}
		b.WriteByte('\n')
	}
	names := make([]string, 0, len(m.windows))
	for name := range m.windows {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%s%s\n", name, describe(m.windows[name]))
	}
	return b.String()
}
