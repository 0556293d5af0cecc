package ext4

import (
	"slices"
	"sort"
)

// bufState is the state of the buffer of a dirty block.
type bufState uint8

const (
	bufMapped    bufState = iota + 1 // its place on disk is known
	bufDelayed                       // no place yet (BH_Delay)
	bufUnwritten                     // its place is unwritten (BH_Unwritten)
)

// dirtyRun is a range of dirty blocks in one state.
type dirtyRun struct {
	lblk, len uint32
	state     bufState
}

func (r *dirtyRun) next() uint32 { return r.lblk + r.len }

// pageCache holds the dirty blocks of a file as sorted runs. Clean blocks are
// not kept: a write to one looks its mapping up again, in the status tree, which
// gives what the buffer would have said.
type pageCache struct {
	runs []dirtyRun
}

// at returns the index of the first run that ends behind lblk.
func (c *pageCache) at(lblk uint32) int {
	n := len(c.runs)
	if n == 0 || c.runs[n-1].next() <= lblk {
		return n
	}
	return sort.Search(n, func(i int) bool { return c.runs[i].next() > lblk })
}

// state is the state of block lblk, 0 where it is not dirty.
func (c *pageCache) state(lblk uint32) bufState {
	if i := c.at(lblk); i < len(c.runs) && c.runs[i].lblk <= lblk {
		return c.runs[i].state
	}
	return 0
}

// add makes the clean range [lblk, lblk+n) dirty, in state s.
func (c *pageCache) add(lblk, n uint32, s bufState) {
	i := c.at(lblk)
	// It continues the run before it, and may close the gap to the one behind.
	if i > 0 && c.runs[i-1].next() == lblk && c.runs[i-1].state == s {
		p := &c.runs[i-1]
		p.len += n
		if i < len(c.runs) && c.runs[i].lblk == p.next() && c.runs[i].state == s {
			p.len += c.runs[i].len
			c.runs = slices.Delete(c.runs, i, i+1)
		}
		return
	}
	// It continues into the run behind it.
	if i < len(c.runs) && c.runs[i].lblk == lblk+n && c.runs[i].state == s {
		c.runs[i].lblk, c.runs[i].len = lblk, c.runs[i].len+n
		return
	}
	c.runs = slices.Insert(c.runs, i, dirtyRun{lblk, n, s})
}

// drop makes [lblk, end) clean, and returns the number of blocks in it that were dirty.
func (c *pageCache) drop(lblk, end uint32) uint32 {
	i := c.at(lblk)
	var gone uint32
	if i < len(c.runs) && c.runs[i].lblk < lblk {
		// The first run begins before the range: its front stays, and its end too if it
		// reaches beyond.
		r := c.runs[i]
		c.runs[i].len = lblk - r.lblk
		i++
		if r.next() > end {
			c.runs = slices.Insert(c.runs, i, dirtyRun{end, r.next() - end, r.state})
			return end - lblk
		}
		gone = r.next() - lblk
	}
	// Runs inside the range go as a whole.
	j := i
	for j < len(c.runs) && c.runs[j].next() <= end {
		gone += c.runs[j].len
		j++
	}
	// The last run reaches beyond the range: its end stays.
	if j < len(c.runs) && c.runs[j].lblk < end {
		cut := end - c.runs[j].lblk
		gone += cut
		c.runs[j].lblk += cut
		c.runs[j].len -= cut
	}
	c.runs = slices.Delete(c.runs, i, j)
	return gone
}
