package latency

// Op is what took the time.
type Op uint8

// The operations, in the order of their metrics.
const (
	Allocation Op = iota // one call of the block allocator, waits for locks and bitmaps included
	Create               // open(2) with O_CREAT
	Write                // write(2) into the page cache, or to the device where it is direct
	Fsync                // fsync(2): writeback of the file, and the commit that it waits for
	Unlink               // unlink(2)

	Ops // how many there are
)

// String is the operation's name in metrics.
func (op Op) String() string {
	return [...]string{"allocation", "create", "write", "fsync", "unlink"}[op]
}
