package pagecache

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// State is the state of the buffer of a dirty block. The zero value is Clean.
type State uint8

// The states of a block.
const (
	Clean     State = iota // it is not dirty
	Mapped                 // its place on disk is known
	Delayed                // it has no place yet (BH_Delay)
	Unwritten              // its place is unwritten (BH_Unwritten)
)

// String names the state.
func (s State) String() string {
	return [...]string{"clean", "mapped", "delayed", "unwritten"}[s]
}

// Run is a range of dirty blocks in one state: the blocks [Lblk, Lblk+Len) of the file.
type Run struct {
	Lblk, Len uint32
	State     State
}

// Next is the block behind the run.
func (r *Run) Next() uint32 { return r.Lblk + r.Len }

// Cache holds the dirty blocks of a file as sorted runs. It may not be copied once it holds
// one. The zero value is empty.
type Cache struct {
	runs  []Run
	first [1]Run // where runs begins: most files need no more
}

// Reset makes all blocks clean.
func (c *Cache) Reset() {
	if c.runs == nil {
		c.runs = c.first[:0]
	}
	c.runs = c.runs[:0]
}

// Runs are the dirty blocks in the order of the file. They are valid until the cache
// changes, and only to read.
func (c *Cache) Runs() []Run { return c.runs }

// Dirty is the number of dirty blocks.
func (c *Cache) Dirty() (n int64) {
	for i := range c.runs {
		n += int64(c.runs[i].Len)
	}
	return n
}

// String lists the runs, as in "0-3 delayed; 4-5 mapped": the first and the last block, and the
// state.
func (c *Cache) String() string {
	var out []string
	for _, r := range c.runs {
		out = append(out, fmt.Sprintf("%d-%d %v", r.Lblk, r.Next()-1, r.State))
	}
	return strings.Join(out, "; ")
}

// At returns the index of the first run that ends behind lblk.
func (c *Cache) At(lblk uint32) int {
	n := len(c.runs)
	if n == 0 || c.runs[n-1].Next() <= lblk {
		return n
	}
	return sort.Search(n, func(i int) bool { return c.runs[i].Next() > lblk })
}

// State is the state of block lblk.
func (c *Cache) State(lblk uint32) State {
	if i := c.At(lblk); i < len(c.runs) && c.runs[i].Lblk <= lblk {
		return c.runs[i].State
	}
	return Clean
}

// Add makes the clean range [lblk, lblk+n) dirty, in state s.
func (c *Cache) Add(lblk, n uint32, s State) {
	i := c.At(lblk)
	// It continues the run before it, and may close the gap to the one behind.
	if i > 0 && c.runs[i-1].Next() == lblk && c.runs[i-1].State == s {
		p := &c.runs[i-1]
		p.Len += n
		if i < len(c.runs) && c.runs[i].Lblk == p.Next() && c.runs[i].State == s {
			p.Len += c.runs[i].Len
			c.runs = slices.Delete(c.runs, i, i+1)
		}
		return
	}
	// It continues into the run behind it.
	if i < len(c.runs) && c.runs[i].Lblk == lblk+n && c.runs[i].State == s {
		c.runs[i].Lblk, c.runs[i].Len = lblk, c.runs[i].Len+n
		return
	}
	c.runs = slices.Insert(c.runs, i, Run{lblk, n, s})
}

// Drop makes [lblk, end) clean, and returns the number of blocks in it that were dirty.
func (c *Cache) Drop(lblk, end uint32) uint32 {
	i := c.At(lblk)
	var gone uint32
	if i < len(c.runs) && c.runs[i].Lblk < lblk {
		// The first run begins before the range: its front stays, and its end too if it
		// reaches beyond.
		r := c.runs[i]
		c.runs[i].Len = lblk - r.Lblk
		i++
		if r.Next() > end {
			c.runs = slices.Insert(c.runs, i, Run{end, r.Next() - end, r.State})
			return end - lblk
		}
		gone = r.Next() - lblk
	}
	// Runs inside the range go as a whole.
	j := i
	for j < len(c.runs) && c.runs[j].Next() <= end {
		gone += c.runs[j].Len
		j++
	}
	// The last run reaches beyond the range: its end stays.
	if j < len(c.runs) && c.runs[j].Lblk < end {
		cut := end - c.runs[j].Lblk
		gone += cut
		c.runs[j].Lblk += cut
		c.runs[j].Len -= cut
	}
	c.runs = slices.Delete(c.runs, i, j)
	return gone
}
