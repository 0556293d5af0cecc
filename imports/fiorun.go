package imports

import (
	"math"
	"math/bits"
	"math/rand/v2"

	"mbsim/imports/fio"
	"mbsim/workload"
)

// fioRun is one copy of a job while it runs.
type fioRun struct {
	job   *fio.Job
	works string // the engine, where it works on names and not on data: filecreate, filedelete, mkdir
	files []fioPart
	rand  *rand.Rand

	total, issued int64 // bytes of one loop
	requests      int64 // made in this loop
	loop          int64
	writes        int64 // since the run began
	at            int   // of files, whose turn it is
	turn          int64 // requests left of its turn
	opened        bool
	last          int  // of files: the one of the last write
	synced        bool // the request before was a sync
}

// fioPart is the part of a file that a run works on.
type fioPart struct {
	file        *plainFile // nil outside of the root
	begin, size int64
	fd          string // "" where it is not open
	done        int64  // bytes of this loop
	next        int64  // of requests in order: where the next one begins
	run         int64  // random requests left that go on from the one before
	perm        permutation
	drawn       int64 // of perm
}

// newRun begins a copy of a job.
func (im *fioImporter) newRun(j *fio.Job, copy int64) *fioRun {
	r := &fioRun{job: j, rand: stream(j, copy), turn: j.ServiceRun}
	switch j.Engine {
	case "filecreate", "filedelete", "mkdir", "dircreate", "dirdelete", "falloc", "ftruncate":
		r.works = j.Engine
	case "mmap":
		im.report.note(noteMmap, j.Line)
	}
	all := names(j, copy)
	for _, name := range all {
		part := fioPart{file: im.place(name, j.Line)}
		part.size = j.Size.Bytes / int64(len(all))
		if j.FileLow > 0 {
			part.size = j.FileLow + r.rand.Int64N(j.FileHigh-j.FileLow+1)
		}
		// The offset shifts the part, but with a given size of the file it makes it smaller.
		whole := part.size
		part.begin = j.Offset.Of(whole) + j.OffsetIncrement.Of(whole)*copy
		if a := j.OffsetAlign; a > 0 {
			part.begin = roundUp(part.begin, a)
		}
		if j.FileLow > 0 {
			part.begin = min(part.begin, part.size)
			part.size -= part.begin
		}
		if j.Size.Percent > 0 {
			part.size = j.Size.Of(part.size)
		}
		if j.Append && part.file != nil {
			part.begin += part.file.size
		}
		part.begin = min(max(part.begin, 0), math.MaxInt64-part.size)
		r.files = append(r.files, part)
		r.total += min(part.size, math.MaxInt64-r.total)
	}
	if j.Size.Bytes > 0 {
		r.total = min(r.total, j.Size.Bytes)
	}
	if j.IOSize != (fio.Share{}) {
		r.total = j.IOSize.Of(r.total)
	}
	if j.Kind.Random && r.works == "" {
		im.report.note(noteOrder, j.Line)
		if r.blocks(false).Min != r.blocks(false).Max {
			im.report.note(noteRanges, j.Line)
		}
	}
	return r
}

// blocks are the lengths of writes, or of reads.
func (r *fioRun) blocks(reads bool) *fio.Blocks {
	if reads || !r.job.Kind.Writes && !r.job.Kind.Trims {
		return &r.job.Reads
	}
	return &r.job.Writes
}

// count is how many requests the run makes at most.
func (r *fioRun) count() int64 {
	if r.works != "" || r.job.CreateOnly {
		return int64(len(r.files))
	}
	least := min(r.job.Reads.Min, r.job.Writes.Min)
	n := r.total/least + 1
	if r.job.Requests > 0 {
		n = min(n, r.job.Requests)
	}
	// Laying out takes as many writes again.
	high, low := bits.Mul64(uint64(n)+uint64(r.total/r.job.Writes.Max), uint64(r.job.Loops))
	if high > 0 || low > math.MaxInt64 {
		return math.MaxInt64 / 2
	}
	return int64(low)
}

// step makes the next request. It reports false when the run has ended.
func (r *fioRun) step(im *fioImporter) bool {
	switch {
	case r.works != "":
		return r.name(im)
	case r.job.CreateOnly:
		return false
	case !r.opened:
		r.open(im)
		return true
	case r.issued >= r.total || r.job.Requests > 0 && r.requests >= r.job.Requests:
		r.endLoop(im)
		return r.loop < r.job.Loops
	}
	// A sync that is due comes before the next request, and so not behind the last one. As in fio it stays
	// due until a write changes the count: between reads it comes again.
	if r.syncDue() && !r.synced {
		r.synced = true
		if fd := r.files[r.last].fd; fd != "" {
			im.emit(workload.Op{Kind: workload.Fsync, FD: fd})
		}
		return true
	}
	r.synced = false
	r.request(im)
	return true
}

// open opens the files of the run, in their order.
func (r *fioRun) open(im *fioImporter) {
	r.opened = true
	for i := range r.files {
		if f := r.files[i].file; f != nil && r.files[i].fd == "" {
			r.files[i].fd = im.descriptor()
			im.openFile(r.files[i].fd, f, r.job.Direct)
		}
	}
}

// endLoop ends a loop: the last one syncs and closes.
func (r *fioRun) endLoop(im *fioImporter) {
	j := r.job
	r.loop++
	r.issued, r.requests = 0, 0
	last := r.loop >= j.Loops
	for i := range r.files {
		p := &r.files[i]
		p.done, p.next, p.run, p.drawn = 0, 0, 0, 0
		if p.fd == "" {
			continue
		}
		if last && j.EndFsync || j.FsyncOnClose {
			im.emit(workload.Op{Kind: workload.Fsync, FD: p.fd})
		}
		im.close(p.fd)
		p.fd, r.opened = "", false
		if j.UnlinkEachLoop || last && j.Unlink {
			im.emit(unlinkOp(p.file.path))
			p.file.exists, p.file.size = false, 0
		}
	}
	if last && j.EndSyncfs {
		im.emit(workload.Op{Kind: workload.Sync})
	}
}

// syncDue says whether as many writes have been made as come between two syncs.
func (r *fioRun) syncDue() bool {
	every := func(n int64) bool { return n > 0 && r.writes > 0 && r.writes%n == 0 }
	return every(r.job.Fsync) || every(r.job.Fdatasync)
}

// choose goes on to the file of the next request. A file whose part is done has no turn in this loop, unless
// all are.
func (r *fioRun) choose() int {
	if r.turn > 0 && r.files[r.at].done < r.files[r.at].size {
		r.turn--
		return r.at
	}
	r.turn = r.job.ServiceRun - 1
	n := len(r.files)
	step := 1
	switch {
	case r.job.Service == "random":
		step = r.rand.IntN(n) + 1
	case r.job.Service == "sequential" && r.files[r.at].done < r.files[r.at].size:
		return r.at
	}
	r.at = (r.at + step) % n
	for range n {
		if r.files[r.at].done < r.files[r.at].size {
			return r.at
		}
		r.at = (r.at + 1) % n
	}
	// io_size is more than the files hold: all begin anew.
	for i := range r.files {
		p := &r.files[i]
		p.done, p.next, p.drawn = 0, 0, 0
	}
	return r.at
}

// request makes one request.
func (r *fioRun) request(im *fioImporter) {
	j, at := r.job, r.choose()
	p := &r.files[at]
	reads := j.Kind.Reads && (!j.Kind.Writes && !j.Kind.Trims || r.rand.Int64N(100) < j.MixRead)
	n := min(r.length(reads), max(r.total-r.issued, 1), max(p.size, 1))
	off := p.offset(r, n, r.blocks(reads).Min)
	n = min(n, p.size-off)
	if n <= 0 { // a file without a byte has no request, and must not hold the run up
		n = 1
		r.issued += n
		p.done += n
		return
	}
	p.done += n
	r.issued += n
	r.requests++
	// Each request is counted once.
	im.report.Calls++
	switch {
	case p.fd == "":
		im.report.Outside++
	case reads:
		im.report.NoBlock++
	case j.Kind.Trims && !(j.Kind.Writes && r.requests%2 == 0):
		im.report.LeftOut = add(im.report.LeftOut, "trims: fio trims block devices alone", j.Line, func() string { return j.Name })
	default:
		im.emit(workload.Op{Kind: workload.Write, FD: p.fd, Off: p.begin + off, Len: n})
		im.report.Performed++
		p.file.size = max(p.file.size, p.begin+off+n)
		if j.Sync {
			im.emit(workload.Op{Kind: workload.Fsync, FD: p.fd})
		}
		r.writes++
		r.last = at
	}
}

// length draws the length of a request.
func (r *fioRun) length(reads bool) int64 {
	b := r.blocks(reads)
	switch {
	case len(b.Split) > 0:
		x := r.rand.Float64() * 100
		for _, s := range b.Split {
			if x -= s.Percent; x < 0 {
				return s.Bytes
			}
		}
		return b.Split[len(b.Split)-1].Bytes
	case b.Min < b.Max:
		return b.Min * (1 + r.rand.Int64N(b.Max/b.Min))
	}
	return b.Min
}

// offset is where in the part the next request begins.
func (p *fioPart) offset(r *fioRun, n, unit int64) int64 {
	j := r.job
	switch {
	case !j.Kind.Random || p.run > 0:
		// In order, and from the beginning again behind the end.
		p.run = max(p.run-1, 0)
		if p.next >= p.size {
			p.next = 0
		}
		off := p.next
		p.next += n + j.Gap
		return off
	}
	count := (p.size + unit - 1) / unit
	if count < 1 {
		return 0
	}
	if p.perm.n != uint64(count) {
		p.perm = newPermutation(uint64(count), r.rand.Uint64())
	}
	var block int64
	switch {
	case j.Distribution.Kind != "random":
		block = draw(&j.Distribution, r.rand, &p.perm)
	case j.NoMap:
		block = r.rand.Int64N(count)
	default:
		// Each block once, then all again in another order.
		if p.drawn == count {
			p.perm, p.drawn = newPermutation(uint64(count), r.rand.Uint64()), 0
		}
		block = int64(p.perm.at(uint64(p.drawn)))
		p.drawn++
	}
	off := block * unit
	p.run, p.next = j.Run-1, off+n
	return off
}

// draw is a block of a distribution that is not even. Which blocks are the frequent ones of zipf and pareto
// chance decides, as fio spreads them over the file.
func draw(d *fio.Distribution, r *rand.Rand, spread *permutation) int64 {
	n, u := float64(spread.n), r.Float64()
	rank := func(x float64) int64 { return int64(spread.at(uint64(min(max(x, 0), n-1)))) }
	switch d.Kind {
	case "zipf":
		// The inverse of the distribution, taken as continuous.
		if math.Abs(d.Value-1) < 1e-9 {
			return rank(math.Pow(n, u) - 1)
		}
		s := 1 - d.Value
		return rank(math.Pow((math.Pow(n, s)-1)*u+1, 1/s) - 1)
	case "pareto":
		return rank((n - 1) * math.Pow(u, math.Log(d.Value)/math.Log(1-d.Value)))
	case "normal":
		return int64(min(max(n/2+r.NormFloat64()*n*d.Value/100, 0), n-1))
	}
	// zoned: the zone, then a block in it.
	begin, x := 0.0, u*100
	for _, z := range d.Zones {
		if x -= z.Requests; x < 0 {
			return int64(min(n*(begin+r.Float64()*z.Size)/100, n-1))
		}
		begin += z.Size
	}
	return r.Int64N(int64(spread.n))
}

// name performs the next request of an engine that works on whole files.
func (r *fioRun) name(im *fioImporter) bool {
	if r.at == len(r.files) {
		return false
	}
	p := &r.files[r.at]
	r.at++
	im.report.Calls++
	if p.file == nil {
		im.report.Outside++
		return true
	}
	im.report.Performed++
	switch r.works {
	case "filecreate", "falloc", "ftruncate":
		fd := im.descriptor()
		im.openFile(fd, p.file, false)
		if r.works == "falloc" {
			im.reserve(fd, p.file, p.size, "native")
		}
		if r.works == "ftruncate" {
			im.reserve(fd, p.file, p.size, "truncate")
		}
		im.close(fd)
	case "filedelete":
		// fio makes the files first.
		if !p.file.exists {
			fd := im.descriptor()
			im.openFile(fd, p.file, false)
			im.close(fd)
		}
		im.emit(unlinkOp(p.file.path))
		p.file.exists, p.file.size = false, 0
	case "mkdir", "dircreate", "dirdelete":
		im.parents(p.file.path)
		im.emit(mkdirOp(p.file.path))
		if r.works == "dirdelete" {
			im.emit(workload.Op{Kind: workload.Rmdir, Path: p.file.path})
		}
	}
	return true
}
