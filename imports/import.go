package imports

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"mbsim/imports/strace"
	"mbsim/internal/unpack"
	"mbsim/workload"
)

// Options say what is imported of a log.
type Options struct {
	Root string // the folder, an absolute path: what is below it is imported
	// Cwd is where the programs were when the log begins, "" where the log is to say it.
	Cwd   string
	State string // file with the list of what was there before, "" for none
	// OnDevice are files that are on the device when the script begins, so that it need not make them:
	// those of an image. They are below the root.
	OnDevice []Known
	Lenient  bool   // lines that are not of the format are counted, and not refused
	Size     int64  // bytes of the device that a profile is for; 0 for 1 GiB
	Device   string // of a trace: the number of the device that is meant, such as "8,1"; "" for the only one
}

// Known is a file or directory that was there before.
type Known struct {
	Path string // from the root
	Dir  bool
	Size int64 // bytes
}

// Log is a file that can be read twice, or several that are read as one.
type Log struct {
	Name  string
	file  *os.File
	parts []*Log // where it is several, instead of file
}

// OpenLog opens a log, which may be compressed by gzip, xz or zstd. It refuses what can be read only
// once.
func OpenLog(name string) (*Log, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: it is read twice, so it must be a file: write the log into one first", name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Log{Name: name, file: f}, nil
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }

// open reads the file from its beginning, unpacked. release gives back what the unpacking holds. A file is
// read by one reader at a time.
func (l *Log) open() (text io.Reader, release func(), err error) {
	if l.parts != nil {
		return openMerged(l.parts)
	}
	if _, err := l.file.Seek(0, io.SeekStart); err != nil {
		return nil, nil, err
	}
	if text, release, err = unpack.Text(l.file); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", l.Name, err)
	}
	return text, release, nil
}

// text is open for who reads the file in one go.
func (l *Log) text(use func(io.Reader) error) error {
	text, release, err := l.open()
	if err != nil {
		return err
	}
	defer release()
	return use(text)
}

// importer performs the calls of a log on a model.
type importer struct {
	root string // clean, absolute
	tree *node
	cwd  spot // of processes of which the log does not show the beginning

	calls    map[string]handler
	procs    map[int]*process
	bare     int                    // the process of lines without a number
	pending  []*active              // calls that have begun, in this order
	events   map[int][]strace.Event // of processes whose parent is not yet known
	settling bool
	now      int // the line

	first bool            // the first reading
	known []*before       // what was there before: what the first reading finds out
	paths map[string]bool // of known

	script      script
	free        []string // descriptors that are not in use
	descriptors int
	space       space

	report *Report
}

// Strace imports a log of strace: it writes the script to ops.
func Strace(log *Log, opt Options, ops io.Writer) (*Report, error) {
	known, err := opt.known()
	if err != nil {
		return nil, err
	}
	// The first reading only learns what was there before.
	im, err := perform(log, opt, true, known, io.Discard)
	if err != nil {
		return nil, err
	}
	im, err = perform(log, opt, false, im.known, ops)
	if err != nil {
		return nil, err
	}
	return im.report, nil
}

// known is what was there before: what is on the device, and then what the list has.
func (opt *Options) known() ([]*before, error) {
	known, err := readStateFile(opt.State)
	return append(onDevice(opt.OnDevice), known...), err
}

func readStateFile(file string) ([]*before, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, release, err := unpack.Text(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	defer release()
	return readState(text, file)
}

// perform reads the log once.
func perform(log *Log, opt Options, first bool, known []*before, ops io.Writer) (*importer, error) {
	im := &importer{
		root: path.Clean(opt.Root), tree: &node{kind: dir, children: make(map[string]*node)},
		calls: handlers(), procs: make(map[int]*process), events: make(map[int][]strace.Event),
		first: first, known: known, paths: make(map[string]bool), script: script{out: ops},
		report: &Report{File: log.Name, Root: path.Clean(opt.Root), Unit: unitCalls, Place: "line", Still: "move no block: reads, stat, chmod and the like"},
	}
	if first {
		im.tree.before = &before{path: ".", kind: dir, sealed: true}
	}
	// What was there before, and where the programs were.
	im.prepare(known)
	if opt.Cwd != "" {
		if t, w, out := im.walk(spot{}, opt.Cwd, true, true); w == outside {
			im.cwd.out = out
		} else if w == inside {
			im.cwd.n = im.dirAt(t)
		}
	}
	err := log.text(func(text io.Reader) error {
		r := strace.NewReader(text, log.Name)
		r.Lenient = opt.Lenient
		return im.readAll(r)
	})
	// What is still in memory the kernel would write a little later, which is in no log.
	im.emit(workload.Op{Kind: workload.Sync})
	if err == nil {
		err = im.script.err
	}
	im.report.Bytes, im.report.Names = im.space.peakBytes*4096, im.space.peakNames
	return im, err
}

// readAll performs all that a log tells.
func (im *importer) readAll(r *strace.Reader) error {
	for r.Next() {
		e := r.Event()
		im.event(e)
		if im.script.err != nil {
			return im.script.err
		}
	}
	// Calls without an end, and processes whose parents the log does not show.
	im.releaseEvents(true)
	im.report.CutOff += int64(len(im.pending))
	im.report.Calls += int64(len(im.pending))
	im.report.Lines, im.report.Foreign = r.Lines, r.Foreign
	if r.First != nil {
		im.report.FirstOdd = r.First.Error()
	}
	switch {
	case r.Err() != nil:
		return r.Err()
	case im.report.Calls == 0 && r.Foreign > 0:
		return r.First
	case im.report.Calls == 0:
		return fmt.Errorf("%s: there is no call of a program in it", im.report.File)
	}
	return nil
}

// event performs what a line tells.
func (im *importer) event(e *strace.Event) {
	im.now = e.Line
	known := im.procs[e.PID] != nil || e.PID == 0 && im.only() != nil
	switch {
	case e.Kind == strace.Other:
		return
	case !known && e.Call != nil && strings.HasPrefix(e.Call.Name, "exit"), !known && e.Kind == strace.Exit && e.PID != 0:
		// The rest of a process that has ended already.
		if len(im.events[e.PID]) == 0 {
			im.countUnstarted(e)
			return
		}
	}
	// A process that strace has begun to watch is a new one, and not the first one with its number.
	var p *process
	if e.Kind == strace.Attached && im.procs[e.PID] == nil {
		p = im.birth(e.PID)
	} else {
		p = im.process(e.PID)
	}
	if p == nil {
		im.events[e.PID] = append(im.events[e.PID], *e)
		return
	}
	// The line's own event. A process has one call at a time.
	switch e.Kind {
	case strace.Exit:
		im.exit(p)
	case strace.Superseded:
		im.supersede(p, e.By)
	case strace.Whole:
		im.abandoned(p)
		im.finish(im.begin(p, e.Call))
	case strace.Begin:
		im.abandoned(p)
		a := im.begin(p, e.Call)
		p.call = a
		im.pending = append(im.pending, a)
	case strace.End:
		a := p.call
		if a == nil || a.c.Name != e.Call.Name {
			im.abandoned(p)
			a = im.begin(p, e.Call)
		}
		a.c = e.Call
		im.finish(a)
	}
}

// countUnstarted counts a call of a process that is not there.
func (im *importer) countUnstarted(e *strace.Event) {
	if e.Kind == strace.Whole || e.Kind == strace.End {
		im.report.Calls++
		im.report.NoBlock++
	}
}

// abandoned takes back a call whose end the log does not show.
func (im *importer) abandoned(p *process) {
	if p.call != nil {
		im.report.Calls++
		im.report.CutOff++
		im.leave(p.call)
	}
}

// supersede makes p what process by was: that one has called execve, which takes the number of the
// first thread.
func (im *importer) supersede(p *process, by int) {
	q := im.procs[by]
	if q == nil || q == p {
		return
	}
	im.exit(p)
	delete(im.procs, by)
	q.pid = p.pid
	im.procs[q.pid] = q
}

// begin takes hold of what a call works on.
func (im *importer) begin(p *process, c *strace.Call) *active {
	a := &active{p: p, c: c, do: im.calls[c.Name]}
	for _, arg := range a.do.fds {
		f, ok := strace.ParseFD(c.Arg(arg))
		if _, open := p.files.fds[f.N]; !ok || !open && c.Name == "close" {
			continue
		}
		if d := im.lookup(p, f); d != nil {
			d.refs++
			a.held = append(a.held, held{arg, d})
			// The descriptor is free from now on, and others may get its number before the call ends.
			if c.Name == "close" {
				delete(p.files.fds, f.N)
				im.release(d)
			}
		}
	}
	return a
}

// finish performs a call that has ended.
func (im *importer) finish(a *active) {
	c, p := a.c, a.p
	im.report.Calls++
	im.unlist(a)
	// Each call is counted here, once. One that was performed before its end has its outcome already,
	// and its end says under which number the file is open.
	switch {
	case strings.HasPrefix(c.Name, "exit"):
		im.report.NoBlock++
	case c.Failed():
		im.report.Failed++
	case a.settled:
		if a.opened != nil {
			im.install(p, int(c.Ret), a.opened, strings.Contains(strings.Join(c.Args, ","), "O_CLOEXEC"))
		}
		im.report.count(c, a.came)
	case a.do.run == nil:
		im.report.count(c, im.other(c))
	default:
		im.report.count(c, a.do.run(im, a))
	}
	// What the call has held is given back: close closes the file here.
	if a.opened != nil {
		im.release(a.opened)
	}
	im.leave(a)
	if c.Name == "exit_group" || c.Name == "exit" {
		im.exit(p)
	}
	// The end of a clone may tell whose child a process is that has shown itself before.
	if isClone(c.Name) {
		im.releaseEvents(false)
	}
}

// other is what becomes of a call that import does not perform.
func (im *importer) other(c *strace.Call) outcome {
	if harmless[c.Name] {
		return quiet
	}
	for _, arg := range c.Args {
		if strings.Contains(arg, im.root) && im.root != "/" {
			return outcome{leftOut, c.Name + ": mbsim import does not know this call"}
		}
	}
	return outcome{kind: outsideRoot}
}

// releaseEvents performs what was kept of processes whose parents are known by now; of all, where no
// call is left that might have made them.
func (im *importer) releaseEvents(all bool) {
	if len(im.events) == 0 {
		return
	}
	if !slices.ContainsFunc(im.pending, func(a *active) bool { return isClone(a.c.Name) && a.child == nil }) {
		all = true
	}
	// The order of the processes' numbers, as that of a map would change from run to run.
	for _, pid := range slices.Sorted(maps.Keys(im.events)) {
		if im.procs[pid] == nil && !all {
			continue
		}
		// They are no longer kept when they are performed, or they would be kept again.
		events := im.events[pid]
		delete(im.events, pid)
		if im.procs[pid] == nil {
			im.newProcess(pid)
		}
		now := im.now
		for i := range events {
			im.event(&events[i])
		}
		im.now = now
	}
}

// harmless are calls that move no block, wherever.
var harmless = func() map[string]bool {
	m := make(map[string]bool)
	for name := range strings.FieldsSeq(`access faccessat faccessat2 chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat
		utime utimes utimensat futimesat statfs fstatfs statfs64 fstatfs64 umask flock fadvise64 posix_fadvise readahead
		getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr inotify_add_watch inotify_rm_watch name_to_handle_at
		poll ppoll select pselect6 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 wait4 waitid kill tgkill tkill munmap mprotect
		brk mremap madvise futex chroot connect bind listen sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg
		shutdown getsockname getpeername setsockopt getsockopt tee vmsplice msync`) {
		m[name] = true
	}
	return m
}()
