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

// recordings are the kernels whose recordings another kernel is compared with: the seed's
// code is of the 5.10 series and starts where 5.10 does.
var recordings = map[string]string{mballoc.Linux5_10Seed.Name: mballoc.Linux5_10.Name}

// ext4Systems are ext4 over the allocator of each kernel.
func ext4Systems() []*System {
	var all []*System
	for _, k := range mballoc.Kernels() {
		recording := k.Name
		if r, ok := recordings[k.Name]; ok {
			recording = r
		}
		all = append(all, &System{
			Name: k.Name, Doc: k.Doc, FileSystem: "ext4", Recording: recording, Times: true,
			Tunables: append(slices.Clone(k.Tunables), inodeGoal),
			Recorder: Recorder{
				Script: "record.sh", TakesKernel: true, Mkfs: "MKFS", Mount: "MOUNT", Tunables: "TUNABLES",
				MkfsMore: "-O ^orphan_file,^metadata_csum_seed", MountMore: "commit=9999",
				arguments: func(c *workload.Case) (mkfs, mount string) { return c.Mkfs, c.Mount },
			},
			checkMount: func(options string) error {
				o := ext4.DefaultOptions(pageSize)
				return o.Parse(options)
			},
			memory: mballoc.LeastMemory,
			mount:  func(l *image.Layout, o *Options) (*Mounted, error) { return mountExt4(k, l, o) },
		})
	}
	return all
}

// pageSize stands for the block size where only the names of options count.
const pageSize = 4096

// mountExt4 mounts ext4 of a kernel.
func mountExt4(k mballoc.Kernel, l *image.Layout, o *Options) (*Mounted, error) {
	opt := ext4.DefaultOptions(l.Super.BlockSize())
	opt.Kernel = k
	opt.CPUs, opt.Tunables = o.CPUs, o.Tunables
	if err := opt.Parse(o.Mount); err != nil {
		return nil, err
	}
	opt.Clock, opt.Host = o.Clock, o.Host
	opt.DirtyBackground, opt.WritebackChunk = o.DirtyBackground, o.WritebackChunk
	opt.Blocks, opt.Observer = o.Blocks, o.Files
	opt.TransactionBegan = o.TransactionBegan
	if opt.PrefetchBlockBitmaps && o.LazyInit != nil {
		opt.Mounted = o.LazyInit()
	}
	fs, err := ext4.Mount(l, opt)
	if err != nil {
		return nil, err
	}
	a := fs.Allocator()
	groups := func(info func(allocator.GroupID) mballoc.GroupInfo) func(io.Writer) error {
		return func(w io.Writer) error { return procfs.WriteGroups(w, fs.Geometry().Groups, info) }
	}
	stats := func(w io.Writer) error {
		s := a.Stats()
		return procfs.WriteStats(w, a.Kernel(), &s, fs.Geometry().Groups)
	}
	const second = 1e9
	return &Mounted{
		FileSystem: fs, Policy: metrics.Mballoc(a), Source: fs.Source(), Check: fs.Check, Look: fs.Look,
		Lost: fs.LostBlocks, StatusTree: fs.StatusTree, Threads: fs, CommitInterval: int64(opt.CommitSeconds) * second,
		Proc: []ProcFile{{MbGroups, groups(a.GroupInfo)}, {MbStats, stats}},
		Peek: []ProcFile{{MbGroups, groups(a.PeekGroup)}, {MbStats, stats}},
	}, nil
}

// The files in /proc/fs/ext4/DEV.
const (
	MbGroups = "mb_groups"
	MbStats  = "mb_stats"
)

// ext2System is the ext2 driver, whose recordings stand beside those of ext4.
var ext2System = &System{
	Name: "ext2", Doc: "the ext2 driver of Linux 6.1, with reservation windows", FileSystem: "ext2", Recording: "ext2",
	NoTunables: "see the mount option reservation_window",
	Recorder: Recorder{
		Script: "record-ext2.sh", Mkfs: "MKFS_EXT2", Mount: "MOUNT_EXT2", OneCPU: true,
		arguments: func(c *workload.Case) (mkfs, mount string) { return c.MkfsExt2, c.MountExt2 },
	},
	checkMount: func(options string) error {
		o := ext2.DefaultOptions(pageSize)
		return o.Parse(options)
	},
	memory: func(*allocator.Geometry) int64 { return 0 },
	mount:  mountExt2,
}

// mountExt2 mounts ext2, which asks nothing but for CPUs and a seed beside the mount
// options.
func mountExt2(l *image.Layout, o *Options) (*Mounted, error) {
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
		FileSystem: fs, Policy: metrics.Reservation(fs.Allocator()), Source: l, Check: fs.Check,
		Look: func() iter.Seq[filesystem.FileInfo] { return fs.Files() }, Threads: noThreads{},
	}, nil
}
