package run

import "hash/fnv"

// fingerprint tells this run from others. It covers the time and order of all events
// and the result of every operation, which the engine has mixed already, and where
// blocks lie in the end: each file with its extents, in the order of paths, and the
// free count and the block bitmap of each group that was touched, and so the blocks of
// metadata too. Looking leaves no trace in the file system.
func (r *runner) fingerprint() uint64 {
	mix := r.engine.Mix
	name := fnv.New64a()
	// Files, with their extents, in the order of paths.
	for f := range r.m.Look() {
		name.Reset()
		_, _ = name.Write([]byte(f.Path)) // a hash never fails
		mix(name.Sum64())
		for _, v := range [...]uint64{uint64(f.Inode), uint64(f.Mode), uint64(f.Size), uint64(f.Sectors), uint64(len(f.Extents))} {
			mix(v)
		}
		for i := range f.Extents {
			x := &f.Extents[i]
			mix(x.Logical)
			mix(uint64(x.Physical))
			mix(x.Len)
			mix(uint64(x.Flags))
		}
	}
	// Groups: their bitmaps show blocks of metadata too, which belong to no file's extents.
	for id := range r.m.Policy.Touched() {
		free, _ := r.m.Policy.PeekFree(id)
		mix(uint64(id))
		mix(uint64(free))
		for _, word := range r.m.Policy.PeekBitmap(id) {
			mix(word)
		}
	}
	return r.engine.Fingerprint()
}
