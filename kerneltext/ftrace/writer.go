package ftrace

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/workload"
)

// device is how the recorder's disk is numbered: the first virtio disk.
const device = "dev 254,0"

// Writer writes events. It implements the observers of mballoc and ext4.
type Writer struct {
	w   *bufio.Writer
	n   int
	cpu int
	pid int
}

// NewWriter writes to w what the process pid causes. Flush reports errors.
func NewWriter(w io.Writer, pid int) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, 1<<16), pid: pid}
}

// Flush writes what is buffered.
func (x *Writer) Flush() error { return x.w.Flush() }

// head writes a line up to the name of its event.
func (x *Writer) head(name string) {
	x.n++
	task := fmt.Sprintf("guest-%d", x.pid)
	fmt.Fprintf(x.w, "%20s     [%03d] .... %12d: %s: ", task, x.cpu, x.n, name)
}

// event writes a whole line of an event of ext4 or jbd2.
func (x *Writer) event(name, format string, a ...any) {
	// Events of ext4 and jbd2 begin with the device.
	x.head(name)
	fmt.Fprintf(x.w, device+" "+format+"\n", a...)
}

// Operation marks the beginning of an operation of a script.
func (x *Writer) Operation(op *workload.Op) {
	// From this operation on the process runs on another CPU.
	if op.Kind == workload.CPU {
		x.cpu = op.N
	}
	x.head("tracing_mark_write")
	fmt.Fprintf(x.w, "line %d %s\n", op.Line, workload.FormatOp(*op))
}

// Request implements mballoc.Observer.
func (x *Writer) Request(r *mballoc.Request) {
	x.event("ext4_request_blocks", "ino %d flags %s len %d lblk %d goal %d lleft %d lright %d pleft %d pright %d ",
		r.Inode.Number, r.Flags, r.Len, r.Logical, r.Goal, r.Lleft, r.Lright, r.Pleft, r.Pright)
}

// Allocated implements mballoc.Observer.
func (x *Writer) Allocated(r *mballoc.Request, b allocator.Block) {
	x.event("ext4_allocate_blocks", "ino %d flags %s len %d block %d lblk %d goal %d lleft %d lright %d pleft %d pright %d",
		r.Inode.Number, r.Flags, r.Len, b, r.Logical, r.Goal, r.Lleft, r.Lright, r.Pleft, r.Pright)
}

// place is an extent as the kernel prints it: group, start, length and block of the file.
func place(e mballoc.Extent) string {
	return fmt.Sprintf("%d/%d/%d@%d", e.Group, e.Start, e.Len, e.Logical)
}

// criteria is the criterion of a search as the kernel prints it: by name, or by number.
func criteria(d *mballoc.Decision) string {
	if d.Rung != nil && d.Rung.Traced != "" {
		return d.Rung.Traced
	}
	return strconv.Itoa(d.Criteria)
}

// Decided implements mballoc.Observer.
func (x *Writer) Decided(d *mballoc.Decision) {
	// The kernel has an event of its own for requests that needed no search
	// (ext4_mb_collect_stats).
	if !d.Searched {
		x.event("ext4_mballoc_prealloc", "inode %d orig %s result %s", d.Inode, place(d.Orig), place(d.Best))
		return
	}
	x.event("ext4_mballoc_alloc", "inode %d orig %s goal %s result %s blks %d grps %d cr %s flags %s tail %d broken %d",
		d.Inode, place(d.Orig), place(d.Goal), place(d.Result), d.Found, d.Groups, criteria(d), d.Flags, d.Tail, d.Buddy)
}

// NewInodePA implements mballoc.Observer.
func (x *Writer) NewInodePA(inode uint32, b allocator.Block, n, logical uint32) {
	x.event("ext4_mb_new_inode_pa", "ino %d pstart %d len %d lstart %d", inode, b, n, logical)
}

// NewGroupPA implements mballoc.Observer.
func (x *Writer) NewGroupPA(inode uint32, b allocator.Block, n uint32) {
	x.event("ext4_mb_new_group_pa", "ino %d pstart %d len %d lstart %d", inode, b, n, b)
}

// ReleaseInodePA implements mballoc.Observer.
func (x *Writer) ReleaseInodePA(inode uint32, b allocator.Block, n uint32) {
	x.event("ext4_mb_release_inode_pa", "ino %d block %d count %d", inode, b, n)
}

// ReleaseGroupPA implements mballoc.Observer.
func (x *Writer) ReleaseGroupPA(b allocator.Block, n uint32) {
	x.event("ext4_mb_release_group_pa", "pstart %d len %d", b, n)
}

// Discard implements mballoc.Observer.
func (x *Writer) Discard(id allocator.GroupID, start, n int) {
	x.event("ext4_mballoc_discard", "inode 0 extent %d/%d/%d ", id, start, n)
}

// DiscardForSpace implements mballoc.Observer.
func (x *Writer) DiscardForSpace(needed int) {
	x.event("ext4_mb_discard_preallocations", "needed %d", needed)
}

// Free implements mballoc.Observer.
func (x *Writer) Free(inode uint32, id allocator.GroupID, start, n int) {
	x.event("ext4_mballoc_free", "inode %d extent %d/%d/%d ", inode, id, start, n)
}

// BitmapRead implements mballoc.Observer.
func (x *Writer) BitmapRead(id allocator.GroupID, ahead bool) {
	n := 0
	if ahead {
		n = 1
	}
	x.event("ext4_read_block_bitmap_load", "group %d prefetch %d", id, n)
}

// BuddyLoaded implements mballoc.Observer: the kernel initializes the page of
// the bitmap, then that of the buddy.
func (x *Writer) BuddyLoaded(id allocator.GroupID) {
	x.event("ext4_mb_bitmap_load", "group %d", id)
	x.event("ext4_mb_buddy_bitmap_load", "group %d", id)
}

// InodeAllocated implements ext4.Observer.
func (x *Writer) InodeAllocated(number, parent, mode uint32) {
	x.event("ext4_allocate_inode", "ino %d dir %d mode 0%o", number, parent, mode)
}

// WritePagesExtent implements ext4.Observer.
func (x *Writer) WritePagesExtent(number, lblk, n uint32) {
	x.event("ext4_da_write_pages_extent", "ino %d lblk %d len %d flags ", number, lblk, n)
}

// Commit implements ext4.Observer.
func (x *Writer) Commit(tid uint64) {
	x.event("jbd2_start_commit", "transaction %d sync 0", tid)
}
