package alloctest

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// Owner says what a block is: the file with that number, or one of these.
type Owner int32

// These own a block that no file of the test does.
const (
	Free   Owner = -iota // nobody
	System               // the file system itself
	Other                // a file that was there at mount
	Freed                // nobody, but the freeing is not yet committed
)

// Shape is what a disk looks like. Files of the test have positive numbers.
type Shape struct {
	BlockBits      uint8
	FlexBits       uint8
	Groups         int
	BlocksPerGroup uint32  // a multiple of 8, at least 32
	LastGroup      uint32  // blocks of the last group, at least 16
	Used           []Range // blocks in use at mount, on top of the file system's own
}

// Range is the blocks [Start, Start+Len).
type Range struct {
	Start allocator.Block
	Len   uint32
}

// tableBlocks is the length of the inode table of each group.
const tableBlocks = 3

// Disk is a file system at mount. It implements allocator.Source.
//
// Each group begins with its bitmaps and inode table, group 0 with two blocks
// more for the superblock and the descriptors.
type Disk struct {
	Geometry allocator.Geometry
	owner    []Owner // by block
}

var _ allocator.Source = (*Disk)(nil)

// NewDisk makes a disk.
func NewDisk(s Shape) *Disk {
	// As mke2fs does, blocks of 1 KiB leave block 0 to the boot sector.
	first := allocator.Block(0)
	if s.BlockBits == 10 {
		first = 1
	}
	d := &Disk{Geometry: allocator.Geometry{
		BlockBits: s.BlockBits, FlexBits: s.FlexBits, FirstDataBlock: first,
		Blocks:           first + allocator.Block(s.Groups-1)*allocator.Block(s.BlocksPerGroup) + allocator.Block(s.LastGroup),
		ClustersPerGroup: s.BlocksPerGroup, BlocksPerGroup: s.BlocksPerGroup,
		InodesPerGroup: 16, Groups: allocator.GroupID(s.Groups),
	}}
	d.owner = make([]Owner, d.Geometry.Blocks)
	if first > 0 {
		d.owner[0] = System
	}
	// Blocks in use at mount. The shape may name blocks outside the device, which are left
	// out.
	for _, r := range s.Used {
		for b := r.Start; b < r.Start+allocator.Block(r.Len) && b < d.Geometry.Blocks; b++ {
			if b >= first {
				d.owner[b] = Other
			}
		}
	}
	// The groups' own blocks come last, so that no range in use covers them.
	for id := range d.Geometry.Groups {
		start, n := d.own(id)
		for b := d.Geometry.GroupStart(id); b < start+n; b++ {
			d.owner[b] = System
		}
	}
	return d
}

// own is the range of the bitmaps and the inode table of a group.
func (d *Disk) own(id allocator.GroupID) (start, n allocator.Block) {
	start = d.Geometry.GroupStart(id)
	if id == 0 {
		start += 2
	}
	return start, 2 + tableBlocks
}

// Desc implements allocator.Source.
func (d *Disk) Desc(id allocator.GroupID) allocator.GroupDesc {
	start, _ := d.own(id)
	free := uint32(0)
	first := d.Geometry.GroupStart(id)
	for i := range allocator.Block(d.Geometry.ClustersIn(id)) {
		if d.owner[first+i] == Free {
			free++
		}
	}
	return allocator.GroupDesc{
		BlockBitmap: start, InodeBitmap: start + 1, InodeTable: start + 2, InodeTableBlocks: tableBlocks,
		FreeClusters: free, FreeInodes: d.Geometry.InodesPerGroup,
	}
}

// BlockBitmap implements allocator.Source.
func (d *Disk) BlockBitmap(id allocator.GroupID, bits []uint64) { fill(&d.Geometry, d.owner, id, bits) }

// fill sets the bits of the blocks of a group that are not free, and those past
// its end.
func fill(g *allocator.Geometry, owner []Owner, id allocator.GroupID, bits []uint64) {
	first, n := g.GroupStart(id), int(g.ClustersIn(id))
	// A block that was freed is free on disk although its transaction has not committed.
	for i := range len(bits) * 64 {
		if i >= n || owner[first+allocator.Block(i)] != Free && owner[first+allocator.Block(i)] != Freed {
			bitmap.Bits(bits).Set(i)
		}
	}
}

// InodeBitmap implements allocator.Source: no inode is in use.
func (d *Disk) InodeBitmap(_ allocator.GroupID, bits []uint64) {
	for i := int(d.Geometry.InodesPerGroup); i < len(bits)*64; i++ {
		bitmap.Bits(bits).Set(i)
	}
}

// SystemZone implements allocator.Source.
func (d *Disk) SystemZone(b allocator.Block, n uint32) bool {
	for end := b + allocator.Block(n); b < end; b++ {
		if d.owner[b] == System {
			return true
		}
	}
	return false
}

// Oracle is the plain list of who owns each block while a policy works.
type Oracle struct {
	geo   allocator.Geometry
	owner []Owner
	count map[Owner]int64
}

// NewOracle begins with the disk as it is at mount.
func NewOracle(d *Disk) *Oracle {
	o := &Oracle{geo: d.Geometry, owner: append([]Owner(nil), d.owner...), count: map[Owner]int64{}}
	for _, x := range o.owner {
		o.count[x]++
	}
	return o
}

func (o *Oracle) set(b allocator.Block, to Owner) {
	o.count[o.owner[b]]--
	o.owner[b] = to
	o.count[to]++
}

// Take hands [start, start+n) to a file, and says what forbids that.
func (o *Oracle) Take(file int, start allocator.Block, n uint32) error {
	// Blocks before the one that is wrong keep their new owner: the test ends here.
	for b := start; b < start+allocator.Block(n); b++ {
		if b < o.geo.FirstDataBlock || b >= o.geo.Blocks {
			return fmt.Errorf("block %d is not on the device of [%d, %d)", b, o.geo.FirstDataBlock, o.geo.Blocks)
		}
		if o.owner[b] != Free {
			return fmt.Errorf("block %d is not free, its owner is %d", b, o.owner[b])
		}
		o.set(b, Owner(file))
	}
	return nil
}

// Give takes [start, start+n) back from a file. They are free at once, or when
// Settle is called.
func (o *Oracle) Give(file int, start allocator.Block, n uint32, atOnce bool) error {
	to := Freed
	if atOnce {
		to = Free
	}
	for b := start; b < start+allocator.Block(n); b++ {
		if o.owner[b] != Owner(file) {
			return fmt.Errorf("block %d belongs to %d, not to file %d", b, o.owner[b], file)
		}
		o.set(b, to)
	}
	return nil
}

// Settle makes all freed blocks free.
func (o *Oracle) Settle() {
	if o.count[Freed] == 0 {
		return
	}
	for b := range o.owner {
		if o.owner[b] == Freed {
			o.set(allocator.Block(b), Free)
		}
	}
}

// Free counts the blocks that can be allocated; OnDisk those that the disk has
// free, committed or not.
func (o *Oracle) Free() int64 { return o.count[Free] }

// OnDisk: see Free.
func (o *Oracle) OnDisk() int64 { return o.count[Free] + o.count[Freed] }

// FreeRun is how many free blocks lie in a row from b on inside its group.
func (o *Oracle) FreeRun(b allocator.Block) uint32 {
	id, off := o.geo.GroupOf(b)
	n := uint32(0)
	for n < o.geo.ClustersIn(id)-uint32(off) && o.owner[b+allocator.Block(n)] == Free {
		n++
	}
	return n
}

// Compare holds a policy's counts and bitmaps against the list.
func (o *Oracle) Compare(p Policy) error {
	if err := p.Check(); err != nil {
		return err
	}
	if n := p.Free(); n != o.OnDisk() {
		return fmt.Errorf("the policy counts %d free blocks; there are %d", n, o.OnDisk())
	}
	// Bit for bit, and the group's free count against the list of owners.
	for id := range o.geo.Groups {
		got := p.Bitmap(id)
		want := make([]uint64, len(got))
		fill(&o.geo, o.owner, id, want)
		n := int(o.geo.ClustersIn(id))
		for i := range n {
			if g, w := bitmap.Bits(got).Test(i), bitmap.Bits(want).Test(i); g != w {
				return fmt.Errorf("block %d: in use %v by the policy's bitmap, %v in truth", o.geo.BlockAt(id, allocator.GroupOffset(i)), g, w)
			}
		}
		if free := bitmap.Bits(want).CountZero(n); int(p.FreeOf(id)) != free {
			return fmt.Errorf("group %d: the policy counts %d free blocks; there are %d", id, p.FreeOf(id), free)
		}
	}
	return nil
}
