package ext4

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/blockcache"
	"mbsim/internal/nearest"
)

// Options are how a file system is mounted.
type Options struct {
	CPUs int // CPUs of the machine, at least 1
	// Delalloc delays allocation until writeback (mount option delalloc, the
	// default; nodelalloc turns it off).
	Delalloc bool
	// DioreadNolock allocates blocks unwritten and converts them once their
	// data is on disk. The kernel's default is true where a block is a page.
	DioreadNolock bool
	// AutoDaAlloc allocates the blocks of a file that replaces another when
	// it is closed or renamed (auto_da_alloc, the default).
	AutoDaAlloc bool
	// NoJournal mounts without the journal (norecovery and friends are not
	// modelled): freed blocks are free at once.
	NoJournal bool
	// Stripe overrides the superblock's stripe width, in blocks; -1 leaves
	// it. 0 and 1 turn it off.
	Stripe int64
	// PrefetchBlockBitmaps reads all bitmaps in the background after mount
	// (prefetch_block_bitmaps). Whoever runs the clock acts on it: see Mounted.
	PrefetchBlockBitmaps bool
	// PrefetchAtOnce does so at the moment of the mount, and nobody need act on it.
	PrefetchAtOnce bool
	// OptimizeScan lets the allocator find groups by lists of them, 1, or not, 0
	// (mb_optimize_scan); with -1 the number of groups decides.
	OptimizeScan int
	// Reserve is who may take the blocks reserved for root, besides root (resuid=, resgid=).
	Reserve filesystem.ReserveOptions
	// CommitSeconds is the longest age of a transaction (commit=). Whoever
	// runs the clock acts on it.
	CommitSeconds int

	// Clock is the time in ns, for the age of dirty files and of transactions.
	// nil stands still.
	Clock func() int64
	// Mounted, if not nil, is called at the end of each mount and remount. With
	// PrefetchBlockBitmaps the kernel's thread for lazy initialization begins at
	// some moment of the next LazyInitDelay ns: FS.PrefetchBitmaps.
	Mounted func()
	// TransactionBegan, if not nil, is called when a transaction begins: it is
	// to be committed CommitSeconds later (CommitOld).
	TransactionBegan func()
	// DirtyBackground is the number of dirty blocks above which writes start
	// writeback (dirty_background_ratio); 0 for no limit.
	DirtyBackground int64
	// WritebackChunk is how many pages of a file background writeback takes
	// before it goes on to the next; 0 for all.
	WritebackChunk uint32

	Host  Host   // nil where one process runs at a time
	Turns *Turns // of a recording that is replayed; nil where rules decide

	// Stamps keeps the times of inodes, for OnDisk.
	Stamps bool

	// Cache is what memory holds of the device, for the reads of metadata; nil leaves them out.
	Cache *blockcache.Cache

	Kernel        Kernel            // one without a name stands for DefaultKernel
	NonRotational bool              // the device has no heads that move
	Tunables      map[string]uint32 // tunables that differ from their defaults, by s_mb_* or sysfs name
	PageSize      int64             // bytes of a page, allocator.PageSize where 0

	Observer Observer         // told of what the file system decides, nil for nobody
	Blocks   mballoc.Observer // told of what the allocator decides, nil for nobody
}

// DefaultOptions are the default kernel's defaults for a file system with this block
// size.
func DefaultOptions(blockSize int64) Options { return DefaultKernel.DefaultOptions(blockSize) }

// DefaultOptions are the kernel's defaults for a file system with this block size
// (ext4_set_def_opts).
func (k *Kernel) DefaultOptions(blockSize int64) Options {
	return Options{
		CPUs:                 1,
		Delalloc:             true,
		DioreadNolock:        k.Defaults.DioreadNolock || blockSize == allocator.PageSize,
		AutoDaAlloc:          true,
		Stripe:               -1,
		PrefetchBlockBitmaps: k.Defaults.PrefetchBlockBitmaps,
		OptimizeScan:         -1,
		Reserve:              filesystem.ReserveOptions{UID: -1, GID: -1},
		CommitSeconds:        5,
		Kernel:               *k,
	}
}

// decidingOptions are the mount options that parseOne acts on. Those that end in = take a
// value.
var decidingOptions = []string{
	"delalloc", "nodelalloc", "dioread_nolock", "dioread_lock", "nodioread_nolock", "auto_da_alloc", "noauto_da_alloc",
	"prefetch_block_bitmaps", "no_prefetch_block_bitmaps", "mb_optimize_scan=", "commit=", "stripe=", "data=", "resuid=", "resgid=",
}

// DecidingOptions are the mount options that decide where blocks land or when; those that end in =
// take a value.
func DecidingOptions() []string { return slices.Clone(decidingOptions) }

// nearestOption is the option that takes the fewest edits from key, the first in the
// alphabet if there are several.
func nearestOption(key string) string {
	names := slices.Clone(decidingOptions)
	for name := range withoutEffect {
		names = append(names, name)
	}
	slices.Sort(names)
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = strings.TrimSuffix(name, "=")
	}
	best, _ := nearest.Of(key, keys)
	return names[slices.Index(keys, best)]
}

// Parse applies a string of mount options separated by commas, as mount -o takes it.
func (o *Options) Parse(s string) error {
	for opt := range strings.SplitSeq(s, ",") {
		opt = strings.TrimSpace(opt)
		if opt == "" {
			continue
		}
		if err := o.parseOne(opt); err != nil {
			return err
		}
	}
	return nil
}

// parseOne applies one mount option.
func (o *Options) parseOne(opt string) error {
	key, val, has := strings.Cut(opt, "=")
	switch key {
	case "delalloc":
		o.Delalloc = true
	case "nodelalloc":
		o.Delalloc = false
	case "dioread_nolock":
		o.DioreadNolock = true
	case "dioread_lock", "nodioread_nolock":
		o.DioreadNolock = false
	case "auto_da_alloc": // auto_da_alloc=0 turns it off
		o.AutoDaAlloc = val != "0"
	case "noauto_da_alloc":
		o.AutoDaAlloc = false
	case "prefetch_block_bitmaps":
		o.PrefetchBlockBitmaps = true
	case "no_prefetch_block_bitmaps":
		o.PrefetchBlockBitmaps = false
	case "mb_optimize_scan":
		return o.parseOptimizeScan(val)
	// These take a number.
	case "commit", "stripe":
		n, err := strconv.ParseUint(val, 10, 31)
		if !has || err != nil {
			return fmt.Errorf("mount option %s needs a number: %q", key, opt)
		}
		if key == "stripe" {
			o.Stripe = int64(n)
		} else {
			o.CommitSeconds = int(n)
		}
	// Other modes of journalling write data in other ways.
	case "data":
		if val != "ordered" {
			return fmt.Errorf("mount option %q is not modelled; data=ordered is", opt)
		}
	case "resuid", "resgid":
		_, err := o.Reserve.Parse(key, val)
		return err
	default:
		return checkOther(opt)
	}
	return nil
}

// parseOptimizeScan takes the value of mb_optimize_scan, which only later kernels have.
func (o *Options) parseOptimizeScan(val string) error {
	if o.Kernel.Defaults.OptimizeScanGroups == 0 {
		var have []string
		for _, k := range Kernels() {
			if k.Defaults.OptimizeScanGroups > 0 {
				have = append(have, k.Name)
			}
		}
		return fmt.Errorf("kernel %s does not have the mount option mb_optimize_scan; these do: %s", o.Kernel.Name, strings.Join(have, ", "))
	}
	if val != "0" && val != "1" {
		return fmt.Errorf("mount option mb_optimize_scan is 0 or 1: %q", val)
	}
	o.OptimizeScan = int(val[0] - '0')
	return nil
}
