package ext4

import "mbsim/filesystem/ext4/pagecache"

// Turns say when what the kernel does beside a writer had its turn in a recording that is
// replayed: the flusher that wakes at the first dirty data, the worker that converts unwritten
// extents, and which CPU mapped what. The scheduler and the device decide that by chance. Where
// there are no Turns the rules of plug.go and completion.go decide.
//
// They name ranges of files only, never where a block lies: that is for the file system and its
// allocator to find.
type Turns struct {
	// Ranges are the ranges that writeback mapped, in order (mpage_map_one_extent).
	Ranges []RangeTurn
	// Conversions are the ranges that became written, in order (ext4_convert_unwritten_extents).
	Conversions []ConversionTurn
}

// RangeTurn is a range of a file that writeback mapped.
type RangeTurn struct {
	Line int // of the script, during which it was mapped
	CPU  int // of who mapped it
	// Beside says that the flusher mapped it and nobody waited for that. Steps is how many clusters
	// the writer had reserved, and requests for blocks it had made, in this line by then.
	Beside bool
	Steps  int
	Inode  uint32
	Lblk   uint32 // the first block of the file
	N      uint32 // number of blocks
}

// ConversionTurn is a range of a file that became written.
type ConversionTurn struct {
	Line  int // of the script
	After int // how many ranges had been mapped in this line
	Inode uint32
	Lblk  uint32 // the first block of the file
	N     uint32 // number of blocks
}

// turnTaker gives everybody their turns while a script is performed.
type turnTaker struct {
	Turns  // those that are still to come
	line   int
	steps  int  // reservations and requests of the writer in this line
	mapped int  // ranges that were mapped in this line
	beside bool // the flusher or the worker has its turn, not the writer
}

// step counts a reservation or a request of the writer.
func (x *turnTaker) step() {
	if x != nil && !x.beside {
		x.steps++
	}
}

// BeginLine gives their turn to those who had one at the beginning of a line of the script.
func (fs *FS) BeginLine(line int) {
	x := fs.turns
	x.line, x.steps, x.mapped = line, 0, 0
	fs.takeTurns(new(task))
}

// EndLine gives their turn to those who had one in the line of the script that ends, and have not
// had it.
func (fs *FS) EndLine() {
	x := fs.turns
	for len(x.Ranges) > 0 && x.Ranges[0].Line <= x.line {
		fs.convertTurns(new(task))
		fs.takeRange()
	}
	fs.convertBefore(new(task), x.line+1, 0)
}

// takeTurns gives their turn to those who had one by now: in the line under way, after as many
// steps and ranges as there were. It is called between two pages of a write.
func (fs *FS) takeTurns(t *task) {
	x := fs.turns
	for len(x.Ranges) > 0 {
		r := x.Ranges[0]
		if r.Line != x.line || !r.Beside || r.Steps > x.steps || !fs.isDirty(r.Inode, r.Lblk+r.N-1) {
			break
		}
		fs.convertTurns(t)
		fs.takeRange()
	}
	fs.convertTurns(t)
}

// isDirty says whether a block of a file is dirty.
func (fs *FS) isDirty(number, lblk uint32) bool {
	in := fs.inodes.find(number)
	switch {
	case in == nil:
		return false
	case in.brief.state != notBrief:
		return in.brief.state == briefDelayed && lblk < in.brief.n
	}
	return in.fileMap().cache.State(lblk) != pagecache.Clean
}

// takeRange takes the next range, and lets the flusher map it if that did so beside the writer. A
// range of the writer that the replay has not come to is passed over.
func (fs *FS) takeRange() {
	x := fs.turns
	before := len(x.Ranges)
	if r := x.Ranges[0]; r.Beside {
		x.beside = true
		fs.writeBeside(&r)
		x.beside = false
	}
	// Mapping has taken it, unless there was nothing to map.
	if len(x.Ranges) == before {
		x.Ranges = x.Ranges[1:]
	}
}

// writeBeside lets the flusher map a range of a file, as far as it is dirty (wb_workfn). What lies
// behind it was dirtied later, so that it stays.
func (fs *FS) writeBeside(r *RangeTurn) {
	in := fs.inodes.find(r.Inode)
	if in == nil {
		return
	}
	t := task{CPU: r.CPU}
	var held plug
	held.start(fs, true)
	pos := r.Lblk
	if x, ok := fs.nextExtent(in, &pos, min(r.Lblk+r.N, fs.blocksFor(in.Size))); ok {
		held.next()
		fs.journal.Start()
		// What finds no place stays dirty, and the writer meets the error.
		_, _ = fs.mapAndSubmit(&t, in, x, &held, false)
	}
	held.finish()
	if !in.hasDirty() {
		fs.cleanInode(in)
	}
}

// takeRangeOf counts that a range of a file is mapped now, and returns the CPU to map it on: that of
// its turn, or the caller's own if it had none.
func (fs *FS) takeRangeOf(t *task, in *inode) int {
	x := fs.turns
	x.mapped++
	if len(x.Ranges) == 0 {
		return t.CPU
	}
	r := &x.Ranges[0]
	if r.Inode != in.Number || r.Beside != x.beside || r.Line != x.line && !x.beside {
		return t.CPU
	}
	x.Ranges = x.Ranges[1:]
	return r.CPU
}

// convertTurns converts what has its turn by now.
func (fs *FS) convertTurns(t *task) { fs.convertBefore(t, fs.turns.line, fs.turns.mapped+1) }

// convertBefore converts what had its turn before a line, or in it after fewer ranges than n.
func (fs *FS) convertBefore(t *task, line, n int) {
	x := fs.turns
	for len(x.Conversions) > 0 {
		c := x.Conversions[0]
		if c.Line > line || c.Line == line && c.After >= n {
			return
		}
		x.Conversions = x.Conversions[1:]
		fs.convertTurn(t, &c)
	}
}

// convertTurn converts at once what waits for its conversion in a range of a file. Parts of what
// waits that lie outside of the range wait on.
func (fs *FS) convertTurn(t *task, c *ConversionTurn) {
	in := fs.inodes.find(c.Inode)
	end := c.Lblk + c.N
	// What one event of a trace converts was mapped without a gap, in one piece or in several.
	first, last := end, c.Lblk
	var rest []conversion
	for _, w := range fs.conversions {
		from, to := max(w.lblk, c.Lblk), min(w.lblk+w.len, end)
		if w.in != in || from >= to {
			rest = append(rest, w)
			continue
		}
		if w.lblk < from {
			front := w
			front.len = from - w.lblk
			rest = append(rest, front)
		}
		if to < w.lblk+w.len {
			back := w
			back.lblk, back.len = to, w.lblk+w.len-to
			rest = append(rest, back)
		}
		first, last = min(first, from), max(last, to)
	}
	if first < last {
		fs.conversions = rest
		was := fs.turns.beside
		fs.turns.beside = true
		fs.convertUnwritten(t, in, first, last-first)
		fs.turns.beside = was
	}
}
