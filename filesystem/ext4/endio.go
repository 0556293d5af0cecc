package ext4

import (
	"slices"

	"mbsim/allocator"
)

// conversion is a range of a file whose data has been sent to unwritten blocks. When the
// data is on disk the blocks become written.
type conversion struct {
	in        *inode // nil once it is done, or no longer needed
	lblk, len uint32
	pblk      allocator.Block
	group     int     // what was mapped together ends together (ext4_init_io_end)
	request   int     // while the IO is held back, plug.held[request] has its first part
	ends      ioOrder // when, among what left together
}

// ofTree says that the conversion changes an extent tree. A brief file has none: its blocks are
// mapped at once, and so are converted at once.
func (c conversion) ofTree() bool { return c.in.brief.state == notBrief }

// ioEnd holds the conversions that one process has taken over from FS.conversions. The
// process waits for the lock of each file in turn, and others run meanwhile. So whoever
// truncates or frees a file must find all of its conversions, wherever they are.
type ioEnd struct{ all []conversion }

// endIO completes what was submitted, of the file only, or of all files if only is nil: the
// unwritten blocks that now hold data become written (ext4_end_io_rsv_work). held is the
// file whose lock the caller has, nil for none.
//
// Deviates from the kernel: there a worker does this as IO ends, beside the writer. Here it
// is done where the writer waits for the IO, or when the flusher is done, except for what
// plug.convertSent does.
func (fs *FS) endIO(t *task, only, held *inode) {
	if fs.host != nil {
		fs.host.WaitIO()
	}
	if fs.turns != nil {
		fs.convertTurns(t)
	}
	// They are taken over before the first lock is waited for, and are visible in
	// fs.ending.
	mine := fs.takeConversions(only, held)
	fs.ending = append(fs.ending, mine)
	for i := range mine.all {
		c := &mine.all[i]
		// Another process may have done it, or the file may have gone.
		in := c.in
		if in == nil {
			continue
		}
		if in != held {
			fs.lock(in)
		}
		if c.in != nil { // nobody else has done it while this process waited for the lock
			c.in = nil
			fs.convertUnwritten(t, in, c.lblk, c.len)
		}
		if in != held {
			fs.unlock(in)
		}
	}
	fs.ending = slices.DeleteFunc(fs.ending, func(e *ioEnd) bool { return e == mine })
	fs.spareEnds = append(fs.spareEnds, mine)
}

// settleIO completes what was submitted as endIO does, where the kernel does not wait for it. So
// with Turns only what has had its turn is completed.
func (fs *FS) settleIO(t *task, only, held *inode) {
	if fs.turns != nil {
		fs.convertTurns(t)
		return
	}
	fs.endIO(t, only, held)
}

// takeConversions takes over conversions. With only set these are the ones of that file,
// also those that other processes have taken over and not done yet. Otherwise they are
// those of all files that no other process has locked.
func (fs *FS) takeConversions(only, held *inode) *ioEnd {
	// An ioEnd is used again, so that writeback allocates no memory.
	mine := new(ioEnd)
	if n := len(fs.spareEnds); n > 0 {
		mine, fs.spareEnds = fs.spareEnds[n-1], fs.spareEnds[:n-1]
		mine.all = mine.all[:0]
	}
	// What others have taken over is marked as done with them.
	if only != nil {
		for _, e := range fs.ending {
			for i := range e.all {
				if c := &e.all[i]; c.in == only {
					mine.all = append(mine.all, *c)
					c.in = nil
				}
			}
		}
	}
	// Of the rest those stay that are of other files, or of files that another process is
	// at work on.
	others := fs.conversions[:0]
	for _, c := range fs.conversions {
		if only != nil && c.in != only || fs.lockedByOther(c.in, held) {
			others = append(others, c)
			continue
		}
		mine.all = append(mine.all, c)
	}
	fs.conversions = others
	if fs.host == nil {
		byFile(mine.all, fs.firstOfFile)
	}
	return mine
}

// lockedByOther says whether a process other than the caller, who has locked held, has locked
// the file. It tries the lock and gives it back at once.
func (fs *FS) lockedByOther(in, held *inode) bool {
	if in == held {
		return false
	}
	if !fs.tryLock(in) {
		return true
	}
	fs.unlock(in)
	return false
}

// awaitWriteback completes what was submitted of a file, which the caller has locked,
// before its pages or blocks go. Truncating, punching and direct IO wait for pages under
// writeback (truncate_inode_pages_range, filemap_write_and_wait_range). A conversion that
// came later would allocate the blocks anew.
func (fs *FS) awaitWriteback(t *task, in *inode) {
	if (fs.host != nil || fs.turns != nil) && fs.underWriteback(in) {
		fs.endIO(t, in, in)
	}
}

// underWriteback says whether a conversion of the file is still to be done, by whichever
// process.
func (fs *FS) underWriteback(in *inode) bool {
	of := func(c conversion) bool { return c.in == in }
	return slices.ContainsFunc(fs.conversions, of) ||
		slices.ContainsFunc(fs.ending, func(e *ioEnd) bool { return slices.ContainsFunc(e.all, of) })
}

// forgetIO forgets what was submitted of a file that is about to be freed, and that the
// caller has locked. Without a Host nothing is ever left.
//
// Deviates from the kernel: that waits for the IO, and converts the blocks before it frees
// them.
func (fs *FS) forgetIO(in *inode) {
	if fs.host == nil {
		return
	}
	fs.conversions = slices.DeleteFunc(fs.conversions, func(c conversion) bool { return c.in == in })
	for _, e := range fs.ending {
		for i := range e.all {
			if e.all[i].in == in {
				e.all[i].in = nil
			}
		}
	}
}

// convertUnwritten makes [lblk, lblk+n) written (ext4_convert_unwritten_extents).
func (fs *FS) convertUnwritten(t *task, in *inode, lblk, n uint32) {
	// Extent after extent. An error ends it and is dropped, as in ext4_end_io_end, where it
	// is only logged: the blocks then stay unwritten.
	for n > 0 {
		fs.journal.Start()
		m := mapping{lblk: lblk, len: n}
		f := mapIOConvert
		if fs.quirks.WritebackCachesNothing {
			f |= mapNoCache
		}
		got, e := fs.mapBlocks(t, in, &m, f)
		fs.dirtyInode(t, in)
		if e != 0 || got == 0 {
			return
		}
		// Blocks whose data was on its way are there: to convert a hole would allocate it.
		// That somebody took them away meanwhile, Check tells.
		if m.state&stateNew != 0 {
			fs.holesConverted++
		}
		lblk += got
		n -= got
	}
}
