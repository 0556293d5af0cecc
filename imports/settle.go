package imports

import "mbsim/imports/strace"

// settle performs calls that have begun and concern a name, and have not ended: another call has shown
// that they have had their effect. Lines of a log come in the order in which strace saw calls end, and
// the kernel may have been done with one before.
func (im *importer) settle(in *node, as string) {
	for _, a := range im.pending {
		if a.settled || len(a.do.names) == 0 || im.settling {
			continue
		}
		for _, at := range a.do.names {
			if !im.concerns(a, at, in, as) {
				continue
			}
			// It is performed as if it had succeeded. What it opens its end will say.
			im.settling = true
			a.settled = true
			a.came = a.do.run(im, a)
			im.settling = false
			break
		}
	}
}

// concerns says whether arguments of a call name an entry of a directory.
func (im *importer) concerns(a *active, at [2]int, in *node, as string) bool {
	p, _, ok := strace.String(a.c.Arg(at[1]))
	if !ok {
		return false
	}
	t, w, _ := im.walk(im.from(a, at[0]), p, true, false)
	return w == inside && t.in == in && t.as == as
}

// from is the spot where the path of a call begins: its descriptor argument, or the working directory
// where there is none (-1).
func (im *importer) from(a *active, arg int) spot {
	if arg >= 0 {
		f, ok := strace.ParseFD(a.c.Arg(arg))
		if d := a.file(arg); ok && d != nil {
			return d.at
		}
		if !ok || f.N != strace.AtCWD {
			return spot{}
		}
		// strace shows the working directory where the log does not say how it came to be.
		if !a.p.cwd.at.known() && f.Path != "" && !f.Deleted {
			if t, w, out := im.walk(spot{}, f.Path, false, true); w == outside {
				a.p.cwd.at.out = out
			} else if w == inside {
				a.p.cwd.at.n = im.dirAt(t)
			}
		}
	}
	return a.p.cwd.at
}

// dirAt is the directory at a target, which must be there.
func (im *importer) dirAt(t target) *node {
	if t.n == nil {
		return im.discover(t.in, t.as, dir)
	}
	im.becomeDir(t.n)
	return t.n
}

// reach follows a path of a call that has succeeded. where is not inside where there is nothing to do.
func (im *importer) reach(a *active, at [2]int, follow bool) (t target, o outcome) {
	p, cut, ok := strace.String(a.c.Arg(at[1]))
	if !ok || cut {
		return t, outcome{leftOut, "a path that the log does not show in full"}
	}
	t, w, _ := im.walk(im.from(a, at[0]), p, follow, true)
	switch w {
	case outside:
		return t, outcome{kind: outsideRoot}
	case unknown:
		return t, outcome{leftOut, "a path that begins at a folder that is not known (--cwd says where the program began)"}
	}
	return t, outcome{}
}

// free makes a name free that a call has just taken: whatever stands there must have gone.
func (im *importer) freeName(t *target) {
	if t.n == nil {
		return
	}
	im.settle(t.in, t.as)
	if t.n = t.in.children[t.as]; t.n != nil {
		im.report.note(noteVanished, im.now)
		im.drop(t.in, t.as, t.n)
		t.n = nil
	}
}
