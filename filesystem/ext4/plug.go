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

// plug is what the block layer holds back of one writer's IO while writepages sends a
// file (blk_start_plug): until there are many requests, until another one follows a large
// one, or until the writer is done. It decides which chunks of a file can be written, and
// their blocks be converted, while later chunks are yet to be mapped: the last request of
// a chunk leaves with one of a later chunk that cannot be merged with it.
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
type plug struct {
	fs       *FS
	n        int                   // requests held back
	first    int                   // which of FS.conversions are this writer's: from here on
	sent     int                   // and up to here the IO of these has left
	gathered int64                 // blocks that the writer has gathered so far
	sentAt   int64                 // how many that were when the IO left that is not converted, -1 for none
	held     [plugRequests]plugged // the first n
}

// plugged is a request that is held back.
type plugged struct {
	start allocator.Block
	len   uint32
}

// start begins to hold back what a writer sends (blk_start_plug).
func (p *plug) start(fs *FS) {
	p.fs = fs
	p.n = 0
	p.first, p.sent = len(fs.conversions), len(fs.conversions)
	p.gathered, p.sentAt = 0, -1
}

// add makes requests of n blocks from start on (blk_mq_submit_bio).
func (p *plug) add(start allocator.Block, n uint32) {
	bits := p.fs.geo.BlockBits
	most := uint32(plugRequestBytes >> bits)
	for n > 0 {
		r := plugged{start, min(n, most)}
		start += allocator.Block(r.len)
		n -= r.len
		if p.merge(r, most) {
			continue
		}
		if p.n == plugRequests || p.n > 0 && p.held[p.n-1].len >= plugFlushBytes>>bits {
			p.flush()
		}
		p.held[p.n] = r
		p.n++
	}
}

// merge joins r with a request that is held back and next to it, if no
// request becomes larger than most (blk_attempt_plug_merge).
func (p *plug) merge(r plugged, most uint32) bool {
	for i := p.n - 1; i >= 0; i-- {
		h := &p.held[i]
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

// flush sends what is held back (blk_flush_plug_list): all conversions noted so far
// can go ahead.
func (p *plug) flush() {
	p.n = 0
	if p.sent < len(p.fs.conversions) {
		p.sent = len(p.fs.conversions)
		if p.sentAt < 0 {
			p.sentAt = p.gathered
		}
	}
}

// convertSent converts what has been sent. The writer has gathered n more blocks, and is
// about to map them.
func (p *plug) convertSent(t *task, n uint32) {
	fs := p.fs
	p.gathered += int64(n)
	if p.sent == p.first || fs.opt.CPUs > 1 || fs.host != nil || p.gathered-p.sentAt < settlePages*int64(fs.blocksPerPage) {
		return
	}
	for _, c := range fs.conversions[p.first:p.sent] {
		fs.convertUnwritten(t, c.in, c.lblk, c.len)
	}
	fs.conversions = slices.Delete(fs.conversions, p.first, p.sent)
	p.sent, p.sentAt = p.first, -1
}
