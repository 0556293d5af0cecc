package ext4

import (
	"slices"

	"mbsim/allocator"
)

// What the block layer of Linux 5.10.223 holds back of a writer's IO.
const (
	plugRequests     = 32         // at most so many requests (BLK_MAX_REQUEST_COUNT)
	plugFlushBytes   = 128 << 10  // a request as large as this is the last one (BLK_PLUG_FLUSH_SIZE)
	plugRequestBytes = 1280 << 10 // the largest request (max_sectors_kb)
)

// settlePages is how many pages a writer must have gathered since its IO left for that
// to have ended. In recordings with one CPU the worker came first in 3001 of 3273 cases
// with so many, and in 128 of 245 with fewer.
const settlePages = 64

// plugged is a request of a writer that the block layer holds back (blk_start_plug):
// until there are many, until another one follows a large one, or until the writer is
// done. It decides which chunks of a file can be written, and their blocks be
// converted, while later chunks are yet to be mapped: the last request of a chunk
// leaves with one of a later chunk that cannot be merged with it.
//
// Where the machine has one CPU, the worker that converts (ext4_end_io_rsv_work)
// takes it from the writer as soon as IO ends: here once the writer has gathered
// settlePages more. Where it has several, whether the worker on another CPU is faster
// than the writer is anybody's guess, and it never is here (docs/MODEL.md, Races).
//
// Deviates from the kernel: dirty pages that need no mapping make no requests, the
// number of a request's segments has no limit, how long IO takes does not depend on
// its size, the flusher does not hold back IO from one file to the next, and reading a
// bitmap, for which a writer sleeps, lets nothing leave.
type plugged struct {
	start allocator.Block
	len   uint32
}

// startPlug begins to hold back what writepages sends of a file. It returns which
// conversions will be of it: this one and those that follow (blk_start_plug).
func (fs *FS) startPlug() int {
	fs.plugged = fs.plugged[:0]
	fs.sent = len(fs.conversions)
	fs.gathered, fs.sentAt = 0, -1
	return fs.sent
}

// plug makes requests of n blocks from start on (blk_mq_submit_bio).
func (fs *FS) plug(start allocator.Block, n uint32) {
	bits := fs.geo.BlockBits
	most := uint32(plugRequestBytes >> bits)
	for n > 0 {
		r := plugged{start, min(n, most)}
		start += allocator.Block(r.len)
		n -= r.len
		if fs.mergePlugged(r, most) {
			continue
		}
		if last := len(fs.plugged) - 1; last+1 >= plugRequests || last >= 0 && fs.plugged[last].len >= plugFlushBytes>>bits {
			fs.unplug()
		}
		fs.plugged = append(fs.plugged, r)
	}
}

// mergePlugged joins r with a request that is held back and next to it, if no
// request becomes larger than most (blk_attempt_plug_merge).
func (fs *FS) mergePlugged(r plugged, most uint32) bool {
	for i := len(fs.plugged) - 1; i >= 0; i-- {
		h := &fs.plugged[i]
		behind := h.start+allocator.Block(h.len) == r.start
		before := r.start+allocator.Block(r.len) == h.start
		if !behind && !before || h.len+r.len > most {
			continue
		}
		if before {
			h.start = r.start
		}
		h.len += r.len
		return true
	}
	return false
}

// unplug sends what is held back (blk_flush_plug_list): all conversions noted so far
// can go ahead.
func (fs *FS) unplug() {
	fs.plugged = fs.plugged[:0]
	if fs.sent < len(fs.conversions) {
		fs.sent = len(fs.conversions)
		if fs.sentAt < 0 {
			fs.sentAt = fs.gathered
		}
	}
}

// convertSent converts what has been sent, from the first conversion of the writer's
// file on. The writer has gathered n more blocks, and is about to map them.
func (fs *FS) convertSent(t *task, first int, n uint32) {
	fs.gathered += int64(n)
	if fs.sent == first || fs.opt.CPUs > 1 || fs.host != nil || fs.gathered-fs.sentAt < settlePages*int64(fs.blocksPerPage) {
		return
	}
	for _, c := range fs.conversions[first:fs.sent] {
		fs.convertUnwritten(t, c.in, c.lblk, c.len)
	}
	fs.conversions = slices.Delete(fs.conversions, first, fs.sent)
	fs.sent, fs.sentAt = first, -1
}
