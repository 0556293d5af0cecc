package imports

import (
	"strings"

	"mbsim/imports/strace"
)

// statHandlers are the calls that only show what is there.
func statHandlers(add func(string, handler)) {
	stat := func(calls string, at [2]int, info int, follow func(*active) bool) {
		h := handler{run: func(im *importer, a *active) outcome { return im.stat(a, at, info, follow(a)) }}
		if at[0] >= 0 {
			h.fds = []int{at[0]}
		}
		add(calls, h)
	}
	// Whether a symbolic link at the end is followed: by the call's name, or by a flag.
	always := func(*active) bool { return true }
	never := func(*active) bool { return false }
	flag := func(arg int) func(*active) bool {
		return func(a *active) bool { return !strace.Has(a.c.Arg(arg), "AT_SYMLINK_NOFOLLOW") }
	}
	stat("stat stat64", [2]int{-1, 0}, 1, always)
	stat("lstat lstat64", [2]int{-1, 0}, 1, never)
	stat("newfstatat fstatat64", [2]int{0, 1}, 2, flag(3))
	stat("statx", [2]int{0, 1}, 4, flag(2))
	add("fstat fstat64", handler{fds: []int{0}, run: func(im *importer, a *active) outcome { return im.statFD(a, a.c.Arg(1)) }})
	add("readlink", handler{run: func(im *importer, a *active) outcome { return im.readlink(a, [2]int{-1, 0}) }})
	add("readlinkat", handler{fds: []int{0}, run: func(im *importer, a *active) outcome { return im.readlink(a, [2]int{0, 1}) }})
	add("getdents getdents64", handler{fds: []int{0}, run: func(im *importer, a *active) outcome {
		if d := a.file(0); d != nil && d.at.n != nil {
			im.becomeDir(d.at.n)
		}
		return quiet
	}})
}

// modeKinds are the types of files as st_mode has them.
var modeKinds = map[string]kind{"S_IFREG": file, "S_IFDIR": dir, "S_IFLNK": link, "S_IFIFO": special, "S_IFSOCK": special, "S_IFCHR": special, "S_IFBLK": special}

// statInfo is what a stat structure shows: type and size.
func statInfo(info string) (k kind, size int64, ok bool) {
	mode, ok := strace.Field(info, "st_mode")
	sizeText, ok2 := strace.Field(info, "st_size")
	if !ok {
		mode, ok = strace.Field(info, "stx_mode")
		sizeText, ok2 = strace.Field(info, "stx_size")
	}
	mode, _, _ = strings.Cut(mode, "|")
	k, known := modeKinds[mode]
	if size, known2 := strace.Int(sizeText); ok2 && known2 {
		return k, size, ok && known
	}
	return k, -1, ok && known
}

// stat shows that something is there, what, and how large.
func (im *importer) stat(a *active, at [2]int, info int, follow bool) outcome {
	p, _, _ := strace.String(a.c.Arg(at[1]))
	if p == "" {
		return im.statFD(a, a.c.Arg(info))
	}
	k, size, ok := statInfo(a.c.Arg(info))
	if !ok {
		return quiet
	}
	t, o := im.reach(a, at, follow)
	if o.kind == performed {
		im.shown(t, k, size, a)
	}
	return quiet
}

// shown notes what stands at a target.
func (im *importer) shown(t target, k kind, size int64, a *active) {
	switch {
	case t.n == nil:
		t.n = im.discover(t.in, t.as, k)
	case k == dir:
		im.becomeDir(t.n)
	}
	if t.n.kind == file && k == file && size >= 0 {
		im.sizeSeen(t.n, size, true, a)
	}
}

// statFD is stat of a descriptor.
func (im *importer) statFD(a *active, info string) outcome {
	k, size, ok := statInfo(info)
	if d := a.file(0); ok && d != nil && d.at.n != nil {
		im.shown(target{n: d.at.n}, k, size, a)
	}
	return quiet
}

// readlink shows that a name is a symbolic link, and where it leads.
func (im *importer) readlink(a *active, at [2]int) outcome {
	t, o := im.reach(a, at, false)
	if o.kind != performed || t.in == nil {
		return quiet
	}
	if t.n == nil {
		t.n = im.discover(t.in, t.as, link)
	}
	to, cut, ok := strace.String(a.c.Arg(at[1] + 1))
	if t.n.kind == link && ok && !cut && t.n.target == "" {
		t.n.target = to
		if t.n.before != nil {
			t.n.before.target = to
		}
	}
	return quiet
}
