package replay

import (
	"fmt"
	"runtime/debug"
	"strconv"

	"bufio"
	"compress/gzip"
	"io"
	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/image"
	"mbsim/workload"
	"os"
	"regexp"
	"strings"
	"testing"
)

// traceEvents reads the events of a recording that decide layout, in one form
// for both sides of a comparison.
func traceEvents(t testing.TB, path string) []string {
	f, err := os.Open(path)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	r := bufio.NewReaderSize(z, 1<<20)
	for {
		line, err := r.ReadString('\n')
		if s := normalize(line); s != "" {
			out = append(out, s)
		}
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

var traceLine = regexp.MustCompile(`^\s*\S+\s+\[\d+\]\s+\S+\s+\d+: (\w+): (.*)$`)

func normalize(line string) string {
	m := traceLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
	if m == nil {
		return ""
	}
	what, rest := m[1], strings.TrimPrefix(m[2], "dev 254,0 ")
	rest = strings.TrimSpace(rest)
	switch what {
	case "tracing_mark_write":
		return rest
	case "ext4_request_blocks", "ext4_allocate_blocks", "ext4_mballoc_alloc", "ext4_mballoc_prealloc",
		"ext4_mb_new_inode_pa", "ext4_mb_new_group_pa", "ext4_mballoc_free", "ext4_mballoc_discard",
		"ext4_mb_release_inode_pa", "ext4_mb_release_group_pa", "ext4_mb_discard_preallocations":
		return what[5:] + ": " + rest
	case "ext4_allocate_inode":
		return what[5:] + ": " + rest
	case "ext4_da_write_pages_extent":
		return what[5:] + ": " + rest[:strings.Index(rest, " flags")]
	case "jbd2_start_commit":
		return "commit"
	}
	return ""
}

// tracer writes what the simulator decides in the form of normalize.
type tracer struct{ out []string }

func (x *tracer) add(f string, a ...any) {
	x.out = append(x.out, strings.TrimSpace(fmt.Sprintf(f, a...)))
}

func (x *tracer) req(what string, r *mballoc.Request, mid string) {
	x.add("%s: ino %d flags %s len %d %slblk %d goal %d lleft %d lright %d pleft %d pright %d", what,
		r.Inode.Number, r.Flags, r.Len, mid, r.Logical, r.Goal, r.Lleft, r.Lright, r.Pleft, r.Pright)
}
func (x *tracer) Request(r *mballoc.Request) { x.req("request_blocks", r, "") }
func (x *tracer) Allocated(r *mballoc.Request, b allocator.Block) {
	x.req("allocate_blocks", r, fmt.Sprintf("block %d ", b))
}
func ex(e mballoc.Extent) string {
	return fmt.Sprintf("%d/%d/%d@%d", e.Group, e.Start, e.Len, e.Logical)
}
func (x *tracer) Decided(d *mballoc.Decision) {
	if d.Searched {
		x.add("mballoc_alloc: inode %d orig %s goal %s result %s blks %d grps %d cr %d flags %s tail %d broken %d",
			d.Inode, ex(d.Orig), ex(d.Goal), ex(d.Result), d.Found, d.Groups, d.Criteria, d.Flags, d.Tail, d.Buddy)
		return
	}
	x.add("mballoc_prealloc: inode %d orig %s result %s", d.Inode, ex(d.Orig), ex(d.Best))
}
func (x *tracer) NewInodePA(ino uint32, b allocator.Block, n, l uint32) {
	x.add("mb_new_inode_pa: ino %d pstart %d len %d lstart %d", ino, b, n, l)
}
func (x *tracer) NewGroupPA(ino uint32, b allocator.Block, n uint32) {
	x.add("mb_new_group_pa: ino %d pstart %d len %d lstart %d", ino, b, n, b)
}
func (x *tracer) ReleaseInodePA(ino uint32, b allocator.Block, n uint32) {
	x.add("mb_release_inode_pa: ino %d block %d count %d", ino, b, n)
}
func (x *tracer) ReleaseGroupPA(b allocator.Block, n uint32) {
	x.add("mb_release_group_pa: pstart %d len %d", b, n)
}
func (x *tracer) Discard(g allocator.GroupID, s, n int) {
	x.add("mballoc_discard: inode 0 extent %d/%d/%d", g, s, n)
}
func (x *tracer) DiscardForSpace(n int) { x.add("mb_discard_preallocations: needed %d", n) }
func (x *tracer) Free(ino uint32, g allocator.GroupID, s, n int) {
	x.add("mballoc_free: inode %d extent %d/%d/%d", ino, g, s, n)
}
func (x *tracer) BitmapRead(g allocator.GroupID, ahead bool) {}
func (x *tracer) BuddyLoaded(g allocator.GroupID)            {}
func (x *tracer) InodeAllocated(n, parent, mode uint32) {
	x.add("allocate_inode: ino %d dir %d mode 0%o", n, parent, mode)
}
func (x *tracer) WritePagesExtent(n, lblk, len uint32) {
	x.add("da_write_pages_extent: ino %d lblk %d len %d", n, lblk, len)
}
func (x *tracer) Commit(tid uint64) { x.add("commit") }

func TestTrace(t *testing.T) {
	name := os.Getenv("CASE")
	if name == "" {
		t.Skip("CASE is not set")
	}
	dir := "/work/shared/oracle/cases/" + name
	if strings.HasPrefix(name, "/") {
		dir = name
	}
	c, err := workload.ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	x := &tracer{}
	f, _ := os.Open(dir + "/5.10/before.dumpe2fs.gz")
	l, err := image.ReadDumpe2fs(f, "before")
	if err != nil {
		t.Fatal(err)
	}
	opt := ext4.DefaultOptions(l.Super.BlockSize())
	opt.CPUs = c.SMP
	if err := opt.Parse(c.Mount); err != nil {
		t.Fatal(err)
	}
	opt.Observer, opt.Blocks = x, x
	opt.Tunables = map[string]uint32{}
	for _, kv := range strings.Fields(os.Getenv("TUN")) {
		k, v, _ := strings.Cut(kv, "=")
		n, _ := strconv.Atoi(v)
		opt.Tunables[k] = uint32(n)
	}
	fs, err := ext4.Mount(l, opt)
	if err != nil {
		t.Fatal(err)
	}
	task := filesystem.Task{CPU: c.SMP - 1}
	if s := os.Getenv("CPU"); s != "" {
		task.CPU, _ = strconv.Atoi(s)
	}
	h := map[string]filesystem.Handle{}
	var order []filesystem.Handle
	func() {
		defer func() {
			if e := recover(); e != nil {
				x.add("PANIC %v\n%s", e, debug.Stack())
			}
		}()
		for _, op := range c.Ops {
			x.add("line %d %s", op.Line, workload.FormatOp(op))
			switch op.Kind {
			case workload.CPU:
				task.CPU = op.N
			case workload.Mkdir:
				fs.Mkdir(&task, op.Path)
			case workload.Creat:
				if v, err := fs.Create(&task, op.Path); err == nil {
					h[op.FD] = v
					order = append(order, v)
				}
			case workload.Open:
				if v, err := fs.Open(&task, op.Path, op.Direct); err == nil {
					h[op.FD] = v
					order = append(order, v)
				}
			case workload.Write:
				h[op.FD].Write(&task, op.Off, op.Len)
			case workload.Fsync:
				h[op.FD].Fsync(&task)
			case workload.Ftruncate:
				h[op.FD].Truncate(&task, op.Len)
			case workload.Fallocate:
				h[op.FD].Fallocate(&task, op.Mode, op.Off, op.Len)
			case workload.Close:
				h[op.FD].Close(&task)
				delete(h, op.FD)
			case workload.Unlink:
				fs.Unlink(&task, op.Path)
			case workload.Sync:
				fs.Sync(&task)
			case workload.Stat:
				for g := range fs.Geometry().Groups {
					fs.Allocator().GroupInfo(g)
				}
			case workload.Remount:
				fs.Remount(&task)
			}
		}
		for _, v := range order {
			v.Close(&task)
		}
	}()
	want := traceEvents(t, dir+"/5.10/trace.txt.gz")
	os.WriteFile("/tmp/want.txt", []byte(strings.Join(want, "\n")+"\n"), 0o644)
	os.WriteFile("/tmp/got.txt", []byte(strings.Join(x.out, "\n")+"\n"), 0o644)
	for i := range want {
		if i >= len(x.out) || want[i] != x.out[i] {
			lo := max(0, i-12)
			t.Errorf("event %d of %d differs:\n%s\nwant %s\n got %s", i, len(want), strings.Join(want[lo:i], "\n"), want[i], x.out[min(i, len(x.out)-1)])
			return
		}
	}
}
