package reservation

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// Config is what an Allocator is made of.
type Config struct {
	Geometry allocator.Geometry
	Source   allocator.Source // the file system as it lies on disk
	// Window is the size of a file's first window, in blocks, at most
	// MaxWindow; 0 turns windows off, as the mount option noreservation does.
	Window uint32
	// CPUs are those that share the counter of free blocks. One stands for a
	// kernel built for one, whose counters are exact.
	CPUs         int
	RootReserved uint64 // blocks kept for root (s_r_blocks_count)
}

// group is what is kept of a block group.
type group struct {
	free                     uint32 // bg_free_blocks_count
	stuck                    uint32 // blocks marked by requests that hit the system zone: in use, but counted as free
	read                     bool   // the bitmap was read since mount
	blockBitmap, inodeBitmap allocator.Block
	inodeTable               allocator.Block
	inodeTableBlocks         uint32
	bits                     bitmap.Bits // nil until first looked at
}

// Allocator is ext2's block allocator over one mounted file system.
type Allocator struct {
	cfg     Config
	geo     allocator.Geometry
	groups  []group
	changes allocator.Changes
	windows windows
	free    *allocator.PerCPUCounter // s_freeblocks_counter
	stats   Stats
	past    Stats // of the mounts before
}

// New mounts: all descriptors are read, no bitmap is.
func New(cfg Config) (*Allocator, error) {
	g := &cfg.Geometry
	switch {
	case cfg.CPUs < 1:
		return nil, fmt.Errorf("reservation: %d CPUs", cfg.CPUs)
	case g.ClusterBits != 0:
		return nil, fmt.Errorf("reservation: clusters of %d blocks; ext2 has none", g.ClusterRatio())
	case g.Groups == 0:
		return nil, fmt.Errorf("reservation: no groups")
	case g.Blocks > 1<<32-1:
		return nil, fmt.Errorf("reservation: %d blocks; ext2 has at most 2^32-1", g.Blocks)
	case cfg.Window > MaxWindow:
		return nil, fmt.Errorf("reservation: windows of %d blocks; they have at most %d", cfg.Window, MaxWindow)
	}
	// All descriptors are read, as at an ext2 mount; no bitmap is.
	a := &Allocator{cfg: cfg, geo: cfg.Geometry, groups: make([]group, g.Groups), changes: allocator.NewChanges(g.Groups)}
	total := int64(0)
	for id := range a.groups {
		d := cfg.Source.Desc(allocator.GroupID(id))
		a.groups[id] = group{
			free: d.FreeClusters, blockBitmap: d.BlockBitmap, inodeBitmap: d.InodeBitmap,
			inodeTable: d.InodeTable, inodeTableBlocks: d.InodeTableBlocks,
		}
		total += int64(d.FreeClusters)
	}
	a.free = allocator.NewPerCPUCounter(total, cfg.CPUs)
	a.windows.init()
	return a, nil
}

// Remount forgets what is in memory: which bitmaps were read, and the counts.
// All windows must have been discarded.
func (a *Allocator) Remount() error {
	if w := a.windows.head.next; w != nil {
		return fmt.Errorf("reservation: remount while a file holds blocks [%d, %d]", w.start, w.end)
	}
	// Bitmaps stay in memory, since they are what is on disk, but reading them counts anew.
	for i := range a.groups {
		a.groups[i].read = false
	}
	a.free = allocator.NewPerCPUCounter(a.CountFreeClusters(), a.cfg.CPUs)
	a.past.add(&a.stats)
	a.stats = Stats{}
	return nil
}

// InitWindow prepares a file's window, as the first allocation for an inode in
// memory does (ext2_init_block_alloc_info).
func (a *Allocator) InitWindow(w *Window) { *w = Window{size: a.cfg.Window} }

// DiscardWindow gives the window back: on close by a writer, on truncate, and
// when the inode leaves memory (ext2_discard_reservation).
func (a *Allocator) DiscardWindow(w *Window) {
	if !w.empty() {
		a.stats.WindowsDiscarded++
		a.stats.HitsAtEnd[w.hitClass()]++
		a.windows.remove(w)
	}
}

// Stats are the counts since mount.
func (a *Allocator) Stats() Stats { return a.stats }

// Total are the counts since New, over all mounts: also those of windows that an
// unmount discards.
func (a *Allocator) Total() Stats {
	s := a.past
	s.add(&a.stats)
	return s
}

// FreeClustersOf is the number of free blocks of a group, as its descriptor says.
func (a *Allocator) FreeClustersOf(id allocator.GroupID) uint32 { return a.groups[id].free }

// CountFreeClusters is the number of free blocks: the sum over all descriptors
// (ext2_count_free_blocks).
func (a *Allocator) CountFreeClusters() int64 {
	n := int64(0)
	for i := range a.groups {
		n += int64(a.groups[i].free)
	}
	return n
}

// ApproximateFree is the number of free blocks as the counter has it
// (percpu_counter_read_positive).
func (a *Allocator) ApproximateFree() int64 {
	if a.cfg.CPUs == 1 {
		return a.free.SumPositive()
	}
	return a.free.ReadPositive()
}

// BitmapOf gives the block bitmap of id, read without counting as IO. It must
// not be changed.
func (a *Allocator) BitmapOf(id allocator.GroupID) []uint64 { return a.bits(id, &a.groups[id]) }

func (a *Allocator) bits(id allocator.GroupID, g *group) bitmap.Bits {
	if g.bits == nil {
		g.bits = bitmap.New(int(a.geo.BlocksPerGroup))
		a.cfg.Source.BlockBitmap(id, g.bits)
	}
	return g.bits
}

// loaded is group id with its bitmap (read_block_bitmap).
func (a *Allocator) loaded(id allocator.GroupID) *group {
	g := &a.groups[id]
	if !g.read {
		g.read = true
		a.stats.BitmapLoads++
		a.bits(id, g)
	}
	return g
}

// blocksIn is the number of blocks of a group.
func (a *Allocator) blocksIn(id allocator.GroupID) int { return int(a.geo.ClustersIn(id)) }

// Check recounts what the allocator counts as it goes, and returns what is wrong.
func (a *Allocator) Check() error {
	for id := range a.groups {
		g := &a.groups[id]
		// What was never looked at is as the Source has it.
		if g.bits == nil {
			continue
		}
		// Stuck blocks are in use in the bitmap although the descriptor counts them as
		// free.
		if n := g.bits.CountZero(a.blocksIn(allocator.GroupID(id))); n != int(g.free-g.stuck) {
			return fmt.Errorf("reservation: group %d counts %d free blocks and %d stuck, its bitmap has %d", id, g.free, g.stuck, n)
		}
	}
	if n, total := a.free.Sum(), a.CountFreeClusters(); n != total {
		return fmt.Errorf("reservation: the counter has %d free blocks, the groups %d", n, total)
	}
	return a.windows.check()
}
