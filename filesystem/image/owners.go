package image

import (
	"fmt"

	"mbsim/allocator"
)

// owners knows which clusters have an owner: a file, or the file system's own
// metadata. It takes memory for the groups that files lie in, a bit a cluster.
type owners struct {
	s      *imageSource
	groups map[allocator.GroupID][]uint64
	attrs  map[allocator.Block]struct{} // blocks of attributes, which inodes may share
}

func newOwners(s *imageSource) *owners {
	return &owners{s: s, groups: make(map[allocator.GroupID][]uint64), attrs: make(map[allocator.Block]struct{})}
}

// take notes that p of inode in uses the blocks [b, b+n), which are on the
// device. It refuses blocks that the bitmap calls free, and those that have an
// owner.
func (o *owners) take(p part, in uint32, b allocator.Block, n uint64) error {
	if free, any := o.s.firstFree(b, n); any {
		return fmt.Errorf("%v lies at block %d, which the bitmap of group %d calls free", p, free, o.s.sb.groupOf(free))
	}
	sb := o.s.sb
	cb := sb.ClusterBits
	for end := b + allocator.Block(n); b < end; {
		id := sb.groupOf(b)
		start := sb.groupStart(id)
		stop := min(end, start+allocator.Block(sb.BlocksPerGroup))
		bits := o.group(id)
		from, to := uint32((b-start)>>cb), uint32((stop-1-start)>>cb)+1
		if hit, any := firstSet(bits, from, to); any {
			return fmt.Errorf("%v lies at block %d, which %s", p, max(b, start+allocator.Block(hit)<<cb), o.ownerOf(start+allocator.Block(hit)<<cb, in))
		}
		setBits(bits, from, to)
		b = stop
	}
	return nil
}

// takeMMP notes the block of multiple-mount protection.
func (o *owners) takeMMP() error {
	b := o.s.mmp
	if b == 0 {
		return nil
	}
	if b < o.s.sb.FirstDataBlock || b >= o.s.sb.Blocks {
		return fmt.Errorf("the block of multiple-mount protection is block %d of %d", b, o.s.sb.Blocks)
	}
	return o.take(part{what: "the block of multiple-mount protection", n: noLogical}, 0, b, 1)
}

// takeAttrs notes that inode in has its attributes at block b.
func (o *owners) takeAttrs(in *Inode) error {
	if _, shared := o.attrs[in.ACL]; shared || in.ACL == 0 {
		return nil
	}
	p := part{what: "the block of attributes", n: noLogical}
	if err := o.take(p, in.Number, in.ACL, 1); err != nil {
		return err
	}
	o.attrs[in.ACL] = struct{}{}
	return nil
}

// group is the bitmap of owned clusters of group id. The file system's own are
// in it from the start.
func (o *owners) group(id allocator.GroupID) []uint64 {
	bits := o.groups[id]
	if bits != nil {
		return bits
	}
	bits = make([]uint64, (o.s.sb.ClustersPerGroup+63)/64)
	start, cb := o.s.sb.groupStart(id), o.s.sb.ClusterBits
	o.s.static(id, func(r run) {
		setBits(bits, uint32((r.start-start)>>cb), uint32((r.end-1-start)>>cb)+1)
	})
	o.groups[id] = bits
	return bits
}

// ownerOf says whose the cluster is that begins at block b: "is the file system's
// own", "belongs to inode 12 too". It searches, since only an error asks. Inode
// in is the one that wants it.
func (o *owners) ownerOf(b allocator.Block, in uint32) string {
	if o.system(b) {
		return "is the file system's own"
	}
	end := b + allocator.Block(1)<<o.s.sb.ClusterBits
	for n := range o.s.numbers() {
		if n == in {
			break
		}
		x, err := o.s.inode(n)
		if err != nil {
			break
		}
		hit := x.ACL >= b && x.ACL < end
		for _, e := range x.Extents {
			hit = hit || e.Physical < end && b < e.Physical+allocator.Block(e.Len)
		}
		for _, m := range x.Meta {
			hit = hit || m.Block >= b && m.Block < end
		}
		if hit {
			return fmt.Sprintf("belongs to inode %d too", n)
		}
	}
	return fmt.Sprintf("inode %d uses twice", in)
}

// system reports whether the cluster that begins at block b is the file system's
// own.
func (o *owners) system(b allocator.Block) bool {
	end := b + allocator.Block(1)<<o.s.sb.ClusterBits
	own := b <= o.s.mmp && o.s.mmp < end
	o.s.static(o.s.sb.groupOf(b), func(r run) { own = own || r.start < end && b < r.end })
	return own
}

// firstSet is the first bit of [from, to) that is set.
func firstSet(bits []uint64, from, to uint32) (uint32, bool) {
	for i := from; i < to; {
		if w := bits[i/64]; w == 0 {
			i = (i/64 + 1) * 64
		} else if w&(1<<(i%64)) != 0 {
			return i, true
		} else {
			i++
		}
	}
	return 0, false
}
