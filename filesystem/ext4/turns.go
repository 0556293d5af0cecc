package ext4

import (
	"slices"

	"mbsim/filesystem/ext4/pagecache"
)

// Turns say when what the kernel does beside a writer had its turn, in a recording that is
// replayed: the flusher that wakes at the first dirty data, the worker that converts unwritten
// extents, and which CPU each ran on. The scheduler and the device decide that by chance. Where
// there are no Turns the rules of plug.go and completion.go decide.
//
// They name ranges of files only, never where a block lies: that stays for the file system and
// its allocator to find.
type Turns struct {
	// Ranges are the ranges that were mapped by writeback, in order (mpage_map_one_extent).
	Ranges []RangeTurn
	// Conversions are the ranges that became written, in order.
	Conversions []ConversionTurn

	line     int  // of the script
	reserved int  // clusters that were reserved so far for writes of this line
	next     int  // the next of Ranges
	mapped   int  // ranges of this line that were mapped
	convert  int  // the next of Conversions
	beside   bool // the flusher maps a range beside the writer
}

// RangeTurn is a range that writeback has mapped.
type RangeTurn struct {
	Line int // of the script, during which it was mapped
	CPU  int // of who mapped it
	// Beside says that the flusher mapped it without being waited for; Reserved is how many
	// clusters the writer had reserved in this line before.
	Beside   bool
	Reserved int
	Inode    uint32
	Lblk, N  uint32 // blocks of the file
}

// ConversionTurn is a range of a file that has become written.
type ConversionTurn struct {
	Line    int // of the script
	After   int // how many ranges were mapped in this line before
	Inode   uint32
	Lblk, N uint32 // blocks of the file
}

// BeginLine does what had its turn at the beginning of a line of the script.
func (fs *FS) BeginLine(line int) {
	turns := fs.opt.Turns
	turns.line, turns.reserved, turns.mapped = line, 0, 0
	fs.takeTurns(new(task))
}

// EndLine does what had its turn in the line of the script that ends, and has not been done.
func (fs *FS) EndLine() {
	turns := fs.opt.Turns
	for turns.next < len(turns.Ranges) && turns.Ranges[turns.next].Line <= turns.line {
		fs.convertTurns(new(task))
		fs.takeRange()
	}
	fs.convertBefore(new(task), turns.line+1, 0)
}

// takeTurns does what has its turn now: in the line under way, after as many reservations and
// ranges as there were. It does so between two pages of a write.
func (fs *FS) takeTurns(t *task) {
	turns := fs.opt.Turns
	for turns.next < len(turns.Ranges) {
		r := turns.Ranges[turns.next]
		if r.Line != turns.line || !r.Beside || r.Reserved > turns.reserved || !fs.dirtyUpTo(&r) {
			break
		}
		fs.convertTurns(t)
		fs.takeRange()
	}
	fs.convertTurns(t)
}

// dirtyUpTo says whether the writer has dirtied the last block of a range.
func (fs *FS) dirtyUpTo(r *RangeTurn) bool {
	in := fs.inodes.find(r.Inode)
	if in == nil {
		return false
	}
	last := r.Lblk + r.N - 1
	if in.brief.state != notBrief {
		return in.brief.state == briefDelayed && last < in.brief.n
	}
	return in.fileMap().cache.State(last) != pagecache.Clean
}

// takeRange takes the next of Ranges, and lets the flusher map it if that did so beside the
// writer. One that the replay did not come to is passed over.
func (fs *FS) takeRange() {
	turns := fs.opt.Turns
	at := turns.next
	if r := &turns.Ranges[at]; r.Beside {
		turns.beside = true
		fs.writeBeside(r)
		turns.beside = false
	}
	if turns.next == at {
		turns.next++
	}
}

// writeBeside lets the flusher map a range of a file that is dirty (wb_workfn).
func (fs *FS) writeBeside(r *RangeTurn) {
	in := fs.inodes.find(r.Inode)
	if in == nil {
		return
	}
	t := task{CPU: r.CPU}
	// One range only, as what is behind it may be dirtied meanwhile.
	var held plug
	held.start(fs, true)
	pos := r.Lblk
	x, ok := fs.nextExtent(in, &pos, min(r.Lblk+r.N, fs.blocksFor(in.Size)))
	if ok {
		held.next()
		fs.journal.Start()
		// What finds no place stays dirty, for the writer to fail with.
		_, _ = fs.mapAndSubmit(&t, in, x, &held, false)
	}
	held.finish()
	if !in.hasDirty() {
		fs.cleanInode(in)
	}
}

// turnOf counts that a range of a file is mapped now, and returns the CPU to map it on: that of
// its turn, or else the caller's own.
func (fs *FS) turnOf(t *task, in *inode) int {
	turns := fs.opt.Turns
	turns.mapped++
	if turns.next < len(turns.Ranges) {
		r := &turns.Ranges[turns.next]
		if r.Inode == in.Number && r.Beside == turns.beside && (r.Line == turns.line || turns.beside) {
			turns.next++
			return r.CPU
		}
	}
	return t.CPU
}

// convertTurns converts what has its turn by now.
func (fs *FS) convertTurns(t *task) {
	turns := fs.opt.Turns
	fs.convertBefore(t, turns.line, turns.mapped+1)
}

// convertBefore converts what has its turn before a line, or in it after fewer ranges than n.
func (fs *FS) convertBefore(t *task, line, n int) {
	turns := fs.opt.Turns
	for ; turns.convert < len(turns.Conversions); turns.convert++ {
		c := &turns.Conversions[turns.convert]
		if c.Line > line || c.Line == line && c.After >= n {
			return
		}
		fs.convertTurn(t, c)
	}
}

// convertTurn converts what waits for its conversion in a range of a file. Parts of what waits
// that lie outside stay.
func (fs *FS) convertTurn(t *task, c *ConversionTurn) {
	end := c.Lblk + c.N
	for i := 0; i < len(fs.conversions); i++ {
		w := fs.conversions[i]
		from, to := max(w.lblk, c.Lblk), min(w.lblk+w.len, end)
		if w.in.Number != c.Inode || from >= to {
			continue
		}
		// The parts before and behind the range wait on.
		var rest []conversion
		if w.lblk < from {
			front := w
			front.len = from - w.lblk
			rest = append(rest, front)
		}
		if to < w.lblk+w.len {
			back := w
			back.len = w.lblk + w.len - to
			back.lblk = to
			rest = append(rest, back)
		}
		fs.conversions = slices.Replace(fs.conversions, i, i+1, rest...)
		i += len(rest) - 1
		fs.convertUnwritten(t, w.in, from, to-from)
	}
}
