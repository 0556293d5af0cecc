package reservation

import (
	"testing"

	"mbsim/allocator"
	"mbsim/allocator/alloctest"
)

// contract is the allocator as the suite of alloctest sees it.
type contract struct {
	*Allocator
	windows map[int]*Window
}

func (c *contract) Take(r alloctest.Request) (allocator.Block, uint32, bool) {
	q := Request{Goal: r.Goal, Len: r.Len}
	if !r.Plain {
		if q.Window = c.windows[r.File]; q.Window == nil {
			q.Window = new(Window)
			c.InitWindow(q.Window)
			c.windows[r.File] = q.Window
		}
	}
	b, ok := c.NewBlocks(r.CPU, &q)
	return b, q.Len, ok
}

func (c *contract) Give(r alloctest.Request) (atOnce bool) {
	c.FreeBlocks(r.CPU, r.Goal, r.Len)
	return true
}

func (c *contract) Forget(file int) {
	if w := c.windows[file]; w != nil {
		c.DiscardWindow(w)
	}
}

func (c *contract) Settle() {}

func (c *contract) Free() int64                          { return c.CountFreeClusters() }
func (c *contract) FreeOf(id allocator.GroupID) uint32   { return c.FreeClustersOf(id) }
func (c *contract) Bitmap(id allocator.GroupID) []uint64 { return c.BitmapOf(id) }

func TestContract(t *testing.T) {
	for name, window := range map[string]uint32{"windows": DefaultWindow, "large windows": MaxWindow, "noreservation": 0} {
		t.Run(name, func(t *testing.T) {
			alloctest.Run(t, func(d *alloctest.Disk, cpus int) (alloctest.Policy, error) {
				a, err := New(Config{Geometry: d.Geometry, Source: d, Window: window, CPUs: cpus})
				return &contract{a, map[int]*Window{}}, err
			})
		})
	}
}
