package imports

import (
	"maps"
	"slices"
	"strings"

	"mbsim/imports/strace"
)

// processHandlers are the calls that change descriptors, working directories and processes.
func processHandlers(add func(string, handler)) {
	add("close", handler{fds: []int{0}, run: (*importer).closed})
	add("close_range", handler{run: (*importer).closeRange})
	add("dup dup2 dup3", handler{fds: []int{0}, run: (*importer).dup})
	add("fcntl fcntl64", handler{fds: []int{0}, run: (*importer).fcntl})
	add("ioctl", handler{fds: []int{0}, run: (*importer).ioctl})
	add("chdir", handler{run: (*importer).chdir})
	add("fchdir", handler{fds: []int{0}, run: (*importer).fchdir})
	add("getcwd", handler{run: (*importer).getcwd})
	add("execve execveat", handler{run: (*importer).execve})
	add("clone clone3 fork vfork", handler{run: (*importer).clone})
	add("unshare", handler{run: (*importer).unshare})
	// Descriptors of something else than a file.
	add("socket accept accept4 epoll_create epoll_create1 eventfd eventfd2 timerfd_create memfd_create inotify_init inotify_init1 pidfd_open signalfd signalfd4 userfaultfd fanotify_init perf_event_open mq_open", handler{run: (*importer).otherFD})
	add("pipe pipe2", handler{run: func(im *importer, a *active) outcome { return im.pair(a, 0) }})
	add("socketpair", handler{run: func(im *importer, a *active) outcome { return im.pair(a, 3) }})
	add("io_uring_setup io_uring_enter io_submit", handler{run: (*importer).unseen})
	add("setxattr lsetxattr removexattr lremovexattr", handler{run: func(im *importer, a *active) outcome { return im.xattr(a, [2]int{-1, 0}) }})
	add("fsetxattr fremovexattr", handler{fds: []int{0}, run: (*importer).fxattr})
	add("sync_file_range", handler{fds: []int{0}, run: (*importer).fileRange})
}

var quiet = outcome{kind: noBlock}

// closed is close(2). The descriptor has been free since the call began (begin).
func (im *importer) closed(a *active) outcome {
	switch d := a.file(0); {
	case d == nil:
		return quiet
	case d.at.n == nil:
		return outcome{kind: outsideRoot}
	case d.fd == "" || d.refs > 1:
		return quiet // the script has it not open, or others have it open still
	}
	return outcome{} // leave closes it
}

// closeRange closes descriptors, or lets execve close them.
func (im *importer) closeRange(a *active) outcome {
	from, ok1 := strace.Int(a.c.Arg(0))
	to, ok2 := strace.Int(a.c.Arg(1))
	if !ok1 || !ok2 {
		return outcome{leftOut, "close_range with a range that is no number"}
	}
	if strace.Has(a.c.Arg(2), "CLOSE_RANGE_UNSHARE") {
		im.ownTable(a.p)
	}
	// From the lowest number up, as the kernel does; only what is open counts, however long the range.
	ops := im.report.Ops
	for _, fd := range slices.Sorted(maps.Keys(a.p.files.fds)) {
		e := a.p.files.fds[fd]
		switch {
		case int64(fd) < from || int64(fd) > to:
		case strace.Has(a.c.Arg(2), "CLOSE_RANGE_CLOEXEC"):
			e.cloexec = true
			a.p.files.fds[fd] = e
		default:
			delete(a.p.files.fds, fd)
			im.release(e.d)
		}
	}
	if im.report.Ops > ops {
		return outcome{}
	}
	return quiet
}

// dup gives an open file another descriptor.
func (im *importer) dup(a *active) outcome {
	im.duplicate(a, a.file(0), strace.Has(a.c.Arg(2), "O_CLOEXEC"))
	return quiet
}

// duplicate makes what the call has returned a descriptor of d, nil where that is not known.
func (im *importer) duplicate(a *active, d *openFile, cloexec bool) {
	fd := int(a.c.Ret)
	e, ok := a.p.files.fds[fd]
	switch {
	case ok && e.d == d:
		return // dup2 of a descriptor to itself
	case d == nil && ok:
		// What it is now is not known, but it is no longer what it was.
		delete(a.p.files.fds, fd)
		im.release(e.d)
		return
	case d == nil:
		return
	}
	im.install(a.p, fd, d, cloexec)
}

func (im *importer) fcntl(a *active) outcome {
	d, cmd, arg := a.file(0), a.c.Arg(1), a.c.Arg(2)
	if cmd == "F_DUPFD" || cmd == "F_DUPFD_CLOEXEC" {
		im.duplicate(a, d, cmd == "F_DUPFD_CLOEXEC")
		return quiet
	}
	if d == nil {
		return quiet
	}
	switch cmd {
	case "F_SETFL":
		d.appends, d.direct = strace.Has(arg, "O_APPEND"), strace.Has(arg, "O_DIRECT")
	case "F_SETFD":
		im.setCloexec(a, strace.Has(arg, "FD_CLOEXEC"))
	}
	return quiet
}

// setCloexec sets whether execve closes the descriptor of argument 0.
func (im *importer) setCloexec(a *active, cloexec bool) {
	f, _ := strace.ParseFD(a.c.Arg(0)) // it has been parsed before
	if e, ok := a.p.files.fds[f.N]; ok {
		e.cloexec = cloexec
		a.p.files.fds[f.N] = e
	}
}

func (im *importer) ioctl(a *active) outcome {
	switch cmd := a.c.Arg(1); cmd {
	case "FIOCLEX", "FIONCLEX":
		im.setCloexec(a, cmd == "FIOCLEX")
	case "FS_IOC_SETFLAGS", "EXT4_IOC_MOVE_EXT", "FITRIM", "EXT4_IOC_SHUTDOWN", "FS_IOC_FSSETXATTR":
		if d, o := im.fileOf(a, 0); d == nil {
			return o
		}
		return outcome{leftOut, "ioctl " + cmd}
	}
	return quiet
}

func (im *importer) chdir(a *active) outcome {
	p, _, _ := strace.String(a.c.Arg(0))
	t, w, out := im.walk(a.p.cwd.at, p, true, true)
	switch w {
	case unknown:
		// Paths that begin here are of unknown places from now on.
		a.p.cwd.at = spot{}
	case outside:
		a.p.cwd.at = spot{out: out}
	default:
		a.p.cwd.at = spot{n: im.dirAt(t)}
	}
	return quiet
}

func (im *importer) fchdir(a *active) outcome {
	a.p.cwd.at = spot{}
	if d := a.file(0); d != nil {
		a.p.cwd.at = d.at
	}
	return quiet
}

// getcwd shows the working directory, where it was not known.
func (im *importer) getcwd(a *active) outcome {
	p, cut, ok := strace.String(a.c.Arg(0))
	if !ok || cut || a.p.cwd.at.known() || !strings.HasPrefix(p, "/") {
		return quiet
	}
	if t, w, out := im.walk(spot{}, p, true, true); w == outside {
		a.p.cwd.at = spot{out: out}
	} else if w == inside {
		a.p.cwd.at = spot{n: im.dirAt(t)}
	}
	return quiet
}

// ownTable gives a process a table of descriptors of its own.
func (im *importer) ownTable(p *process) {
	if p.files.refs > 1 {
		p.files.refs--
		p.files = p.files.copy()
	}
}

// execve closes the descriptors that are marked for it.
func (im *importer) execve(a *active) outcome {
	// A table that is shared with others is left to them.
	im.ownTable(a.p)
	for _, fd := range slices.Sorted(maps.Keys(a.p.files.fds)) {
		if e := a.p.files.fds[fd]; e.cloexec {
			delete(a.p.files.fds, fd)
			im.release(e.d)
		}
	}
	return quiet
}

// clone has made a process, which may have shown itself before.
func (im *importer) clone(a *active) outcome {
	pid := int(a.c.Ret)
	if a.child == nil || a.child.pid != pid {
		a.child = im.fork(a.p, strings.Join(a.c.Args, ","), pid)
	}
	return quiet
}

func (im *importer) unshare(a *active) outcome {
	if strace.Has(a.c.Arg(0), "CLONE_FILES") {
		im.ownTable(a.p)
	}
	if strace.Has(a.c.Arg(0), "CLONE_FS") || strace.Has(a.c.Arg(0), "CLONE_NEWNS") {
		a.p.cwd = &workingDir{a.p.cwd.at}
	}
	return quiet
}

// otherFD is a new descriptor of no file.
func (im *importer) otherFD(a *active) outcome {
	im.install(a.p, int(a.c.Ret), im.newFile(spot{}), strings.Contains(strings.Join(a.c.Args, ","), "CLOEXEC"))
	return quiet
}

// pair is two new descriptors of no file, which argument arg shows: [3<pipe:[7]>, 4<pipe:[7]>].
func (im *importer) pair(a *active, arg int) outcome {
	cloexec := strings.Contains(strings.Join(a.c.Args, ","), "CLOEXEC")
	for word := range strings.SplitSeq(strings.Trim(a.c.Arg(arg), "[]"), ", ") {
		if f, ok := strace.ParseFD(word); ok && f.N >= 0 {
			im.install(a.p, f.N, im.newFile(spot{}), cloexec)
		}
	}
	return quiet
}

func (im *importer) unseen(a *active) outcome {
	if a.c.Name == "io_uring_setup" {
		im.otherFD(a)
	}
	return outcome{leftOut, a.c.Name + ": what a program does by io_uring or aio is in no log"}
}

func (im *importer) xattr(a *active, at [2]int) outcome {
	if _, o := im.reach(a, at, true); o.kind != performed {
		return o
	}
	return outcome{leftOut, "an extended attribute"}
}

func (im *importer) fxattr(a *active) outcome {
	if d, o := im.fileOf(a, 0); d == nil {
		return o
	}
	return outcome{leftOut, "an extended attribute"}
}

func (im *importer) fileRange(a *active) outcome {
	if d, o := im.fileOf(a, 0); d == nil {
		return o
	}
	return outcome{leftOut, "sync_file_range"}
}
