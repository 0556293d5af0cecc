package mballoc

import (
	"testing"

	"mbsim/allocator"
)

// blank is an empty file system of any size that costs nothing to keep: flex
// groups of 16 whose first group has all the metadata, and groups that are
// uninitialized but for those.
type blank struct{ geo allocator.Geometry }

const blankMeta = 16 * 520 // clusters taken of a flex group's first group

func newBlank(groups allocator.GroupID) *blank {
	return &blank{allocator.Geometry{
		BlockBits: 12, FlexBits: 4, ClustersPerGroup: 32768, BlocksPerGroup: 32768, InodesPerGroup: 8192,
		Groups: groups, Blocks: allocator.Block(groups) * 32768,
	}}
}

func (s *blank) Desc(id allocator.GroupID) allocator.GroupDesc {
	if id%16 == 0 {
		return allocator.GroupDesc{FreeClusters: 32768 - blankMeta, FreeInodes: 8192}
	}
	return allocator.GroupDesc{FreeClusters: 32768, FreeInodes: 8192, BlockUninit: true}
}

func (s *blank) BlockBitmap(id allocator.GroupID, bits []uint64) {
	for i := 0; id%16 == 0 && i < blankMeta/64; i++ {
		bits[i] = ^uint64(0)
	}
}

func (s *blank) InodeBitmap(allocator.GroupID, []uint64) {}

func (s *blank) SystemZone(b allocator.Block, n uint32) bool { return false }

// FreeClusters is the sum over all descriptors.
func (s *blank) FreeClusters() uint64 {
	n := uint64(s.geo.Groups)
	return n*32768 - (n+15)/16*blankMeta
}

func (s *blank) config() Config {
	return Config{
		Geometry: s.geo, Source: s, Kernel: Linux5_10, Tunables: Linux5_10.DefaultTunables(&s.geo, true), CPUs: 2,
		FlexFeature: true, GroupChecksums: true, ReservePool: DefaultReservePool(&s.geo),
	}
}

// petabyte is its number of groups with 4K blocks, 128 MB each.
const petabyte = 1 << 23

// TestPetabyte: a mount and a first allocation touch a few pages of groups, not
// eight million groups, and count right all the same.
func TestPetabyte(t *testing.T) {
	s := newBlank(petabyte)
	a, err := New(s.config())
	if err != nil {
		t.Fatal(err)
	}
	if n, want := a.FreeClusters().Sum(), int64(s.FreeClusters()); n != want {
		t.Errorf("%d free clusters, want %d", n, want)
	}
	in := &Inode{Number: 12, Regular: true, Extents: true, Writers: 1, Size: 1 << 20}
	far := allocator.GroupID(petabyte - 31)
	r := Request{Inode: in, Len: 256, Goal: s.geo.GroupStart(far), Flags: HintData}
	b, ok := a.NewBlocks(0, &r)
	if id, _ := s.geo.GroupOf(b); !ok || id != 1 || r.Len != 256 {
		t.Errorf("%d blocks at %d, %t; want 256 where the streams begin, group 1", r.Len, b, ok)
	}
	r = Request{Inode: in, Len: 1, Goal: s.geo.GroupStart(far)}
	b, ok = a.NewBlocks(0, &r)
	if id, _ := s.geo.GroupOf(b); !ok || id != far {
		t.Errorf("metadata at %d, %t; want group %d", b, ok, far)
	}
	touched := 0
	for range a.Touched() {
		touched++
	}
	if touched > 4*groupsPerPage {
		t.Errorf("%d groups touched", touched)
	}
	if n, want := a.CountFreeClusters(), int64(s.FreeClusters())-257; n != want {
		t.Errorf("%d clusters free by the descriptors, want %d", n, want)
	}
}

// TestIndirectFilesStayLow: the block pointers of files without extents have 32
// bits. Their searches know only the groups below, wherever the goal is, and their
// preallocations above are not used.
func TestIndirectFilesStayLow(t *testing.T) {
	const groups = 1<<32/32768 + 64
	s := newBlank(groups)
	cfg := s.config()
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	in := &Inode{Number: 12, Regular: true, Extents: true, Writers: 1, Size: 4 << 20}
	high := s.geo.GroupStart(groups - 10)
	ask := func(logical uint32, f Flags) allocator.Block {
		t.Helper()
		r := Request{Inode: in, Len: 4, Logical: logical, Goal: high, Flags: f}
		b, ok := a.NewBlocks(0, &r)
		if !ok {
			t.Fatal("no space")
		}
		return b
	}
	if b := ask(0, HintData|HintTryGoal); b != high {
		t.Errorf("with extents: block %d, want %d", b, high)
	}
	if b := ask(4, HintData); b != high+4 {
		t.Errorf("with extents, from the preallocation: block %d, want %d", b, high+4)
	}
	in.Extents = false
	if b := ask(0, 0); b >= 1<<32 {
		t.Errorf("indirect: block %d", b)
	}
	if !panics(func() { ask(8, HintData) }) {
		t.Error("the normalized request of an indirect file overlaps a preallocation it may not use: the kernel has a BUG_ON")
	}
}

func panics(f func()) (p bool) {
	defer func() { p = recover() != nil }()
	f()
	return false
}

// BenchmarkPetabyte is the cost of a mount, and of one with a first request.
func BenchmarkPetabyte(b *testing.B) {
	s := newBlank(petabyte)
	cfg := s.config()
	in := &Inode{Number: 12, Extents: true}
	for _, first := range []bool{false, true} {
		name := "New"
		if first {
			name = "New+NewBlocks"
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				a, err := New(cfg)
				if err != nil {
					b.Fatal(err)
				}
				if first {
					a.NewBlocks(0, &Request{Inode: in, Len: 1})
				}
			}
		})
	}
}
