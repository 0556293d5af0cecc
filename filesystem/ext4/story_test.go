package ext4

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"mbsim/filesystem/ext4/extents"
	"mbsim/filesystem/play"
	"mbsim/workload"
)

// TestStories performs the stories in testdata/stories: a device, operations, and
// what became of them, with the reason why in comments. After each step all is
// recounted. go test -run TestStories -rewrite writes the outcome anew: then read
// it, and the kernel's source, before you believe it.
//
//	device        mounts; input: the lines of case.env
//	do [show]     performs operations; prints those that fail, and with show what
//	              the allocator is asked, and commits. A line for A B STEP: OP is
//	              that operation for i = A, A+STEP, ... B, with @N for i*N
//	tree PATH     the extent tree, or the indirect blocks
//	status PATH   the status tree
//	dirty PATH    the dirty blocks
//	file PATH     size, blocks, reservation
//	space         the counters of the whole
//	lists         which inodes are dirty, which are orphans
//	options       what is mounted where no option says otherwise
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		var s story
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t, s.d = t, d
			return s.step()
		})
	})
}

// story is the state of one file of stories.
type story struct {
	t    *testing.T
	d    *datadriven.TestData
	c    script
	fs   *FS
	play *play.Player
	log  eventLog
}

func (s *story) step() string {
	if s.d.Cmd == "device" {
		s.mount()
		geo := &s.fs.geo
		return fmt.Sprintf("%d blocks of %d bytes, %d free, in groups of %d\n", geo.Blocks, geo.BlockSize(), s.fs.alloc.CountFreeClusters()<<geo.ClusterBits, geo.BlocksPerGroup)
	}
	if s.fs == nil {
		s.d.Fatalf(s.t, "no device yet")
	}
	if s.d.Cmd == "do" {
		out := s.do(s.d.HasArg("show"))
		if err := s.fs.Check(); err != nil {
			s.d.Fatalf(s.t, "%v", err)
		}
		return out
	}
	return s.show()
}

// mount makes the device of the lines of case.env.
func (s *story) mount() {
	s.c = script{size: 64 << 20, cpus: 1}
	pid := 0
	for line := range strings.Lines(s.d.Input) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		var err error
		switch key {
		case "SIZE":
			s.c.size, err = workload.ParseSize(value)
		case "MKFS":
			s.c.mkfs = value
		case "MOUNT":
			s.c.mount = value
		case "SMP":
			s.c.cpus, err = strconv.Atoi(value)
		case "PID":
			pid, err = strconv.Atoi(value)
		case "CHUNK":
			var n int
			n, err = strconv.Atoi(value)
			s.c.chunk = uint32(n)
		default:
			err = fmt.Errorf("unknown key %s", key)
		}
		if err != nil {
			s.d.Fatalf(s.t, "%v", err)
		}
	}
	s.log = eventLog{}
	var err error
	if s.fs, s.play, err = s.c.startWatched(&s.log, &s.log); err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
	s.play.Task.PID = pid
}

// do performs the lines of the input.
func (s *story) do(show bool) string {
	var out strings.Builder
	for line := range strings.Lines(s.d.Input) {
		line = strings.TrimSpace(line)
		from, to, step, op := 0, 0, 1, line
		if rest, ok := strings.CutPrefix(line, "for "); ok {
			head, body, _ := strings.Cut(rest, ": ")
			if _, err := fmt.Sscanf(head, "%d %d %d", &from, &to, &step); err != nil {
				s.d.Fatalf(s.t, "%q: %v", line, err)
			}
			op = body
		}
		for i := from; step > 0 && i <= to || step < 0 && i >= to; i += step {
			s.one(&out, expand(op, i), show)
		}
	}
	if out.Len() == 0 {
		return "ok\n"
	}
	return out.String()
}

// expand replaces @N by i times N.
func expand(op string, i int) string {
	words := strings.Fields(op)
	for k, w := range words {
		if n, ok := strings.CutPrefix(w, "@"); ok {
			v, err := strconv.Atoi(n)
			if err != nil {
				panic(err)
			}
			words[k] = strconv.Itoa(i * v)
		}
	}
	return strings.Join(words, " ")
}

// one performs one operation. It prints the decisions on the way if show is set, and the
// result if that is not the one of a success.
func (s *story) one(out *strings.Builder, line string, show bool) {
	ops, err := workload.ParseScript(strings.NewReader(line), "story")
	if err != nil || len(ops) != 1 {
		s.d.Fatalf(s.t, "%q: %v", line, err)
	}
	s.log.lines = nil
	ret, err := s.play.Do(&ops[0])
	if err != nil {
		s.d.Fatalf(s.t, "%q: %v", line, err)
	}
	if show {
		for _, l := range s.log.lines {
			out.WriteString(l + "\n")
		}
	}
	whole := int64(0)
	if ops[0].Kind == workload.Write || ops[0].Kind == workload.Read {
		whole = ops[0].Len
	}
	if ret != whole {
		fmt.Fprintf(out, "%s: %d\n", line, ret)
	}
}

// show prints a part of the state.
func (s *story) show() string {
	fs := s.fs
	switch s.d.Cmd {
	case "space":
		return fmt.Sprintf("free %d, promised %d, waiting for a commit %d, dirty %d, lost %d\n", fs.alloc.FreeClusters().Sum(),
			fs.alloc.DirtyClusters().Sum(), fs.alloc.FreePending(), fs.dirtyBlocks, fs.lost)
	case "options":
		return fmt.Sprintf("dioread_nolock %t, all bitmaps read %t, lists of groups %t, stripe %d\n", fs.opt.DioreadNolock, fs.opt.PrefetchBlockBitmaps, fs.optimizeScan(), fs.geo.Stripe)
	case "lists":
		out := "dirty:"
		for in := range fs.dirty.all() {
			out += fmt.Sprintf(" %d", in.Number)
		}
		out += "\norphans:"
		for in := fs.orphans; in != nil; in = in.older {
			out += fmt.Sprintf(" %d", in.Number)
		}
		return out + "\n"
	}
	in, e := fs.lookupPath(s.d.CmdArgs[0].Key)
	if e != 0 {
		s.d.Fatalf(s.t, "%s: %v", s.d.CmdArgs[0].Key, e)
	}
	switch s.d.Cmd {
	case "tree":
		var b strings.Builder
		if in.Extents {
			writeNode(&b, &in.fileMap().root, 0)
		} else if in.ind != nil {
			writeArray(&b, in.ind, 0)
		}
		return b.String()
	case "status":
		return orNothing(strings.ReplaceAll(in.fileMap().es.String(), "; ", "\n"))
	case "dirty":
		return orNothing(strings.ReplaceAll(in.fileMap().cache.String(), "; ", "\n"))
	case "file":
		out := fmt.Sprintf("inode %d, %d bytes, %d on disk, %d blocks, %d clusters reserved", in.Number, in.Size, in.disksize, in.blocks, in.reserved)
		if len(in.fileMap().es.Pending()) > 0 {
			out += fmt.Sprintf(", pending %d", in.fileMap().es.Pending())
		}
		return out + "\n"
	}
	s.d.Fatalf(s.t, "unknown command %s", s.d.Cmd)
	return ""
}

func orNothing(s string) string {
	if s == "" {
		return "nothing\n"
	}
	return s + "\n"
}

// writeNode writes a node, and what is below it. Of a long leaf only the ends.
func writeNode(b *strings.Builder, n *extents.Node, indent int) {
	where := "root"
	if n.Blk != 0 {
		where = fmt.Sprintf("node @%d", n.Blk)
	}
	fmt.Fprintf(b, "%s%s, depth %d, %d of %d\n", strings.Repeat("  ", indent), where, n.Depth, n.Entries(), n.Max)
	for i := range n.Idx {
		writeNode(b, n.Idx[i].Child, indent+1)
	}
	for i := range n.Ext {
		if i >= 3 && i < len(n.Ext)-2 && len(n.Ext) > 7 {
			if i == 3 {
				fmt.Fprintf(b, "%s...\n", strings.Repeat("  ", indent+1))
			}
			continue
		}
		x := &n.Ext[i]
		state := ""
		if x.Unwritten {
			state = " unwritten"
		}
		fmt.Fprintf(b, "%s%d-%d @%d%s\n", strings.Repeat("  ", indent+1), x.Lblk, x.Next()-1, x.Pblk, state)
	}
}

// writeArray writes an array of pointers, runs in a row as one.
func writeArray(b *strings.Builder, n *indirect, indent int) {
	pad := strings.Repeat("  ", indent)
	for i := 0; i < len(n.pointers); i++ {
		p := n.pointers[i]
		switch {
		case p == 0:
		case n.children != nil && n.children[i] != nil:
			fmt.Fprintf(b, "%sslot %d: array @%d\n", pad, i, p)
			writeArray(b, n.children[i], indent+1)
		default:
			k := i
			for k+1 < len(n.pointers) && n.pointers[k+1] == p+uint32(k+1-i) && (n.children == nil || n.children[k+1] == nil) {
				k++
			}
			fmt.Fprintf(b, "%sslots %d-%d @%d\n", pad, i, k, p)
			i = k
		}
	}
}
