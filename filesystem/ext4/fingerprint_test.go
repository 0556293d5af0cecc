package ext4

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"hash"
	"iter"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"mbsim/filesystem"
	"mbsim/kerneltext/procfs"
	"mbsim/workload"
)

// The fingerprints of random scripts notice what no invariant does: a block that lies
// elsewhere, a request that comes earlier, a number that stat(2) or /proc tells. A script's
// fingerprint covers what a user and an observer see, and nothing of how it is kept in
// memory, so that it stays where code is only arranged anew. Where another outcome is meant,
// go test -run TestFingerprints -rewrite stores the new ones: then TestStories or TestDecisions
// should say why.

// fingerprintsFile has a line for each script: its kind, seed, and hash.
const fingerprintsFile = "testdata/fingerprints"

// TestFingerprints performs the scripts of TestRandom, those of small files of TestBrief and
// those of TestConcurrent, with seeds that these do not use.
func TestFingerprints(t *testing.T) {
	const scripts, races = 300, 60
	var got bytes.Buffer
	for i := range uint64(scripts) {
		r := rand.New(rand.NewPCG(i, 7))
		c, kind := randomScript(r), "random"
		if i%3 == 2 {
			c.ops, kind = smallFiles(r), "small"
		}
		fmt.Fprintf(&got, "%s %d %s\n", kind, i, c.fingerprint(t, int(i)))
	}
	for i := range uint64(races) {
		fmt.Fprintf(&got, "concurrent %d %s\n", i, randomRace(1_000_000+i).fingerprint(t))
	}
	if flag.Lookup("rewrite").Value.String() == "true" {
		if err := os.WriteFile(fingerprintsFile, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(fingerprintsFile)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(string(text), "\n")
	differ := 0
	for i, line := range strings.Split(got.String(), "\n") {
		if i >= len(want) || line != want[i] {
			if differ++; differ <= 3 {
				t.Errorf("line %d: a script ends otherwise:\n     %s\nwant %s", i+1, line, want[min(i, len(want)-1)])
			}
		}
	}
	if differ > 3 {
		t.Errorf("and %d more of %d scripts", differ-3, scripts+races)
	}
}

// sum is the fingerprint that a hash comes to.
func sum(h hash.Hash) string { return fmt.Sprintf("%x", h.Sum(nil)[:8]) }

// fingerprint performs the script as the process with that number.
func (c *script) fingerprint(t *testing.T, pid int) string {
	var log eventLog
	fs, p, err := c.startWatched(&log, &log)
	if errors.Is(err, errNoDevice) {
		return "no device"
	}
	if err != nil {
		t.Fatal(err)
	}
	p.Task.PID = pid
	h := sha256.New()
	for i := range c.ops {
		op := &c.ops[i]
		if op.Kind == workload.Remount {
			if err := p.CloseAll(); err != nil {
				t.Fatal(err)
			}
		}
		ret, err := p.Do(op)
		if err != nil {
			t.Fatalf("%v\n%s", err, c)
		}
		fmt.Fprintln(h, i, ret, strings.Join(log.lines, "\n"))
		log.lines = nil
		if i%16 == 15 || i == len(c.ops)-1 {
			writeSeen(t, h, fs)
		}
	}
	writeFiles(h, fs.Files()) // as FIEMAP tells them, which is what recordings have
	return sum(h)
}

// fingerprint performs the rounds of the case.
func (c *race) fingerprint(t *testing.T) string {
	h := sha256.New()
	c.afterRound = func(fs *FS, now int64) {
		fmt.Fprintln(h, now)
		writeSeen(t, h, fs)
	}
	err := c.run()
	if errors.Is(err, errNoDevice) {
		return "no device"
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, c)
	}
	return sum(h)
}

// writeSeen writes what can be seen of a file system: statfs(2), which files are dirty, and
// how every file and every group stands, and the counters.
func writeSeen(t *testing.T, h hash.Hash, fs *FS) {
	s := fs.Statfs()
	fmt.Fprintf(h, "{BlockSize:%d Blocks:%d Free:%d Avail:%d} %+v %d dirty, %d lost\n", s.BlockSize, s.Blocks, s.Free, s.Avail, fs.StatusTree(), fs.DirtyBlocks(), fs.LostBlocks())
	for in := range fs.dirty.all() {
		fmt.Fprintln(h, in.Number, in.dirtied)
	}
	writeFiles(h, fs.Look())
	stats := fs.alloc.Stats() // before reading the groups adds to them
	if err := errors.Join(procfs.WriteStats(h, fs.alloc.Kernel(), &stats, fs.geo.Groups), procfs.WriteGroups(h, fs.geo.Groups, fs.alloc.GroupInfo)); err != nil {
		t.Fatal(err)
	}
}

// writeFiles writes every file and its extents.
func writeFiles(h hash.Hash, files iter.Seq[filesystem.FileInfo]) {
	for f := range files {
		fmt.Fprintln(h, f.Path, f.Inode, f.Mode, f.Size, f.Sectors)
		for _, x := range f.Extents {
			fmt.Fprintln(h, x.Logical, x.Physical, x.Len, uint32(x.Flags))
		}
	}
}
