package ext4

// LazyInitDelay is the longest time after a mount until the thread for lazy
// initialization begins, ns; the kernel draws one below it
// (EXT4_DEF_LI_MAX_START_DELAY).
const LazyInitDelay = 5_000_000_000

// PrefetchBitmaps reads all block bitmaps, as that thread does with the mount
// option prefetch_block_bitmaps; without it nothing happens
// (ext4_lazyinit_thread). Inode tables, which it initializes too, decide nothing
// here.
func (fs *FS) PrefetchBitmaps() {
	if fs.opt.PrefetchBlockBitmaps {
		fs.alloc.PrefetchBitmaps()
	}
}

// mounted tells whoever runs the clock of a mount.
func (fs *FS) mounted() {
	if fs.opt.PrefetchAtOnce && fs.opt.PrefetchBlockBitmaps {
		fs.alloc.PrefetchBitmapsBy(fs.mountPrefetch)
	}
	if fs.opt.Mounted != nil {
		fs.opt.Mounted()
	}
}
