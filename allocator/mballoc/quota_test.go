package mballoc

import (
	"testing"

	"mbsim/allocator"
)

// limit is a quota of so many blocks.
type limit struct{ left, asked int64 }

func (l *limit) Alloc(_ uint32, blocks int64, nofail bool) bool {
	l.asked++
	if blocks > l.left && !nofail {
		return false
	}
	l.left -= blocks
	return true
}

func (l *limit) Free(_ uint32, blocks int64) { l.left += blocks }

// TestQuota asks for 8 clusters of which the owner may have fewer.
func TestQuota(t *testing.T) {
	for _, tt := range []struct {
		name            string
		left            int64
		flags           Flags
		want            uint32
		wantLeft, asked int64
		over            uint64
	}{
		{"enough", 100, 0, 8, 92, 1, 0},
		{"cut short", 5, 0, 5, 0, 4, 0},
		{"none", 0, 0, 0, 0, 8, 1},
		{"root has what it wants", 3, UseRootBlocks, 8, -5, 1, 0},
		{"delayed: counted before", 3, DelallocReserved, 8, 3, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := &limit{left: tt.left}
			geo := allocator.Geometry{BlockBits: 12, Blocks: 32768, ClustersPerGroup: 32768, BlocksPerGroup: 32768, InodesPerGroup: 8192, Groups: 1}
			a, err := New(Config{
				Geometry: geo, Source: emptyDisk{}, Profile: Linux5_10, Tunables: DefaultTunables(&geo, false), CPUs: 1, Quota: q,
			})
			if err != nil {
				t.Fatal(err)
			}
			if tt.flags&DelallocReserved != 0 && !a.ClaimFree(0, 8, 0) {
				t.Fatal("no space to reserve")
			}
			r := &Request{Inode: &Inode{Number: 12, Regular: true, Extents: true}, Len: 8, Flags: HintData | HintNoPrealloc | tt.flags}
			_, ok := a.NewBlocks(0, r)
			if ok != (tt.want > 0) || r.Len != tt.want {
				t.Errorf("got %d clusters (%v), want %d", r.Len, ok, tt.want)
			}
			if q.left != tt.wantLeft || q.asked != tt.asked || a.Stats().OverQuota != tt.over {
				t.Errorf("%d blocks are left after %d questions, %d refused; want %d, %d, %d",
					q.left, q.asked, a.Stats().OverQuota, tt.wantLeft, tt.asked, tt.over)
			}
			if d := a.DirtyClusters().Sum(); tt.flags&DelallocReserved == 0 && d != 0 {
				t.Errorf("%d clusters are still promised", d)
			}
		})
	}
}

// emptyDisk is one group of 4K blocks with nothing in it.
type emptyDisk struct{}

func (emptyDisk) Desc(allocator.GroupID) allocator.GroupDesc {
	return allocator.GroupDesc{FreeClusters: 32768}
}
func (emptyDisk) BlockBitmap(allocator.GroupID, []uint64) {}
func (emptyDisk) InodeBitmap(allocator.GroupID, []uint64) {}
func (emptyDisk) SystemZone(allocator.Block, uint32) bool { return false }
