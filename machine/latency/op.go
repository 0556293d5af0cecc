package latency

import (
	"fmt"

	"mbsim/internal/nearest"
)

// Op is what took the time.
type Op uint8

// The operations, in the order in which they are listed and written.
const (
	Allocation Op = iota
	Create
	Open
	Read
	Write
	Fsync
	Truncate
	Fallocate
	Close
	Unlink
	Mkdir
	Rmdir
	Rename
	Sync

	JournalWait
	Commit
	Writeback
	BitmapRead

	DeviceRead
	DeviceWrite
	DeviceWriteback
	DeviceFlush

	ops
)

// Info describes an operation.
type Info struct {
	Name string
	Doc  string
}

var infos = [ops]Info{
	Allocation: {"allocation", "One call of the block allocator, waits for locks and bitmaps included."},
	Create:     {"create", "open(2) with O_CREAT of a file that did not exist."},
	Open:       {"open", "open(2) of a file that exists."},
	Read:       {"read", "read(2)."},
	Write:      {"write", "write(2) into the page cache, or to the device where it is direct."},
	Fsync:      {"fsync", "fsync(2): writeback of the file and the commit it waits for."},
	Truncate:   {"truncate", "ftruncate(2)."},
	Fallocate:  {"fallocate", "fallocate(2)."},
	Close:      {"close", "close(2)."},
	Unlink:     {"unlink", "unlink(2)."},
	Mkdir:      {"mkdir", "mkdir(2)."},
	Rmdir:      {"rmdir", "rmdir(2)."},
	Rename:     {"rename", "rename(2)."},
	Sync:       {"sync", "syncfs(2)."},

	JournalWait: {"journal_wait", "Waiting for a handle of the journal while a commit keeps new ones out."},
	Commit:      {"commit", "A commit of the journal, from its start to the flush behind its commit block."},
	Writeback:   {"writeback", "One pass of a flusher thread over a file."},
	BitmapRead:  {"bitmap_read", "Waiting for a block bitmap to come from the device."},

	DeviceRead:      {"device_read", "A read of the device, from submission to completion."},
	DeviceWrite:     {"device_write", "A write that somebody waits for, from submission to completion."},
	DeviceWriteback: {"device_writeback", "A write that nobody waits for, from submission to completion."},
	DeviceFlush:     {"device_flush", "A flush of the device's write cache."},
}

// List is the descriptions of all operations, in the order of their constants.
func List() []Info { return append([]Info(nil), infos[:]...) }

// Find is the operation of that name.
func Find(name string) (Op, error) {
	names := make([]string, ops)
	for op := range ops {
		if infos[op].Name == name {
			return op, nil
		}
		names[op] = infos[op].Name
	}
	if best, near := nearest.Of(name, names); near {
		return 0, fmt.Errorf("unknown latency %q, did you mean %q?", name, best)
	}
	return 0, fmt.Errorf("unknown latency %q", name)
}

// String is the operation's name.
func (op Op) String() string {
	if op >= ops {
		return fmt.Sprintf("latency.Op(%d)", uint8(op))
	}
	return infos[op].Name
}
