package imports

import (
	"fmt"
	"strconv"
	"strings"

	"mbsim/imports/strace"
	"mbsim/workload"
)

// nameHandlers are the calls that make names, take them away, and open files.
func nameHandlers(add func(string, handler)) {
	// at makes the handlers of a call and of its form with a folder's descriptor in front.
	at := func(f func(*importer, *active, [2]int) outcome, plain, withFolder string) {
		for calls, arg := range map[string][2]int{plain: {-1, 0}, withFolder: {0, 1}} {
			h := handler{names: [][2]int{arg}, run: func(im *importer, a *active) outcome { return f(im, a, arg) }}
			if arg[0] == 0 {
				h.fds = []int{0}
			}
			add(calls, h)
		}
	}
	at((*importer).openat, "open creat", "openat openat2")
	at((*importer).mkdirat, "mkdir", "mkdirat")
	at((*importer).unlinkat, "unlink rmdir", "unlinkat")
	at((*importer).mknodat, "mknod", "mknodat")
	add("symlink", handler{names: [][2]int{{-1, 1}}, run: func(im *importer, a *active) outcome { return im.symlinkat(a, [2]int{-1, 1}) }})
	add("symlinkat", handler{fds: []int{1}, names: [][2]int{{1, 2}}, run: func(im *importer, a *active) outcome { return im.symlinkat(a, [2]int{1, 2}) }})
	// Those with two names.
	two := func(f func(*importer, *active, [2]int, [2]int) outcome, plain, withFolders string) {
		add(plain, handler{names: [][2]int{{-1, 0}, {-1, 1}}, run: func(im *importer, a *active) outcome { return f(im, a, [2]int{-1, 0}, [2]int{-1, 1}) }})
		add(withFolders, handler{fds: []int{0, 2}, names: [][2]int{{0, 1}, {2, 3}}, run: func(im *importer, a *active) outcome { return f(im, a, [2]int{0, 1}, [2]int{2, 3}) }})
	}
	two((*importer).renameat, "rename", "renameat renameat2")
	two((*importer).linkat, "link", "linkat")
	add("truncate truncate64", handler{run: (*importer).truncatePath})
}

// openFlags are the flags of an open call.
func openFlags(a *active, at [2]int) string {
	arg := a.c.Arg(at[1] + 1)
	switch {
	case a.c.Name == "creat":
		return "O_CREAT|O_WRONLY|O_TRUNC"
	case a.c.Name == "openat2":
		arg, _ = strace.Field(arg, "flags")
	}
	return arg
}

// openat opens a file, and makes it where the flags say so.
func (im *importer) openat(a *active, at [2]int) outcome {
	flags := openFlags(a, at)
	// What strace shows of the new descriptor is where it leads, whatever links are on the way.
	var t target
	var o outcome
	switch shown := a.c.RetFD; {
	case shown.Shown && !shown.Deleted && !im.below(shown.Path):
		d := im.newFile(spot{out: shown.Path})
		im.opened(a, d, flags)
		return outcome{kind: outsideRoot}
	case shown.Path != "" && !shown.Deleted:
		var w where
		if t, w, _ = im.walk(spot{}, shown.Path, false, true); w != inside {
			o = outcome{leftOut, "an open of what is behind a symbolic link that is not known"}
		}
	default:
		t, o = im.reach(a, at, !strace.Has(flags, "O_NOFOLLOW"))
	}
	if o.kind == outsideRoot {
		// Relative paths may begin at it.
		p, _, _ := strace.String(a.c.Arg(at[1]))
		_, _, out := im.walk(im.from(a, at[0]), p, true, false)
		im.opened(a, im.newFile(spot{out: out}), flags)
	}
	if o.kind != performed {
		return o
	}
	ops := im.report.Ops
	d, o := im.openTarget(t, flags)
	if d == nil {
		return o
	}
	im.opened(a, d, flags)
	if im.report.Ops == ops {
		return outcome{kind: noBlock}
	}
	return o
}

// opened gives an open file to the process, or keeps it until the call has ended.
func (im *importer) opened(a *active, d *openFile, flags string) {
	if a.settled {
		d.refs++
		a.opened = d
		return
	}
	im.install(a.p, int(a.c.Ret), d, strace.Has(flags, "O_CLOEXEC"))
}

// openTarget opens what is at a target.
func (im *importer) openTarget(t target, flags string) (*openFile, outcome) {
	n, made := t.n, false
	switch {
	case strace.Has(flags, "O_TMPFILE"):
		in := im.dirAt(t)
		if in.kind != dir {
			return nil, outcome{leftOut, impossible}
		}
		n, made = im.tmpfile(in), true
	case n == nil && strace.Has(flags, "O_DIRECTORY"):
		n = im.discover(t.in, t.as, dir)
	case n == nil && strace.Has(flags, "O_CREAT"):
		n, made = im.create(t), true
	case n == nil:
		n = im.discover(t.in, t.as, file)
	case t.in != nil && strace.Has(flags, "O_CREAT") && strace.Has(flags, "O_EXCL"):
		im.freeName(&t)
		n, made = im.create(t), true
	}
	if made && strace.Has(flags, "O_EXCL") {
		n.maybe = ""
	}
	// What is no file, or is opened as a place alone, has nothing to do in the script.
	d := im.newFile(spot{n: n})
	if n.kind != file || strace.Has(flags, "O_PATH") {
		return d, outcome{}
	}
	// A file that is open for writing is so in the script too: its last close gives preallocated
	// blocks back. One that is only read is opened when something needs it.
	d.writable = strace.Has(flags, "O_WRONLY") || strace.Has(flags, "O_RDWR")
	d.appends, d.direct = strace.Has(flags, "O_APPEND"), strace.Has(flags, "O_DIRECT")
	d.syncs = strace.Has(flags, "O_SYNC") || strace.Has(flags, "O_DSYNC")
	empties := strace.Has(flags, "O_TRUNC")
	if made || empties || d.writable {
		d.fd = im.open(n, made || empties, d.direct)
	}
	// O_TRUNC truncates for readers too.
	if empties {
		im.resize(n, 0)
		n.fixed()
	}
	if !d.writable && d.fd != "" {
		im.close(n, d.fd)
		d.fd = ""
	}
	return d, outcome{}
}

// create makes the model of a new file. Whoever opens it makes it in the script.
func (im *importer) create(t target) *node {
	n := &node{kind: file}
	if p, ok := im.wasThere(t.in, t.as); ok {
		n.maybe = p
	}
	n.attach(t.in, t.as)
	im.born(n)
	return n
}

// tmpfile makes the model of a file without a name, which the script gives one.
func (im *importer) tmpfile(in *node) *node {
	n := &node{kind: file, hidden: true}
	n.attach(in, im.unused(in))
	im.born(n)
	return n
}

// unused is a name in a directory for the script's own use.
func (im *importer) unused(in *node) string {
	for i := 1; ; i++ {
		as := ".mbsim-tmpfile-" + strconv.Itoa(i)
		if in.children[as] == nil {
			return as
		}
	}
}

func (im *importer) mkdirat(a *active, at [2]int) outcome {
	t, o := im.reach(a, at, false)
	if o.kind != performed || t.in == nil {
		return o
	}
	im.freeName(&t)
	n := &node{kind: dir, children: make(map[string]*node)}
	n.attach(t.in, t.as)
	im.born(n)
	im.make(n)
	return outcome{}
}

// unlinkat is rmdir too.
func (im *importer) unlinkat(a *active, at [2]int) outcome {
	t, o := im.reach(a, at, false)
	if o.kind != performed || t.in == nil {
		return o
	}
	k := file
	if a.c.Name == "rmdir" || strace.Has(a.c.Arg(2), "AT_REMOVEDIR") {
		k = dir
	}
	// What was not known has been there before.
	if t.n == nil {
		t.n = im.discover(t.in, t.as, k)
	}
	if k == dir {
		im.becomeDir(t.n)
	}
	// What the script does not have it need not remove.
	ops := im.report.Ops
	im.drop(t.in, t.as, t.n)
	if im.report.Ops == ops {
		return outcome{leftOut, "a removal of a symbolic link, a further name of a file, a pipe or a device"}
	}
	return outcome{}
}

func (im *importer) mknodat(a *active, at [2]int) outcome {
	t, o := im.reach(a, at, false)
	if o.kind != performed || t.in == nil {
		return o
	}
	im.freeName(&t)
	n := &node{kind: special}
	mode := a.c.Arg(at[1] + 1)
	if strings.HasPrefix(mode, "S_IFREG") || strings.HasPrefix(mode, "0") {
		n.kind = file
	}
	n.attach(t.in, t.as)
	im.born(n)
	im.make(n)
	if n.kind == special {
		return outcome{leftOut, "a pipe, a socket or a device (mknod)"}
	}
	return outcome{}
}

func (im *importer) symlinkat(a *active, at [2]int) outcome {
	t, o := im.reach(a, at, false)
	if o.kind != performed || t.in == nil {
		return o
	}
	im.freeName(&t)
	n := &node{kind: link}
	n.target, _, _ = strace.String(a.c.Arg(0))
	n.attach(t.in, t.as)
	im.born(n)
	return outcome{leftOut, "a symbolic link"}
}

// truncatePath is truncate of a path.
func (im *importer) truncatePath(a *active) outcome {
	t, o := im.reach(a, [2]int{-1, 0}, true)
	if o.kind != performed {
		return o
	}
	if t.n == nil {
		t.n = im.discover(t.in, t.as, file)
	}
	d := im.newFile(spot{n: t.n})
	d.refs++
	o = im.truncate(d, a.c.Arg(1))
	im.release(d)
	return o
}

// linkSource is what linkat gives another name: a path, or an open file.
func (im *importer) linkSource(a *active, at [2]int) (*node, outcome) {
	p, _, _ := strace.String(a.c.Arg(at[1]))
	arg, flags := at[0], a.c.Arg(4)
	// An open file without a name is linked by its descriptor, or by its path in /proc.
	var number string
	var inProc bool
	if number, inProc = strings.CutPrefix(p, "/proc/self/fd/"); !inProc {
		number, inProc = strings.CutPrefix(p, fmt.Sprintf("/proc/%d/fd/", a.p.pid))
	}
	if fd, err := strconv.Atoi(number); inProc && err == nil {
		if e, ok := a.p.files.fds[fd]; ok {
			return e.d.at.n, outcome{}
		}
	}
	if d := a.file(arg); p == "" && strace.Has(flags, "AT_EMPTY_PATH") && d != nil {
		return d.at.n, outcome{}
	}
	t, o := im.reach(a, at, strace.Has(flags, "AT_SYMLINK_FOLLOW"))
	if o.kind == performed && t.n == nil {
		t.n = im.discover(t.in, t.as, file)
	}
	return t.n, o
}

// linkat gives a file another name.
func (im *importer) linkat(a *active, from, to [2]int) outcome {
	n, o := im.linkSource(a, from)
	if o.kind == outsideRoot || o.kind == leftOut {
		return o
	}
	t, o := im.reach(a, to, false)
	if o.kind != performed || n == nil || t.in == nil {
		return o
	}
	// A directory has one name, and is not what its new entry would lie in.
	if n.kind == dir || t.n == n {
		return outcome{leftOut, impossible}
	}
	im.freeName(&t)
	was, _ := n.path(im.tree)
	n.attach(t.in, t.as)
	// The name that the script gave a file without one becomes the right one.
	if n.hidden {
		n.hidden = false
		n.detach(n.names[0].in, n.names[0].as)
		if now, ok := n.path(im.tree); ok {
			im.emit(workload.Op{Kind: workload.Rename, Path: was, To: now})
		}
		return outcome{}
	}
	return outcome{leftOut, "a further name of a file (a hard link): the script has the first name, and all data"}
}

func (im *importer) renameat(a *active, from, to [2]int) outcome {
	src, o := im.reach(a, from, false)
	dst, o2 := im.reach(a, to, false)
	// A rename across the root is one of another part of the same file system.
	if o.kind == outsideRoot && o2.kind == performed && dst.in != nil {
		if dst.n != nil {
			im.drop(dst.in, dst.as, dst.n)
		}
		im.discover(dst.in, dst.as, file)
		return outcome{leftOut, "a rename from outside the root: the file is made anew, empty"}
	}
	if o.kind == performed && o2.kind == outsideRoot && src.in != nil && src.n != nil {
		im.drop(src.in, src.as, src.n)
		return outcome{leftOut, "a rename out of the root: the file is removed"}
	}
	if o.kind != performed {
		return o
	}
	if o2.kind != performed || src.in == nil || dst.in == nil {
		return o2
	}
	if src.n == nil {
		src.n = im.discover(src.in, src.as, file)
	}
	if strace.Has(a.c.Arg(4), "RENAME_EXCHANGE") {
		return im.exchange(src, dst)
	}
	return im.rename(src, dst)
}

// rename moves a name over another.
func (im *importer) rename(src, dst target) outcome {
	switch {
	case src.n == dst.n:
		return outcome{kind: noBlock} // two names of one file: the kernel does nothing
	case within(dst.in, src.n), dst.n != nil && within(src.in, dst.n):
		return outcome{leftOut, impossible}
	}
	_, ok := src.n.path(im.tree)
	inScript := ok && src.n.first(src.in, src.as) && (src.n.kind == file || src.n.kind == dir)
	// What the new name stood for is gone; the script's rename does that itself where it can.
	if dst.n != nil {
		im.replace(dst, inScript)
	}
	im.move(src.n, src, dst)
	if !inScript {
		return outcome{leftOut, "a rename of a symbolic link, a further name of a file, a pipe or a device"}
	}
	return outcome{}
}

// replace takes away what a rename replaces. over says that the script renames over it.
func (im *importer) replace(dst target, over bool) {
	n := dst.n
	if n.kind == dir {
		im.empty(n)
	}
	// Only the last name of a file, or a directory, goes by the rename itself.
	if !over || n.kind != file && n.kind != dir || len(n.names) != 1 {
		im.drop(dst.in, dst.as, n)
		return
	}
	im.hold(n)
	n.detach(dst.in, dst.as)
	im.space.names--
	if n.opens == 0 {
		im.resize(n, 0)
	}
}

// impossible is why a call is left out that no kernel performs, so that something before it is not in
// the log.
const impossible = "a rename or link that the files known from the log do not allow"

// exchange swaps two names by three renames.
func (im *importer) exchange(src, dst target) outcome {
	if dst.n == nil {
		dst.n = im.discover(dst.in, dst.as, file)
	}
	switch {
	case src.n == dst.n:
		return outcome{kind: noBlock}
	case within(dst.in, src.n), within(src.in, dst.n):
		return outcome{leftOut, impossible}
	}
	between := target{src.in, im.unused(src.in), nil}
	for _, step := range [][2]target{{src, between}, {{dst.in, dst.as, dst.n}, {src.in, src.as, nil}}, {{between.in, between.as, src.n}, {dst.in, dst.as, nil}}} {
		if o := im.rename(step[0], step[1]); o.kind != performed {
			return o
		}
	}
	return outcome{}
}
