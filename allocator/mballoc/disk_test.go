package mballoc

import (
	"testing"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// Disk is a file system as tests lay it out: everything is free but what they
// take. It implements allocator.Source.
type Disk struct {
	Geo    allocator.Geometry
	Uninit []bool
	groups []bitmap.Bits // nil where nothing is taken
	descs  int           // descriptors asked for
}

// NewDisk lays out groups of clusters each, without metadata. last, if not 0, is
// the number of clusters of the last group.
func NewDisk(blockBits, clusterBits, flexBits uint8, clusters uint32, groups allocator.GroupID, last uint32) *Disk {
	g := allocator.Geometry{
		BlockBits: blockBits, ClusterBits: clusterBits, FlexBits: flexBits,
		ClustersPerGroup: clusters, BlocksPerGroup: clusters << clusterBits, InodesPerGroup: 256, Groups: groups,
	}
	if blockBits == 10 && clusterBits == 0 {
		g.FirstDataBlock = 1
	}
	if last == 0 {
		last = clusters
	}
	g.Blocks = g.FirstDataBlock + allocator.Block(groups-1)*allocator.Block(g.BlocksPerGroup) + allocator.Block(last)<<clusterBits
	return &Disk{Geo: g, Uninit: make([]bool, groups), groups: make([]bitmap.Bits, groups)}
}

// Take marks n clusters of group id used, from start on.
func (d *Disk) Take(id allocator.GroupID, start, n int) {
	if d.groups[id] == nil {
		d.groups[id] = bitmap.New(8 << d.Geo.BlockBits)
	}
	d.groups[id].SetRange(start, n)
}

// Free marks all clusters of group id used but for those of ranges
// {start, length}.
func (d *Disk) Free(id allocator.GroupID, ranges ...[2]int) {
	d.Take(id, 0, int(d.Geo.ClustersIn(id)))
	for _, r := range ranges {
		d.groups[id].ClearRange(r[0], r[1])
	}
}

// Desc implements allocator.Source.
func (d *Disk) Desc(id allocator.GroupID) allocator.GroupDesc {
	d.descs++
	n := d.Geo.ClustersIn(id)
	if b := d.groups[id]; b != nil {
		n = uint32(b.CountZero(int(n)))
	}
	return allocator.GroupDesc{FreeClusters: n, FreeInodes: d.Geo.InodesPerGroup, BlockUninit: d.Uninit[id]}
}

// BlockBitmap implements allocator.Source.
func (d *Disk) BlockBitmap(id allocator.GroupID, bits []uint64) {
	b := bitmap.Bits(bits)
	copy(b, d.groups[id])
	n := int(d.Geo.ClustersIn(id))
	b.SetRange(n, len(b)*64-n)
}

// InodeBitmap implements allocator.Source.
func (d *Disk) InodeBitmap(allocator.GroupID, []uint64) {}

// SystemZone implements allocator.Source.
func (d *Disk) SystemZone(allocator.Block, uint32) bool { return false }

// Config is the configuration of an allocator on d: one CPU, the kernel's
// defaults, Linux 5.10.
func (d *Disk) Config() Config { return d.ConfigOf(Linux5_10) }

// ConfigOf is the same for another kernel.
func (d *Disk) ConfigOf(k Kernel) Config {
	flex := d.Geo.FlexBits > 0
	return Config{
		Geometry: d.Geo, Source: d, Kernel: k, Tunables: k.DefaultTunables(&d.Geo, flex), CPUs: 1,
		FlexFeature: flex, GroupChecksums: true,
	}
}

// Mount makes an allocator on d, of d's Config as change, if not nil, changes it.
func (d *Disk) Mount(tb testing.TB, change func(*Config)) *Allocator {
	tb.Helper()
	cfg := d.Config()
	if change != nil {
		change(&cfg)
	}
	a, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// freeLocks are locks that nobody waits for.
type freeLocks struct{}

func (freeLocks) LockGroup(allocator.GroupID) bool                    { return false }
func (freeLocks) GroupLocked(allocator.GroupID) bool                  { return false }
func (freeLocks) TryLockGroup(allocator.GroupID) bool                 { return true }
func (freeLocks) UnlockGroup(allocator.GroupID)                       {}
func (freeLocks) Work(Work)                                           {}
func (freeLocks) LockLocalityGroup(int)                               {}
func (freeLocks) UnlockLocalityGroup(int)                             {}
func (freeLocks) StreamGoal()                                         {}
func (freeLocks) ReadBitmap(allocator.GroupID, allocator.Block, bool) {}
func (freeLocks) AwaitBitmap(allocator.GroupID)                       {}
func (freeLocks) BeforeBest()                                         {}
