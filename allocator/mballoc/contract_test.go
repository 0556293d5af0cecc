package mballoc_test

import (
	"fmt"
	"testing"

	"mbsim/allocator"
	"mbsim/allocator/alloctest"
	"mbsim/allocator/mballoc"
)

// contract is the allocator as the suite of alloctest sees it: files that are
// appended to and stay open for writing.
type contract struct {
	*mballoc.Allocator
	blockSize int64
	files     map[int]*contractFile
	tid       uint64 // the transaction that frees blocks
}

type contractFile struct {
	mballoc.Inode
	end  uint32          // its blocks are [0, end)
	last allocator.Block // where the last of them lies
}

func (c *contract) file(number int, plain bool) *contractFile {
	key := number
	if plain {
		key = -number
	}
	f := c.files[key]
	if f == nil {
		f = &contractFile{Inode: mballoc.Inode{Number: uint32(number), Regular: !plain, Extents: true, Writers: 1}}
		c.files[key] = f
	}
	return f
}

func (c *contract) Take(r alloctest.Request) (allocator.Block, uint32, bool) {
	f := c.file(r.File, r.Plain)
	q := mballoc.Request{Inode: &f.Inode, Goal: r.Goal, Logical: f.end, Len: r.Len, Flags: mballoc.HintTryGoal}
	if !r.Plain {
		q.Flags |= mballoc.HintData
		if f.end > 0 {
			q.Lleft, q.Pleft = f.end-1, f.last
		}
	}
	b, ok := c.NewBlocks(r.CPU, &q)
	if ok {
		f.end += q.Len
		f.last = b + allocator.Block(q.Len) - 1
		f.Size = int64(f.end) * c.blockSize
	}
	return b, q.Len, ok
}

// Give frees as truncate and punch hole do: preallocations go first, since one
// knows how many of its blocks were used.
func (c *contract) Give(r alloctest.Request) (atOnce bool) {
	c.Forget(r.File)
	c.FreeBlocks(r.CPU, &c.file(r.File, false).Inode, r.Goal, r.Len, 0, c.tid)
	return false
}

func (c *contract) Forget(file int) { c.DiscardInode(0, &c.file(file, false).Inode, 0) }

func (c *contract) Settle() {
	c.Committed(c.tid)
	c.tid++
}

func (c *contract) Free() int64                          { return c.CountFreeClusters() }
func (c *contract) FreeOf(id allocator.GroupID) uint32   { return c.FreeClustersOf(id) }
func (c *contract) Bitmap(id allocator.GroupID) []uint64 { return c.BitmapOf(id) }

// Check: mballoc checks itself with the build tag invariants.
func (c *contract) Check() error { return nil }

func TestContract(t *testing.T) {
	for _, k := range mballoc.Kernels() {
		for _, lists := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/mb_optimize_scan=%t", k.Name, lists), func(t *testing.T) {
				alloctest.Run(t, func(d *alloctest.Disk, cpus int) (alloctest.Policy, error) {
					flex := d.Geometry.FlexBits > 0
					a, err := mballoc.New(mballoc.Config{
						Geometry: d.Geometry, Source: d, Kernel: k, OptimizeScan: lists,
						Tunables: k.DefaultTunables(&d.Geometry, flex), CPUs: cpus, FlexFeature: flex,
					})
					return &contract{a, d.Geometry.BlockSize(), map[int]*contractFile{}, 1}, err
				})
			})
		}
	}
}
