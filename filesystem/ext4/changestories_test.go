package ext4

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"mbsim/allocator"
	"mbsim/workload"
)

// change performs the input on two kernels: Linux 5.10 with what a change needs, and with the
// change too. What they answer must differ.
//
//	change name=NAME [show] [size=64M] [mkfs=(...)] [mount=(...)] [smp=1]
//
// The input is operations, as TestStories has them (with show all that the allocator is asked
// is printed), and questions of TestStories behind a question mark: "? status a".
func (s *scene) change() {
	at := slices.IndexFunc(Changes, func(c allocator.Change[Kernel]) bool { return c.Name == s.text("name", "") })
	if at < 0 {
		s.d.Fatalf(s.t, "no change of that name")
	}
	c := Changes[at]
	before := Linux5_10
	for _, other := range Changes {
		if slices.Contains(c.Needs, other.Name) {
			other.Apply(&before)
		}
	}
	after := before
	c.Apply(&after)
	// The answers on both kernels.
	show := s.d.HasArg("show")
	s.used["show"] = show
	one, two := s.answers(before, show), s.answers(after, show)
	if one == two {
		s.d.Fatalf(s.t, "the change makes no difference:\n%s", one)
	}
	s.out.WriteString("without it\n" + one + "with it\n" + two)
}

// answers performs the input on a kernel.
func (s *scene) answers(k Kernel, show bool) string {
	size, err := workload.ParseSize(s.text("size", "64M"))
	if err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
	st := story{t: s.t, c: script{
		size: size, mkfs: s.text("mkfs", "-b 4096"), mount: s.text("mount", ""), cpus: int(s.number("smp", 1)), kernel: &k,
	}}
	if st.fs, st.play, err = st.c.startWatched(&st.log, &st.log); err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
	// Line by line; what succeeds and prints nothing is not worth a line.
	var out strings.Builder
	for line := range strings.Lines(s.d.Input) {
		line = strings.TrimSpace(line)
		d := *s.d
		st.d = &d
		question, ok := strings.CutPrefix(line, "? ")
		if !ok {
			d.Input = line
			if said := st.do(show); said != "ok\n" {
				out.WriteString(said)
			}
			continue
		}
		words := strings.Fields(question)
		d.Cmd, d.CmdArgs = words[0], []datadriven.CmdArg{{Key: words[len(words)-1]}}
		out.WriteString(st.show())
	}
	if err := st.fs.Check(); err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
	// The answers are moved in, so that they stand below whose they are.
	var moved strings.Builder
	for line := range strings.Lines(out.String()) {
		moved.WriteString("  " + line)
	}
	return moved.String()
}

// TestChangesHaveStories: each change has a story in testdata/decisions/changes. Those of which
// none is known are named here, with what holds them instead.
func TestChangesHaveStories(t *testing.T) {
	elsewhere := map[string]string{
		"orlov-clamps-clusters": "package placement, the end of orlov",
		"writer-goes-on":        "recordings",
		// 600 random scripts and more end the same with and without these; recordings have them.
		"split-caches-nothing":   "recordings",
		"grown-root-verified":    "recordings",
		"fallocate-retries-each": "recordings",
		"endio-may-use-reserve":  "recordings",
	}
	files, err := filepath.Glob("testdata/decisions/changes/*")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, c := range Changes {
		told := strings.Contains(all.String(), "change name="+c.Name+"\n") || strings.Contains(all.String(), "change name="+c.Name+" ")
		if _, other := elsewhere[c.Name]; told == other {
			t.Errorf("%s: told %t, tested elsewhere %t", c.Name, told, other)
		}
	}
}
