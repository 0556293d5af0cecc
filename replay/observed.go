package replay

import (
	"slices"
	"sort"
	"strings"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/kerneltext/ftrace"
)

// observed is what trace events show of inodes, as far as the allocator asks for it.
//
//   - i_size: what events of writes and of fallocate say (ext4_da_write_end and others). Where these were not
//     recorded, a file with delayed blocks is taken to end where they would if they followed one another
//     behind the request; that is so of files that are written from front to back.
//   - whether somebody has the file open for writing: yes, unless the kernel's decision shows that it asked for
//     no preallocation (HINT_NOPREALLOC), which it does for a file that nobody has open and whose end the
//     request reaches.
type observed struct {
	geo   *allocator.Geometry
	ext   bool
	files map[uint32]*observedFile
}

// observedFile is an inode.
type observedFile struct {
	inode   mballoc.Inode
	delayed int64  // clusters that are promised to it
	got     ranges // blocks that were given since preallocations were given back
	sized   bool   // events of writes have told i_size
	// falloc is where a fallocate under way ends, in bytes; keeps says that the size stays as it is.
	falloc int64
	keeps  bool
}

func newObserved(geo *allocator.Geometry, ext bool) observed {
	return observed{geo: geo, ext: ext, files: make(map[uint32]*observedFile)}
}

// get is the state of an inode; one that was there before the trace is made when first met.
func (o *observed) get(ino uint32) *observedFile {
	f := o.files[ino]
	if f == nil {
		f = &observedFile{inode: mballoc.Inode{Number: ino, Extents: o.ext, Writers: 1}}
		o.files[ino] = f
	}
	return f
}

func (o *observed) file(ino uint32) *mballoc.Inode { return &o.get(ino).inode }

// made begins an inode anew.
func (o *observed) made(ino uint32, regular bool) {
	delete(o.files, ino)
	o.get(ino).inode.Regular = regular
}

func (o *observed) forget(ino uint32) { delete(o.files, ino) }

func (o *observed) got(ino uint32) *ranges { return &o.get(ino).got }

// ranges are ranges of a file's blocks, sorted, none of them touching another.
type ranges []struct{ from, to uint32 }

func (r *ranges) clear() { *r = nil }

// after is the first range that ends at a block or behind it.
func (r ranges) after(from uint32) int {
	return sort.Search(len(r), func(i int) bool { return r[i].to >= from })
}

// overlap says whether one of n blocks is in the ranges.
func (r ranges) overlap(from, n uint32) bool {
	i := r.after(from)
	if i < len(r) && r[i].to == from {
		i++
	}
	return i < len(r) && r[i].from < from+n
}

// add adds n blocks that are not in the ranges.
func (r *ranges) add(from, n uint32) {
	s, to := *r, from+n
	if n == 0 {
		return
	}
	switch i := s.after(from); {
	case i < len(s) && s[i].to == from:
		s[i].to = to
		if i+1 < len(s) && s[i+1].from == to {
			s[i].to = s[i+1].to
			*r = slices.Delete(s, i+1, i+2)
		}
	case i < len(s) && s[i].from == to:
		s[i].from = from
	default:
		*r = slices.Insert(s, i, struct{ from, to uint32 }{from, to})
	}
}

// event notes what an event of the file system shows.
func (o *observed) event(e *ftrace.Event, ino uint32) {
	switch e.Name {
	case "ext4_da_write_end", "ext4_write_end", "ext4_journalled_write_end":
		f := o.get(ino)
		f.sized = true
		f.inode.Size = max(f.inode.Size, e.Number("pos")+e.Number("copied"))
	case "ext4_fallocate_enter":
		f := o.get(ino)
		f.falloc = e.Number("offset") + e.Number("len")
		// The mode is printed by its names, or as a number: 1 is FALLOC_FL_KEEP_SIZE.
		if mode := e.Field("mode"); strings.Contains(mode, "KEEP_SIZE") || mode == "1" {
			f.falloc, f.keeps = 0, true
		}
	case "ext4_fallocate_exit":
		f := o.get(ino)
		if e.Number("ret") == 0 {
			f.inode.Size = max(f.inode.Size, f.falloc)
		}
		f.falloc, f.keeps = 0, false
	case "ext4_truncate_enter":
		// Where to it does not say: the next event of a write will.
		f := o.get(ino)
		if !f.sized {
			f.inode.Size = 0
		}
	}
}

// prepare gives the inode of a request the state that it had for the kernel.
func (o *observed) prepare(f *mballoc.Inode, r *mballoc.Request, decision *ftrace.Event) {
	x := o.get(f.Number)
	// Only regular files have data.
	if r.Flags&mballoc.HintData != 0 {
		f.Regular = true
	}
	end := int64(r.Logical+r.Len) << o.geo.BlockBits
	if r.Flags&mballoc.DelallocReserved != 0 {
		if !x.sized {
			end = max(end, (int64(r.Logical)+x.delayed<<o.geo.ClusterBits)<<o.geo.BlockBits)
		}
		// A delayed block lies inside of the file.
		f.Size = max(f.Size, end-(1<<o.geo.BlockBits)+1)
		if !x.sized {
			f.Size = max(f.Size, end)
		}
	}
	// What the kernel's own decision shows of the inode.
	f.Writers = 1
	if decision != nil && strings.Contains(decision.Text, "HINT_NOPREALLOC") {
		f.Writers = 0
		if !x.sized {
			f.Size = int64(r.Logical+r.Len) << o.geo.BlockBits
		}
	}
}

// given notes that a request got n blocks. What a write got lies inside of the file, once it has ended.
func (o *observed) given(f *mballoc.Inode, r *mballoc.Request, n uint32) {
	x := o.get(f.Number)
	if r.Flags&mballoc.HintData != 0 && !x.sized && !x.keeps {
		f.Size = max(f.Size, int64(r.Logical+n)<<o.geo.BlockBits)
	}
}
