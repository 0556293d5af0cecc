package imports

import (
	"maps"
	"slices"
	"strings"

	"mbsim/imports/strace"
)

// openFile is what several descriptors may share (an open file description): a file, and a position
// in it.
type openFile struct {
	at   spot // what is open; not known for pipes, sockets and the like
	refs int  // descriptors, and calls at work
	pos  int64

	writable, appends, direct, syncs bool
	// atEnd says that the position is not known, and taken to be the end of the file.
	atEnd bool

	fd string // the script's descriptor, "" while it needs none
}

// entry is a descriptor of a process.
type entry struct {
	d       *openFile
	cloexec bool
}

// table is a table of descriptors, which processes may share.
type table struct {
	refs int
	fds  map[int]entry
}

// workingDir is a working directory, which processes may share.
type workingDir struct{ at spot }

// process is a process or thread.
type process struct {
	pid   int
	files *table
	cwd   *workingDir
	call  *active // that has begun and has not ended
}

// active is a call that is being performed.
type active struct {
	p    *process
	c    *strace.Call
	do   handler
	held []held
	// settled says that the call was performed before its end, with this outcome, and opened this.
	settled bool
	came    outcome
	opened  *openFile
	child   *process // of a clone, where it has shown itself before the clone's end
}

// held is the open file of argument arg, which the call keeps open.
type held struct {
	arg int
	d   *openFile
}

// file is the open file of argument arg, nil where it is not known.
func (a *active) file(arg int) *openFile {
	for _, h := range a.held {
		if h.arg == arg {
			return h.d
		}
	}
	return nil
}

// newProcess makes a process of which nothing is known.
func (im *importer) newProcess(pid int) *process {
	p := &process{pid: pid, files: &table{refs: 1, fds: make(map[int]entry)}, cwd: &workingDir{im.cwd}}
	im.procs[pid] = p
	return p
}

// fork makes the child of a clone with these flags.
func (im *importer) fork(parent *process, flags string, pid int) *process {
	old := im.procs[pid]
	if old == parent {
		return parent // no kernel does that
	}
	if old != nil {
		im.exit(old) // the number is used again, so that it has ended unseen
	}
	// What the flags do not share, the child has a copy of; the open files themselves are shared always.
	p := &process{pid: pid, files: parent.files, cwd: parent.cwd}
	if strings.Contains(flags, "CLONE_FILES") {
		p.files.refs++
	} else {
		p.files = parent.files.copy()
	}
	if !strings.Contains(flags, "CLONE_FS") {
		p.cwd = &workingDir{parent.cwd.at}
	}
	im.procs[pid] = p
	return p
}

// copy is a table of one's own with the same open files.
func (t *table) copy() *table {
	own := &table{refs: 1, fds: maps.Clone(t.fds)}
	for _, e := range own.fds {
		e.d.refs++
	}
	return own
}

// exit ends a process.
func (im *importer) exit(p *process) {
	// A call that ends the process does not return.
	if a := p.call; a != nil {
		im.report.Calls++
		if strings.HasPrefix(a.c.Name, "exit") {
			im.report.NoBlock++
		} else {
			im.report.CutOff++
		}
		im.leave(a)
	}
	im.closeTable(p.files)
	if im.procs[p.pid] == p {
		delete(im.procs, p.pid)
	}
}

// unlist takes a call from those that have not ended.
func (im *importer) unlist(a *active) {
	im.pending = slices.DeleteFunc(im.pending, func(b *active) bool { return a == b })
	if a.p.call == a {
		a.p.call = nil
	}
}

// leave takes back what a call has held.
func (im *importer) leave(a *active) {
	im.unlist(a)
	for _, h := range a.held {
		im.release(h.d)
	}
	a.held = nil
}

// closeTable closes all that a table has, unless others use it.
func (im *importer) closeTable(t *table) {
	if t.refs--; t.refs > 0 {
		return
	}
	for _, fd := range slices.Sorted(maps.Keys(t.fds)) {
		im.release(t.fds[fd].d)
	}
}

// install makes fd a descriptor of an open file, in place of what it was.
func (im *importer) install(p *process, fd int, d *openFile, cloexec bool) {
	d.refs++
	old, ok := p.files.fds[fd]
	p.files.fds[fd] = entry{d, cloexec}
	if ok {
		im.release(old.d)
	}
}

// opened is a new open file on what is at a spot.
func (im *importer) newFile(at spot) *openFile {
	if at.n != nil {
		at.n.opens++
	}
	return &openFile{at: at}
}

// release gives an open file back, and closes it if nobody has it any more.
func (im *importer) release(d *openFile) {
	if d.refs--; d.refs > 0 || d.at.n == nil {
		return
	}
	n := d.at.n
	n.opens--
	// A file of O_TMPFILE that never got a name goes away with the last descriptor.
	if n.hidden && n.opens == 0 {
		n.hidden = false
		im.drop(n.names[0].in, n.names[0].as, n)
	}
	if d.fd != "" {
		im.close(n, d.fd)
	}
	// The last reader of a removed file lets go of its blocks.
	if n.opens == 0 && n.holder != "" {
		im.close(n, n.holder)
		n.holder = ""
	}
	if n.opens == 0 && len(n.names) == 0 {
		im.resize(n, 0)
	}
}

// fd is the open file's descriptor in the script, opened now if it is not. It is "" for a file that
// the script cannot open any more.
func (im *importer) fd(d *openFile) string {
	if d.fd == "" {
		d.fd = im.open(d.at.n, false, d.direct)
	}
	if d.fd == "" {
		return d.at.n.holder
	}
	return d.fd
}

// lookup is the open file of a descriptor that a call names, nil where it is not known.
func (im *importer) lookup(p *process, f strace.FD) *openFile {
	if f.N < 0 {
		return nil
	}
	e, ok := p.files.fds[f.N]
	if ok && f.Shown && f.Path == "" && e.d.at.known() {
		// It is a pipe or the like by now: what closed the file is not in the log.
		delete(p.files.fds, f.N)
		im.release(e.d)
		ok = false
	}
	if ok {
		return e.d
	}
	if !f.Shown {
		return nil
	}
	// It was open before the log, or came by a way that the log does not show: strace shows its path.
	var at spot
	if f.Path != "" && !f.Deleted {
		t, w, out := im.walk(spot{}, f.Path, false, true)
		switch {
		case w == outside:
			at.out = out
		case w == inside && t.n == nil:
			at.n = im.discover(t.in, t.as, file)
		case w == inside:
			at.n = t.n
		}
	} else if f.Deleted && im.below(f.Path) {
		return nil
	}
	// Where its position is nobody knows: the end is the most likely place of a file that is written.
	d := im.newFile(at)
	if at.n != nil {
		d.writable, d.atEnd = true, true
		im.report.note(noteInherited, im.now)
	}
	im.install(p, f.N, d, false)
	return d
}

// below says whether an absolute path is below the root, or the root.
func (im *importer) below(p string) bool {
	return p == im.root || im.root == "/" || strings.HasPrefix(p, im.root) && p[len(im.root)] == '/'
}

// process is the process of a line; nil where it is not yet known whose child it is, and its events
// are to be kept.
func (im *importer) process(pid int) *process {
	if p := im.procs[pid]; p != nil {
		return p
	}
	// A log on a terminal has no number for the only process there is.
	if pid == 0 {
		if p := im.only(); p != nil {
			return p
		}
	}
	if first := im.procs[0]; pid != 0 && first != nil && len(im.events[pid]) == 0 {
		im.bare, first.pid = pid, pid
		delete(im.procs, 0)
		im.procs[pid] = first
		return first
	}
	return im.birth(pid)
}

// only is the process of lines without a number: the first one, or the only one that is left.
func (im *importer) only() *process {
	if p := im.procs[im.bare]; p != nil || len(im.procs) != 1 {
		return p
	}
	for _, p := range im.procs {
		return p
	}
	return nil
}

// birth makes a process that shows itself before the call that makes it has ended. Where several
// such calls are at work it returns nil: the end of one will tell.
func (im *importer) birth(pid int) *process {
	var parents []*active
	for _, a := range im.pending {
		if isClone(a.c.Name) && a.child == nil {
			parents = append(parents, a)
		}
	}
	switch {
	case len(parents) == 0:
		return im.newProcess(pid)
	case len(parents) == 1 && len(im.events) == 0:
		a := parents[0]
		a.child = im.fork(a.p, strings.Join(a.c.Args, ","), pid)
		return a.child
	}
	return nil
}

// isClone says whether a call makes a process.
func isClone(name string) bool {
	return name == "clone" || name == "clone3" || name == "fork" || name == "vfork"
}
