package kernels

import (
	"io"
	"iter"
	"slices"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/ext2"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/image"
	"mbsim/kerneltext/procfs"
	"mbsim/metrics"
	"mbsim/workload"
)

// All lists the systems: ext4 of each kernel, and ext2.
func All() []*System { return systems }

var systems = append(ext4Systems(), ext2System)

// inodeGoal is the tunable that ext4 has above its allocator.
var inodeGoal = mballoc.Tunable{
	Field: "s_inode_goal", Sysfs: "inode_goal", Unit: "inode", Default: "0",
	Doc: "The inode that new files take if it is free; 0 leaves the choice to the parent directory.",
}

// reservedClusters is how large the pool of blocks is that only metadata may take.
var reservedClusters = mballoc.Tunable{
	Field: "s_resv_clusters", Sysfs: "reserved_clusters", Unit: "clusters", Default: "2% of the clusters, at most 4096 (none without extents)",
	Doc: "Clusters that only the metadata of writes which must not fail may take: for all others, root too, the file system is full before.",
}

// recordings names, for a kernel that has no recordings of its own, the kernel whose
// recordings it is compared with. The seed's is of the 5.10 series, and starts from the same
// layouts.
var recordings = map[string]string{mballoc.Linux5_10Seed.Name: mballoc.Linux5_10.Name}

// ext4Systems are ext4 of each kernel.
func ext4Systems() []*System {
	var all []*System
	for _, k := range ext4.Kernels() {
		all = append(all, ext4System(k))
	}
	return all
}

// ext4System is ext4 of a kernel.
func ext4System(k ext4.Kernel) *System {
	// A kernel's recordings are in the folder of its name, unless it borrows those of another.
	recording := k.Name
	if r, ok := recordings[k.Name]; ok {
		recording = r
	}
	// All kernels have the same recorder. mke2fs must leave out two features, and a commit
	// interval longer than any recording keeps the journal's timer out of it.
	return &System{
		Name: k.Name, Doc: k.Doc, FileSystem: "ext4", Recording: recording, Times: true,
		Tunables: append(slices.Clone(k.Allocator.Tunables), inodeGoal, reservedClusters),
		Recorder: Recorder{
			Script: "record.sh", TakesKernel: true, Mkfs: "MKFS", Mount: "MOUNT", Tunables: "TUNABLES",
			MkfsMore: "-O ^orphan_file,^metadata_csum_seed", MountMore: "commit=9999",
			arguments: func(c *workload.Case) (mkfs, mount string) { return c.Mkfs, c.Mount },
		},
		MountOptions: ext4.DecidingOptions(),
		checkMount: func(options string) error {
			o := k.DefaultOptions(pageSize)
			return o.Parse(options)
		},
		memory:  mballoc.LeastMemory,
		mount:   func(l *image.Layout, o *Options) (*Mounted, error) { return mountExt4(k, l, o) },
		compose: ext4System,
	}
}

// pageSize stands in for the block size where mount options are only checked, and no file
// system is at hand.
const pageSize = 4096

// mountExt4 mounts ext4 of a kernel.
func mountExt4(k ext4.Kernel, l *image.Layout, o *Options) (*Mounted, error) {
	// The defaults first, then the mount options over them.
	opt := k.DefaultOptions(l.Super.BlockSize())
	opt.CPUs, opt.Tunables, opt.NonRotational = o.CPUs, o.Tunables, o.NonRotational
	if err := opt.Parse(o.Mount); err != nil {
		return nil, err
	}
	// What does not come from the user: the clock, the machine, writeback and the observers.
	opt.Cache, opt.Stamps = o.Cache, o.Stamps
	opt.Clock, opt.Host, opt.Turns = o.Clock, o.Host, o.Turns
	opt.DirtyBackground, opt.WritebackChunk = o.DirtyBackground, o.WritebackChunk
	opt.Blocks, opt.Observer = o.Blocks, o.Files
	opt.TransactionBegan = o.TransactionBegan
	// Only a mount with prefetch_block_bitmaps has a thread that reads all bitmaps. Without a
	// clock it reads them at the mount, where the kernel does so by default.
	if opt.PrefetchBlockBitmaps && o.LazyInit != nil {
		opt.Mounted = o.LazyInit()
	}
	opt.PrefetchAtOnce = o.LazyInit == nil && k.Defaults.PrefetchBlockBitmaps
	fs, err := ext4.Mount(l, opt)
	if err != nil {
		return nil, err
	}
	// The files of /proc are made when they are read. Proc and Peek differ in where a group's state
	// comes from: GroupInfo loads its buddy, PeekGroup does not.
	a := fs.Allocator()
	groups := func(info func(allocator.GroupID) mballoc.GroupInfo) func(io.Writer) error {
		return func(w io.Writer) error { return procfs.WriteGroups(w, fs.Geometry().Groups, info) }
	}
	stats := func(w io.Writer) error {
		s := a.Stats()
		return procfs.WriteStats(w, a.Kernel(), &s, fs.Geometry().Groups)
	}
	shrinker := func(w io.Writer) error {
		s := fs.ShrinkerInfo()
		return procfs.WriteShrinkerInfo(w, &s)
	}
	loaded := func(w io.Writer) error { return procfs.WriteLoadedGroups(w, a) }
	proc := []ProcFile{{MbGroups, groups(a.GroupInfo)}, {LoadedGroups, loaded}, {MbStats, stats}, {EsShrinker, shrinker}}
	peek := []ProcFile{{MbGroups, groups(a.PeekGroup)}, {MbStats, stats}, {EsShrinker, shrinker}}
	// Not every kernel has lists of groups to summarize. Reading their summary has no effects.
	if k.Allocator.Counters.StructsSummary {
		structs := ProcFile{MbStructs, func(w io.Writer) error {
			largest, mean, lists := a.StructsSummary()
			return procfs.WriteStructs(w, largest, mean, lists)
		}}
		proc, peek = append(proc, structs), append(peek, structs)
	}
	// Without a cache nobody counts what is read.
	var metadata func() filesystem.MetadataReads
	if opt.Cache != nil {
		metadata = fs.MetadataReads
	}
	// The mount option commit= is in seconds, CommitInterval in nanoseconds.
	const second = 1e9
	m := &Mounted{
		FileSystem: fs, Policy: metrics.Mballoc(a), Allocator: a, Source: fs.Source(), Check: fs.Check, Look: fs.Look, OnDisk: fs.OnDisk,
		Lost: fs.LostBlocks, StatusTree: fs.StatusTree, Metadata: metadata, CutPromised: fs.CutPromised, Threads: fs, CommitInterval: int64(opt.CommitSeconds) * second,
		Proc: proc, Peek: peek,
	}
	if o.Turns != nil {
		m.Turns = fs
	}
	if fs.HasJournal() {
		m.Transactions = fs.Transactions
	}
	return m, nil
}

// The files in /proc/fs/ext4/DEV. LoadedGroups is mbsim's own: mb_groups without the groups whose
// buddies are not in memory, which it does not load.
const (
	MbGroups     = "mb_groups"
	MbStats      = "mb_stats"
	MbStructs    = "mb_structs_summary"
	EsShrinker   = "es_shrinker_info"
	LoadedGroups = "loaded_groups"
)

// ext2System is the ext2 driver. A case has its recordings in a folder beside those of the
// ext4 kernels.
var ext2System = &System{
	Name: "ext2", Doc: "the ext2 driver of Linux 6.1, with reservation windows", FileSystem: "ext2", Recording: "ext2",
	NoTunables: "see the mount option reservation_window", KeepsOrphans: true,
	Recorder: Recorder{
		Script: "record-ext2.sh", Mkfs: "MKFS_EXT2", Mount: "MOUNT_EXT2", OneCPU: true,
		arguments: func(c *workload.Case) (mkfs, mount string) { return c.MkfsExt2, c.MountExt2 },
	},
	MountOptions: ext2.DecidingOptions(),
	checkMount: func(options string) error {
		o := ext2.DefaultOptions(pageSize)
		return o.Parse(options)
	},
	memory: func(allocator.GroupID) int64 { return 0 },
	mount:  mountExt2,
}

// mountExt2 mounts ext2. Besides the mount options it uses only the CPUs and the seed: it has
// no tunables, no journal, no delayed allocation and no model of time.
func mountExt2(l *image.Layout, o *Options) (*Mounted, error) {
	// The seed decides the random start of the Orlov allocator (find_group_orlov).
	opt := ext2.DefaultOptions(l.Super.BlockSize())
	opt.CPUs, opt.Seed = o.CPUs, o.Seed
	if err := opt.Parse(o.Mount); err != nil {
		return nil, err
	}
	fs, err := ext2.Mount(l, opt)
	if err != nil {
		return nil, err
	}
	return &Mounted{
		FileSystem: fs, Policy: metrics.Reservation(fs.Allocator()), Source: l, Check: fs.Check, OnDisk: fs.OnDisk,
		Look: func() iter.Seq[filesystem.FileInfo] { return fs.Files() }, Threads: noThreads{},
	}, nil
}
