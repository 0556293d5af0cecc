package ext4

import "slices"

// conversion is a range of a file whose data is on its way to unwritten blocks. Once it
// is there the blocks become written.
type conversion struct {
	in        *inode // nil once it is done, or no longer needed
	lblk, len uint32
}

// ioEnd is the conversions that one process has taken over from FS.conversions. It waits
// for each file's lock in turn, so others see what it has yet to do: who truncates or
// frees a file must find all of its conversions, wherever they are.
type ioEnd struct{ all []conversion }

// endIO completes what was submitted, of the file only or, where that is nil, of
// all files: the unwritten blocks that now hold data become written
// (ext4_end_io_rsv_work). The caller has locked held, which may be nil.
//
// Deviates from the kernel: a worker does this as IO completes, beside the
// writer; here it is done where the writer waits for the IO, but for what
// convertSent does.
func (fs *FS) endIO(t *task, only, held *inode) {
	if fs.host != nil {
		fs.host.WaitIO()
	}
	mine := fs.takeConversions(only, held)
	fs.ending = append(fs.ending, mine)
	for i := range mine.all {
		c := &mine.all[i]
		in := c.in
		if in == nil {
			continue
		}
		if in != held {
			fs.lock(in)
		}
		if c.in != nil { // nobody else has done it while this process waited
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

// takeConversions takes over the conversions of the file only, also those that other
// processes have taken over and not done, or of all files that nobody else has locked.
func (fs *FS) takeConversions(only, held *inode) *ioEnd {
	mine := new(ioEnd)
	if n := len(fs.spareEnds); n > 0 {
		mine, fs.spareEnds = fs.spareEnds[n-1], fs.spareEnds[:n-1]
		mine.all = mine.all[:0]
	}
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
	others := fs.conversions[:0]
	for _, c := range fs.conversions {
		switch {
		case only != nil && c.in != only, c.in != held && !fs.tryLock(c.in):
			others = append(others, c)
			continue
		case c.in != held:
			fs.unlock(c.in) // only to see that nobody is at work on it
		}
		mine.all = append(mine.all, c)
	}
	fs.conversions = others
	return mine
}

// awaitWriteback completes what was submitted of a file, which the caller has locked,
// before its pages or blocks go: truncating and punching wait for pages under writeback,
// and so does direct IO (truncate_inode_pages_range, filemap_write_and_wait_range).
// Converted later, the blocks would be allocated anew.
func (fs *FS) awaitWriteback(t *task, in *inode) {
	if fs.host != nil && fs.underWriteback(in) {
		fs.endIO(t, in, in)
	}
}

// underWriteback says whether a conversion of the file is still to be done.
func (fs *FS) underWriteback(in *inode) bool {
	of := func(c conversion) bool { return c.in == in }
	return slices.ContainsFunc(fs.conversions, of) ||
		slices.ContainsFunc(fs.ending, func(e *ioEnd) bool { return slices.ContainsFunc(e.all, of) })
}

// forgetIO forgets what was submitted of a file that goes, and that the caller has locked.
//
// Deviates from the kernel: that waits for the IO, and converts the blocks before it
// frees them.
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

// convertUnwritten makes [lblk, lblk+n) written
// (ext4_convert_unwritten_extents).
func (fs *FS) convertUnwritten(t *task, in *inode, lblk, n uint32) {
	if fs.convertBrief(t, in, lblk, n) {
		return
	}
	for n > 0 {
		fs.j.start()
		m := mapping{lblk: lblk, len: n}
		got, e := fs.mapBlocks(t, in, &m, mapIOConvert)
		fs.dirtyInode(t, in)
		if e != 0 || got == 0 {
			return
		}
		lblk += got
		n -= got
	}
}
