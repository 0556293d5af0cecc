package device

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"mbsim/sim"
)

// watched is a medium that logs what it is given. Without another medium below it
// every command takes the same time.
type watched struct {
	below   medium
	service int64
	log     func(now int64, kind Kind, from, to, end int64)
}

func (w *watched) start(now int64, kind Kind, from, to int64) (end int64) {
	if end = now + w.service; w.below != nil {
		end = w.below.start(now, kind, from, to)
	}
	w.log(now, kind, from, to, end)
	return end
}

const block = 4096

// The language of testdata: queue lists what is submitted when, and tells in which
// order the device is given what, and what is done when. Each command takes the
// device service=1ms; a plug holds plug=32 requests.
//
//	queue medium=hdd tags=4
//	0 read 100+8        a read of 8 blocks at block 100, at 0 ms
//	2 write 5+1 cpu=1   at 2 ms, from CPU 1
//	2 plug write 5+1    held back
//	3 unplug
func TestQueue(t *testing.T) {
	datadriven.RunTest(t, "testdata/queue", func(t *testing.T, td *datadriven.TestData) string {
		var out strings.Builder
		e := sim.New()
		defer e.Close()
		var d *Device
		medium, service, most := SSD, int64(1), plugRequests
		var sets []datadriven.CmdArg
		for _, a := range td.CmdArgs {
			switch a.Key {
			case "medium":
				m, err := FindMedium(a.Vals[0])
				if err != nil {
					td.Fatalf(t, "%v", err)
				}
				medium = m
			case "service":
				service = number(t, td, strings.TrimSuffix(a.Vals[0], "ms"))
			case "plug":
				most = int(number(t, td, a.Vals[0]))
			default:
				sets = append(sets, a)
			}
		}
		m := Default(medium)
		for _, a := range sets {
			if err := m.Set(a.Key, number(t, td, a.Vals[0])); err != nil {
				td.Fatalf(t, "%v", err)
			}
		}
		var err error
		if d, err = New(e, m, 1<<30); err != nil {
			td.Fatalf(t, "%v", err)
		}
		say := func(format string, args ...any) {
			fmt.Fprintf(&out, "%g ", float64(e.Now())/float64(ms))
			fmt.Fprintf(&out, format+"\n", args...)
		}
		d.medium = &watched{service: service * ms, log: func(_ int64, kind Kind, from, to, _ int64) {
			say("  device: %s", extent(kind, from, to))
		}}
		plug := d.NewPlug()
		plug.most = most
		for _, line := range strings.Split(td.Input, "\n") {
			schedule(t, td, d, plug, line, say)
		}
		e.Run(sim.Forever)
		s := d.Stats()
		fmt.Fprintf(&out, "merged %d, commands %d, most outstanding %d\n", s.Merged, s.Commands, s.MaxQueue)
		if d.Outstanding() != 0 || d.queues[0].used != 0 || d.queues[0].writes != 0 {
			t.Errorf("%d outstanding, %d tags used, %d by writes", d.Outstanding(), d.queues[0].used, d.queues[0].writes)
		}
		return out.String()
	})
}

func extent(kind Kind, from, to int64) string {
	if kind == Flush {
		return "flush"
	}
	return fmt.Sprintf("%v %d+%d", kind, from/block, (to-from)/block)
}

func number(t *testing.T, td *datadriven.TestData, s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		td.Fatalf(t, "%v", err)
	}
	return n
}

// schedule makes a line of the script happen.
func schedule(t *testing.T, td *datadriven.TestData, d *Device, plug *Plug, line string, say func(string, ...any)) {
	words := strings.Fields(line)
	at := number(t, td, words[0]) * ms
	words = words[1:]
	submit := d.Submit
	if words[0] == "plug" {
		submit, words = plug.Submit, words[1:]
	}
	r := Request{BlockSize: block}
	switch words[0] {
	case "unplug":
		d.e.At(at, plug.Flush)
		return
	case "read":
	case "write":
		r.Kind = Write
	case "flush":
		r.Kind = Flush
	default:
		td.Fatalf(t, "%q", line)
	}
	for _, w := range words[1:] {
		if cpu, ok := strings.CutPrefix(w, "cpu="); ok {
			r.CPU = int(number(t, td, cpu))
			continue
		}
		start, count, _ := strings.Cut(w, "+")
		r.Block, r.Count = uint64(number(t, td, start)), uint32(number(t, td, count))
	}
	what := strings.Join(words, " ")
	d.e.At(at, func() { submit(r, func() { say("%s is done", what) }) })
}
