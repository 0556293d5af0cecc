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

// settlePages is how many pages a writer must have gathered since its IO left before that
// IO counts as ended and converted. In recordings with one CPU the worker that converts had
// done so in 3001 of 3273 cases with at least so many pages, and in 128 of 245 cases with
// fewer.
const settlePages = 64

// settleRanges is how many ranges the flusher of kernels whose writers go on (Quirks.WriterGoesOn)
// must have begun since the oldest IO left that is not converted yet, before the worker has its
// turn and converts all that has left. See docs/MODEL.md, Races, for what it was counted from.
const settleRanges = 10

// plug is what the block layer holds back of one writer's IO while writepages sends a file
// (blk_start_plug). Requests leave when there are many of them, when another one follows a
// large one, or when the writer is done. That decides which chunks of a file are written,
// so that their blocks can be converted, while later chunks are still to be mapped: the
// last request of a chunk leaves only with one of a later chunk that cannot be merged with
// it.
//
// On a machine with one CPU the worker that converts (ext4_end_io_rsv_work) takes the CPU
// from the writer as soon as IO ends; here that is when the writer has gathered settlePages
// more. In later kernels it lets a writer go on (Quirks.WriterGoesOn), and takes turns with the
// flusher. On a machine with several CPUs the worker races with the writer, and here it always
// loses (docs/MODEL.md, Races).
//
// For sync, and near a full disk, the flusher has one plug for all files that it writes
// (wb_writeback).
//
// Deviates from the kernel: dirty pages that need no mapping make no requests; the number
// of a request's segments has no limit; how long IO takes does not depend on its size; timed
// writeback has a plug for each file; and a writer that sleeps to read a bitmap does not let its
// IO leave.
type plug struct {
	fs        *FS
	flusher   bool                      // the writer is the flusher
	requests  int                       // number of requests held back
	first     int                       // the conversions of this writer are FS.conversions[first:]
	groups    int                       // number of ranges so far
	group     int                       // the range being mapped adds FS.conversions[group:]
	sent      int                       // the IO of FS.conversions[first:sent] has left
	gathered  int64                     // number of blocks that the writer has gathered so far
	sentAt    int64                     // gathered when the oldest IO left that is not converted yet, -1 for none
	sentGroup int                       // groups at that time
	held      [plugRequests]heldRequest // the first n
}

// heldRequest is a request that is held back: len blocks from start on.
type heldRequest struct {
	start allocator.Block
	len   uint32
}

// noRequest is the place of a request that is not held back.
const noRequest = -1

// start begins to hold back what a writer sends (blk_start_plug).
func (p *plug) start(fs *FS, flusher bool) {
	p.fs, p.flusher = fs, flusher
	p.requests, p.groups = 0, 0
	p.first, p.sent, p.group = len(fs.conversions), len(fs.conversions), len(fs.conversions)
	p.gathered, p.sentAt = 0, -1
}

// add makes requests of the blocks of a conversion (blk_mq_submit_bio), which waits for the end of
// their IO from now on.
func (p *plug) add(c conversion) {
	bits := p.fs.geo.BlockBits
	most := uint32(plugRequestBytes >> bits)
	c.group, c.request = p.groups, noRequest
	start, n := c.pblk, c.len
	for n > 0 {
		r := heldRequest{start, min(n, most)}
		start += allocator.Block(r.len)
		n -= r.len
		// What continues a request that is held back makes no new one.
		i := p.merge(r, most)
		if i < 0 {
			// All requests leave before one more is held back, if there are many or the last
			// one is large.
			if p.requests == plugRequests || p.requests > 0 && p.held[p.requests-1].len >= plugFlushBytes>>bits {
				p.flush()
				c.request = noRequest
			}
			i = p.requests
			p.held[i] = r
			p.requests++
		}
		// The first part that is still held back lies lowest, so its IO ends last.
		if c.request == noRequest {
			c.request = i
		}
	}
	p.fs.conversions = append(p.fs.conversions, c)
}

// merge joins r with a request that is held back and adjacent to it, and returns its place in
// held, noRequest if there is none. No request becomes larger than most
// (blk_attempt_plug_merge). The newest are tried first.
func (p *plug) merge(r heldRequest, most uint32) int {
	for i := p.requests - 1; i >= 0; i-- {
		h := &p.held[i]
		// r may continue the request, or come right before it.
		behind := h.start+allocator.Block(h.len) == r.start
		before := r.start+allocator.Block(r.len) == h.start
		if !behind && !before || h.len+r.len > most {
			continue
		}
		if before {
			h.start = r.start
		}
		h.len += r.len
		return i
	}
	return noRequest
}

// next begins the next range. All that it is mapped to ends together, so what was mapped before
// is complete now (ext4_init_io_end).
func (p *plug) next() {
	p.group = len(p.fs.conversions)
	p.groups++
}

// flush sends what is held back (blk_flush_plug_list). From now on the IO of all
// ranges that are complete is on its way.
func (p *plug) flush() {
	p.order()
	p.requests = 0
	// What the range being mapped has added so far leaves too, though it is not complete.
	for i := p.group; i < len(p.fs.conversions); i++ {
		p.fs.conversions[i].request = noRequest
	}
	if p.sent < p.group {
		p.sent = p.group
		if p.sentAt < 0 {
			p.sentAt, p.sentGroup = p.gathered, p.groups
		}
	}
}

// finish sends the rest (blk_finish_plug).
func (p *plug) finish() {
	p.next()
	p.flush()
}

// early says that the worker has not had its turn since IO left.
func (p *plug) early() bool {
	if p.fs.quirks.WriterGoesOn {
		return !p.flusher || p.groups-p.sentGroup < settleRanges
	}
	return p.gathered-p.sentAt < settlePages*int64(p.fs.blocksPerPage)
}

// convertSent converts what has been sent, if its IO has ended. The writer has gathered n
// more blocks, and is about to map them.
func (p *plug) convertSent(t *task, n uint32) {
	fs := p.fs
	if fs.turns != nil {
		fs.convertTurns(t)
		return
	}
	p.gathered += int64(n)
	// Nothing has left, or it is too early, or the worker has no turn.
	if p.sent == p.first || fs.opt.CPUs > 1 || fs.host != nil || p.early() {
		return
	}
	byFile(fs.conversions[p.first:p.sent], fs.firstOfFile)
	for _, c := range fs.conversions[p.first:p.sent] {
		fs.convertUnwritten(t, c.in, c.lblk, c.len)
	}
	fs.conversions = slices.Delete(fs.conversions, p.first, p.sent)
	p.sent, p.sentAt, p.group = p.first, -1, len(fs.conversions)
}
