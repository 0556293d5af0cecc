package run

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/ext2"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/image"
	"mbsim/internal/input"
	"mbsim/internal/memory"
	"mbsim/kerneltext/procfs"
	"mbsim/metrics"
	"mbsim/scenarios"
	"mbsim/sim"
)

// machine is the mounted file system with what reads it.
type machine struct {
	fs     filesystem.FileSystem
	ext4   *ext4.FS // nil for ext2
	policy metrics.Policy
	source allocator.Source
	close  func() error                         // of the starting state
	check  func() error                         // recounts the whole file system; the error joins all contradictions
	look   func() iter.Seq[filesystem.FileInfo] // lists all files and leaves no trace
	commit int64                                // ns a transaction may be old, 0 where nothing commits
}

// pageSize is the size of a page of memory, bytes.
const pageSize = 4096

// mount mounts the scenario's starting state.
func (r *runner) mount() error {
	s := r.scenario
	r.commitTimer = r.engine.NewTimer(r.commitDue)
	r.flushTimer = r.engine.NewTimer(r.flushDue)
	layout, err := s.Layout()
	if err != nil {
		return err
	}
	if s.Profile == scenarios.ProfileExt2 {
		if s.Timing != nil {
			return fmt.Errorf("%s: timing: the time that work takes is modelled for ext4 only", s.File)
		}
		return r.mountExt2(layout)
	}
	geo := layout.Geometry()
	what := fmt.Sprintf("%s: device: a file system of %s in %d groups", s.File, input.Bytes(int64(geo.Blocks)<<geo.BlockBits), geo.Groups)
	if err := memory.Check(what, mballoc.LeastMemory(&geo)); err != nil {
		return errors.Join(err, layout.Close())
	}
	blockSize := layout.Super.BlockSize()
	opt, err := s.Ext4Options(blockSize)
	if err != nil {
		return err
	}
	opt.Clock = r.engine.Now
	r.dirtyBackground = max(1, s.Memory.Size/100*int64(s.Memory.DirtyBackground)/blockSize)
	r.dirtyLimit = max(1, s.Memory.Size/100*int64(s.Memory.DirtyRatio)/blockSize)
	opt.DirtyBackground = r.dirtyBackground
	if s.Timing != nil {
		if r.timed, err = newTimed(r, layout); err != nil {
			return err
		}
		opt.Host = r.timed.host
		opt.DirtyBackground = 0 // the flusher is a process of its own
	}
	opt.WritebackChunk = writebackChunk(s.Memory.Size / 100 * int64(s.Memory.DirtyRatio))
	opt.Blocks = r.options.Blocks
	opt.Observer = r.options.Files
	opt.TransactionBegan = func() { r.commitTimer.SetAfter(r.m.commit) }
	if opt.PrefetchBlockBitmaps {
		opt.Mounted = r.newLazyInit()
	}
	fs, err := ext4.Mount(layout, opt)
	if err != nil {
		return err
	}
	r.m = machine{fs: fs, ext4: fs, policy: metrics.Mballoc(fs.Allocator()), source: layout, close: layout.Close, check: fs.Check, look: fs.Look, commit: int64(opt.CommitSeconds) * sim.Second}
	return nil
}

func (r *runner) mountExt2(layout *image.Layout) error {
	opt, err := r.scenario.Ext2Options(layout.Super.BlockSize())
	if err != nil {
		return err
	}
	if n := r.options.Replication; n > 0 {
		opt.Seed = sim.Stream(r.scenario.Seed, n, "orlov").Uint64()
	}
	fs, err := ext2.Mount(layout, opt)
	if err != nil {
		return err
	}
	r.m = machine{fs: fs, policy: metrics.Reservation(fs.Allocator()), source: layout, close: layout.Close, check: fs.Check, look: fs.Files}
	return nil
}

// writebackChunk is how many pages of one file background writeback takes in a
// turn where dirtyLimit bytes may be dirty: half of what the device is thought
// to write in a second, at most an eighth of the limit, in multiples of 4 MiB
// (writeback_chunk_size). The bandwidth is what the kernel begins with.
func writebackChunk(dirtyLimit int64) uint32 {
	const (
		bandwidth = 100 << 20 / pageSize // pages a second (INIT_BW)
		step      = 1024                 // MIN_WRITEBACK_PAGES
	)
	pages := min(bandwidth/2, dirtyLimit/pageSize/8)
	return uint32((pages + step) / step * step)
}

// groups and stats are the kernel's files in /proc at the end.
func (m *machine) groups() ([]byte, error) {
	if m.ext4 == nil {
		return nil, nil
	}
	var b bytes.Buffer
	err := procfs.WriteGroups(&b, m.fs.Geometry().Groups, m.ext4.Allocator().GroupInfo)
	return b.Bytes(), err
}

func (m *machine) stats() ([]byte, error) {
	if m.ext4 == nil {
		return nil, nil
	}
	var b bytes.Buffer
	s := m.ext4.Allocator().Stats()
	err := procfs.WriteStats(&b, m.ext4.Allocator().Kernel(), &s, m.fs.Geometry().Groups)
	return b.Bytes(), err
}

// used is the share of the device that is in use or promised.
func (m *machine) used() float64 {
	s := m.fs.Statfs()
	if s.Blocks == 0 {
		return 1
	}
	return 1 - float64(s.Free)/float64(s.Blocks)
}

// readGroups is a script's stat: the kernel loads every group's buddy for it.
func (m *machine) readGroups() error {
	if m.ext4 == nil {
		return nil
	}
	var last mballoc.GroupInfo
	for id := range m.fs.Geometry().Groups {
		last = m.ext4.Allocator().GroupInfo(id)
	}
	if last.Orders == 0 {
		return fmt.Errorf("a file system without groups")
	}
	return nil
}

// StartError says that the scenario's starting state cannot be had or mounted:
// a mistake of the user.
type StartError struct{ Err error }

func (e *StartError) Error() string { return e.Err.Error() }
func (e *StartError) Unwrap() error { return e.Err }
