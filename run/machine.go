package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"mbsim/allocator"
	"mbsim/filesystem/blockcache"
	"mbsim/filesystem/image"
	"mbsim/internal/input"
	"mbsim/internal/memory"
	"mbsim/kernels"
	"mbsim/sim"
)

// machine is the mounted file system and its starting state.
type machine struct {
	*kernels.Mounted
	close func() error // of the starting state
	notes []string     // on the starting state: what it does not tell, and what mounting it changed
}

// mount mounts the scenario's starting state.
func (r *runner) mount() error {
	s := r.scenario
	r.commitTimer = r.engine.NewTimer(r.commitDue)
	r.flushTimer = r.engine.NewTimer(r.flushDue)
	layout, err := s.Layout()
	if err != nil {
		return err
	}
	// Once it is mounted, play closes the layout. If it is not, nobody else would.
	r.m.Mounted, err = r.mountLayout(layout)
	if err != nil {
		return errors.Join(err, layout.Close())
	}
	r.m.close, r.m.notes = layout.Close, layout.Notes
	return nil
}

// mountLayout mounts a layout as the scenario says.
func (r *runner) mountLayout(layout *image.Layout) (*kernels.Mounted, error) {
	s := r.scenario
	sys := s.System()
	if s.Timing != nil && !sys.Times {
		return nil, fmt.Errorf("%s: timing: the time that work takes is not modelled for %s", s.File, sys.Name)
	}

	// What cannot fit into memory is refused before anything is made.
	geo := layout.Geometry()
	what := fmt.Sprintf("%s: device: a file system of %s in %d groups", s.File, input.Bytes(int64(geo.Blocks)<<geo.BlockBits), geo.Groups)
	if err := memory.Check(what, sys.Memory(min(geo.Groups, listedGroups))); err != nil {
		return nil, err
	}

	// Limits of dirty memory, from percent to blocks.
	blockSize := layout.Super.BlockSize()
	r.dirtyBackground = max(1, s.Memory.Size/100*int64(s.Memory.DirtyBackground)/blockSize)
	r.dirtyLimit = max(1, s.Memory.Size/100*int64(s.Memory.DirtyRatio)/blockSize)
	opt := s.MountOptions()
	opt.Clock = r.engine.Now
	opt.DirtyBackground = r.dirtyBackground
	r.writebackChunk = writebackChunk(s.Memory.Size / 100 * int64(s.Memory.DirtyRatio))
	opt.WritebackChunk = r.writebackChunk
	// With timing there is a machine that the processes share. The flusher is one of them, so
	// DirtyBackground is 0: writers do not do its work.
	if s.Timing != nil {
		var err error
		if r.timed, err = newTimed(r, layout); err != nil {
			return nil, err
		}
		opt.Host = r.timed.host
		opt.NonRotational = !r.timed.device.Model().Medium.Rotates()
		opt.DirtyBackground = 0
	}
	// Other replications draw other numbers inside the file system too: ext2 draws the group where
	// the search for a new top-level directory begins (find_group_orlov).
	if n := r.options.Replication; n > 0 {
		opt.Seed = sim.Stream(s.Seed, n, "orlov").Uint64()
	}
	opt.Blocks, opt.Files = r.options.Blocks, r.options.Files
	opt.Stamps = r.options.Stamps
	opt.Cache = blockcache.New(s.Memory.Size / blockSize)
	// jbd2 starts its commit timer with each transaction (jbd2_get_transaction).
	opt.TransactionBegan = func() { r.commitTimer.SetAfter(r.m.CommitInterval) }
	opt.LazyInit = r.newLazyInit
	m, err := sys.Mount(layout, opt)
	// Where the state comes from a file, that is what cannot be mounted.
	if file := s.StateFile(); err != nil && file != "" {
		err = fmt.Errorf("%s: %w", file, err)
	}
	return m, err
}

// writebackChunk is how many pages of one file background writeback takes in a
// turn where dirtyLimit bytes may be dirty: half of what the device is thought
// to write in a second, at most an eighth of the limit, in multiples of 4 MiB
// (writeback_chunk_size). The bandwidth is what the kernel begins with.
func writebackChunk(dirtyLimit int64) uint32 {
	const (
		bandwidth = 100 << 20 / allocator.PageSize // pages a second (INIT_BW)
		step      = 1024                           // MIN_WRITEBACK_PAGES
	)
	pages := min(bandwidth/2, dirtyLimit/allocator.PageSize/8)
	return uint32((pages + step) / step * step)
}

// proc is what reading a file in /proc gives at the end, nil where there is none.
func (m *machine) proc(name string) ([]byte, error) {
	var b bytes.Buffer
	there, err := m.ReadProc(name, &b)
	if !there {
		return nil, nil
	}
	return b.Bytes(), err
}

// used is the share of the device that is in use or promised.
func (m *machine) used() float64 {
	s := m.Statfs()
	if s.Blocks == 0 {
		return 1
	}
	return 1 - float64(s.Free)/float64(s.Blocks)
}

// readGroups is a script's stat: whoever reads mb_groups has the kernel load every group's
// buddy.
func (m *machine) readGroups() error {
	_, err := m.ReadProc(kernels.MbGroups, io.Discard)
	return err
}

// StartError says that the scenario's starting state cannot be had or mounted:
// a mistake of the user.
type StartError struct{ Err error }

func (e *StartError) Error() string { return e.Err.Error() }
func (e *StartError) Unwrap() error { return e.Err }
