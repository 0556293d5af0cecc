package kernels

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/blockcache"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/image"
	"mbsim/metrics"
	"mbsim/workload"
)

// System is a file system as a kernel has it.
type System struct {
	Name string // as scenarios and --kernel name it
	Doc  string // which kernel it is
	// FileSystem is the type that mke2fs -t makes for it, and the recorder mounts.
	FileSystem string
	// Recording is the folder of a case that holds the recording to compare with.
	Recording string
	// Times says whether the time that work takes is modelled. Only then can several
	// processes be inside the file system at once, and wait for each other there.
	Times bool
	// KeepsOrphans says that inodes without a name which a crash has left stay when the
	// system mounts them.
	KeepsOrphans bool
	// Tunables are all tunables of the system. Where it has none, NoTunables says what the
	// user can set instead.
	Tunables   []mballoc.Tunable
	NoTunables string
	// MountOptions are the mount options that decide something here; those that end in = take a
	// value.
	MountOptions []string
	// Recorder says how to hand a case to the oracle's recorder.
	Recorder Recorder

	checkMount func(options string) error
	memory     func(groups allocator.GroupID) int64
	mount      func(*image.Layout, *Options) (*Mounted, error)
	// compose makes the system of another kernel like this one; nil for a system whose kernel is
	// no set of changes.
	compose func(ext4.Kernel) *System
}

// Recorder names the variables of case.env that concern a system, and what recordings of
// it need.
type Recorder struct {
	// Mkfs, Mount and Tunables are variables; one that is empty does not exist.
	Mkfs, Mount, Tunables string
	// MkfsMore are arguments that the recorder's mke2fs must have besides the user's.
	MkfsMore string
	// MountMore, if not empty, is a mount option that replaces the user's of the same name.
	// It puts off what would happen by the clock, so that a recording is repeatable.
	MountMore string
	// Script is the script that records. TakesKernel says whether the kernel is one of its
	// arguments.
	Script      string
	TakesKernel bool
	// OneCPU says that recordings are made on one CPU, whatever SMP says.
	OneCPU bool
	// arguments returns the arguments of mke2fs and the mount options of a case.
	arguments func(*workload.Case) (mkfs, mount string)
}

// Options are how to mount.
type Options struct {
	Mount string // mount options as mount(8) takes them
	CPUs  int
	// Tunables are those that differ from their defaults, by field or file name.
	Tunables map[string]uint32
	// NonRotational says that the device has no heads that move (queue/rotational is 0).
	NonRotational bool
	// Seed is where random choices of the file system itself come from.
	Seed uint64
	// Clock is the simulated time, ns; nil where there is none.
	Clock func() int64
	// DirtyBackground is how many dirty blocks writers tolerate before they write back
	// themselves, 0 for any number. WritebackChunk is how many pages of a file background
	// writeback takes in a turn, 0 for all.
	DirtyBackground int64
	WritebackChunk  uint32
	// Host is the machine that several processes share; nil where one runs at a time, as
	// it must be for a system that does not model Times.
	Host ext4.Host
	// Turns are those of a recording that is replayed, nil where rules decide.
	Turns *ext4.Turns
	// Stamps keeps the times of inodes, for OnDisk; ext2 keeps none.
	Stamps bool
	// Cache is what memory holds of the device, for the reads of metadata; nil leaves them out.
	Cache *blockcache.Cache
	// Blocks and Files, if not nil, observe every decision of ext4's allocator and of ext4
	// itself.
	Blocks mballoc.Observer
	Files  ext4.Observer
	// TransactionBegan, if not nil, is called when a journal's transaction begins.
	TransactionBegan func()
	// LazyInit, if not nil, is called if the mount options ask for all bitmaps to be read in
	// the background (prefetch_block_bitmaps). What it returns is called after each mount. Where
	// it is nil, a kernel that reads them by default does so at the mount itself.
	LazyInit func() func()
}

// Mounted is a mounted file system, and what shows its state.
type Mounted struct {
	filesystem.FileSystem
	System *System
	Policy metrics.Policy
	// Allocator is the block allocator of ext4, nil where the file system has another.
	Allocator *mballoc.Allocator
	Source    allocator.Source // the file system as it was at mount
	// Check recounts the whole file system; its error joins all contradictions.
	Check func() error
	// OnDisk is the file system as it would lie on disk now, without leaving a trace: what has no place
	// yet, and what has no name, is not there. It is valid until the file system changes.
	OnDisk func() *image.Layout
	// Look lists all files without leaving a trace.
	Look func() iter.Seq[filesystem.FileInfo]
	// Lost counts the dirty blocks for which writeback found no space, and StatusTree returns
	// the figures of the extent status trees. Each is nil where the file system has no such
	// thing.
	Lost       func() int64
	StatusTree func() filesystem.StatusTree
	// Metadata counts the reads of metadata; nil where they are not modelled, or not asked for.
	Metadata func() filesystem.MetadataReads
	// Transactions returns the figures of the journal, nil where there is none. CutPromised is the
	// most blocks that were promised and not yet allocated since it was called before; nil where
	// none are.
	Transactions func() filesystem.Transactions
	CutPromised  func() uint64
	// Threads is what the kernel's own threads do.
	Threads Threads
	// Turns are told which line of the script is performed; nil where no turns were given.
	Turns interface {
		BeginLine(line int)
		EndLine()
	}
	// CommitInterval is how old a transaction may become, ns, 0 where nothing commits.
	CommitInterval int64
	// Proc are the files that it has in /proc. Reading them has the effects that it has in
	// the kernel, such as loading buddies. Peek are the same files, read without effects.
	Proc, Peek []ProcFile
}

// ProcFile is a file in /proc/fs/ext4/DEV.
type ProcFile struct {
	Name  string // "mb_groups"
	Write func(io.Writer) error
}

// Threads is what the kernel does of its own accord. Whoever runs the clock calls it.
type Threads interface {
	// DirtyBlocks is the number of blocks of data that are not yet written.
	DirtyBlocks() int64
	// WritebackOld writes files that became dirty at the time before, ns, or earlier.
	WritebackOld(t *filesystem.Task, before int64)
	// WritebackBackground writes the oldest dirty files until no more than keep blocks are
	// dirty.
	WritebackBackground(t *filesystem.Task, keep int64)
	// CommitOld commits a transaction that began at the time before, ns, or earlier.
	CommitOld(t *filesystem.Task, before int64)
	// PrefetchBitmaps reads all block bitmaps.
	PrefetchBitmaps()
}

// noThreads are the threads of a system that writes data at once: they have nothing to do.
type noThreads struct{}

func (noThreads) DirtyBlocks() int64                          { return 0 }
func (noThreads) WritebackOld(*filesystem.Task, int64)        {}
func (noThreads) WritebackBackground(*filesystem.Task, int64) {}
func (noThreads) CommitOld(*filesystem.Task, int64)           {}
func (noThreads) PrefetchBitmaps()                            {}

// Names lists the names of all systems, the one to use where none is named first.
func Names() []string {
	var names []string
	for _, s := range All() {
		names = append(names, s.Name)
	}
	return names
}

// Default is the system to use where none is named.
func Default() *System { return All()[0] }

// Find is the system of this name, which may be a profile's text with changes switched, such
// as 6.12^best-avail-len.
func Find(name string) (*System, error) {
	p := ParseProfile(name)
	if err := p.Check(); err != nil {
		return nil, err
	}
	if p.With == nil && p.Without == nil {
		return named(name)
	}
	return p.switched(), nil
}

// named is the system with this name in the list.
func named(name string) (*System, error) {
	for _, s := range All() {
		if s.Name == name {
			return s, nil
		}
	}
	// A misspelt name is answered with the nearest one.
	return nil, errors.New(unknownName("kernel", name, Names()))
}

// CheckMount refuses mount options that the system does not have. Of one that others have it
// names those.
func (s *System) CheckMount(options string) error {
	err := s.checkMount(options)
	unknown := new(filesystem.UnknownOption)
	if !errors.As(err, &unknown) {
		return err
	}
	var have []string
	for _, other := range All() {
		if other.checkMount(unknown.Option) == nil {
			have = append(have, other.Name)
		}
	}
	if len(have) == 0 {
		return err
	}
	return fmt.Errorf("%s does not have the mount option %q; these do: %s", s.Name, unknown.Option, strings.Join(have, ", "))
}

// Memory is the least number of bytes of memory that a mounted file system takes, or 0 where
// that is too little to check, once so many groups were looked into.
func (s *System) Memory(groups allocator.GroupID) int64 { return s.memory(groups) }

// Mount mounts the file system that l describes.
func (s *System) Mount(l *image.Layout, o Options) (*Mounted, error) {
	m, err := s.mount(l, &o)
	if err == nil {
		m.System = s
	}
	return m, err
}

// Tunable is the tunable of the system with this field or file name.
func (s *System) Tunable(name string) (mballoc.Tunable, bool) {
	for _, t := range s.Tunables {
		if t.Field == name || t.Sysfs == name {
			return t, true
		}
	}
	return mballoc.Tunable{}, false
}

// CheckTunable refuses a tunable that the system does not have, and says which do.
func (s *System) CheckTunable(name string) error {
	if _, has := s.Tunable(name); has {
		return nil
	}
	// A system without tunables says what takes their place.
	if len(s.Tunables) == 0 {
		return fmt.Errorf("the %s profile has no tunables (%s)", s.Name, s.NoTunables)
	}
	var have []string
	for _, other := range All() {
		if _, has := other.Tunable(name); has {
			have = append(have, other.Name)
		}
	}
	return fmt.Errorf("the profile %s has no tunable %s; these have it: %s", s.Name, name, strings.Join(have, ", "))
}

// CaseArguments are the arguments of mke2fs and the mount options of a case for the system.
func (s *System) CaseArguments(c *workload.Case) (mkfs, mount string) {
	return s.Recorder.arguments(c)
}

// MakeLayout computes the starting layout of a case, as mke2fs does with the recorder's
// arguments. A script with times was made by a run, whose device has the case's own arguments only.
func (s *System) MakeLayout(c *workload.Case) (*image.Layout, error) {
	mkfs, _ := s.CaseArguments(c)
	args := image.RecorderArgs(s.FileSystem, mkfs)
	if c.Times {
		args = append([]string{"-t", s.FileSystem}, strings.Fields(mkfs)...)
	}
	p, err := image.ParseMkfsArgs(args, c.Size)
	if err != nil {
		return nil, err
	}
	return image.Mkfs(p)
}

// AllTunables lists the tunables of all systems, each once.
func AllTunables() []mballoc.Tunable {
	var all []mballoc.Tunable
	// Kernels share most tunables: the first description of each field is taken.
	seen := make(map[string]bool)
	for _, s := range All() {
		for _, t := range s.Tunables {
			if !seen[t.Field] {
				seen[t.Field] = true
				all = append(all, t)
			}
		}
	}
	return all
}

// ReadProc is what reading a file of Proc gives, nil where the system has none of that
// name.
func (m *Mounted) ReadProc(name string, w io.Writer) (there bool, err error) {
	return readFile(m.Proc, name, w)
}

// PeekProc is ReadProc without leaving a trace.
func (m *Mounted) PeekProc(name string, w io.Writer) (there bool, err error) {
	return readFile(m.Peek, name, w)
}

// readFile writes the file of that name to w, if there is one.
func readFile(files []ProcFile, name string, w io.Writer) (there bool, err error) {
	for _, f := range files {
		if f.Name == name {
			return true, f.Write(w)
		}
	}
	return false, nil
}
