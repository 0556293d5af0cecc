package workload

// file is a file that a process has made.
type file struct {
	path         string
	size         int64
	fd           string // its descriptor while it is open
	at           int    // its index in fileSet.all
	born         int64  // how many files its process had made before, where lives are drawn
	life         float64
	older, newer *file
}

// fileSet is the files of one process: any of them, and the oldest, in a
// constant number of steps.
type fileSet struct {
	all            []*file
	oldest, newest *file
}

func (s *fileSet) add(f *file) {
	f.at = len(s.all)
	s.all = append(s.all, f)
	f.older = s.newest
	if f.older == nil {
		s.oldest = f
	} else {
		f.older.newer = f
	}
	s.newest = f
}

func (s *fileSet) remove(f *file) {
	// The last file takes the place of f in the slice; the list by age closes around f.
	last := s.all[len(s.all)-1]
	s.all[f.at], last.at = last, f.at
	s.all[len(s.all)-1] = nil
	s.all = s.all[:len(s.all)-1]
	if f.older == nil {
		s.oldest = f.newer
	} else {
		f.older.newer = f.newer
	}
	if f.newer == nil {
		s.newest = f.older
	} else {
		f.newer.older = f.older
	}
	f.older, f.newer = nil, nil
}

// takeAll moves the files of o here, in the order of their age.
func (s *fileSet) takeAll(o *fileSet) {
	for f := o.oldest; f != nil; {
		next := f.newer
		f.newer = nil
		s.add(f)
		f = next
	}
	*o = fileSet{}
}
