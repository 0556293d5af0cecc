package ext4

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mbsim/allocator/mballoc"
	"mbsim/filesystem/image"
	"mbsim/filesystem/play"
	"mbsim/workload"
)

// script is a case as the oracle has it: a device, and operations in order.
type script struct {
	size        int64
	mkfs, mount string
	cpus        int
	profile     string            // "" for the default
	kernel      *Kernel           // instead of profile, where it is not nil
	tunables    map[string]uint32 // those that are not the kernel's
	chunk       uint32            // pages background writeback takes of a file; 0: there is none
	ops         []workload.Op
}

var errNoDevice = errors.New("mke2fs refuses these parameters")

// start mounts a fresh device.
func (c *script) start() (*FS, *play.Player, error) { return c.startWatched(nil, nil) }

// startWatched mounts a fresh device with observers for the decisions of the file system
// and allocator.
func (c *script) startWatched(o Observer, blocks mballoc.Observer) (*FS, *play.Player, error) {
	now := int64(0)
	fs, err := c.mountWith(func(opt *Options, _ int64) {
		opt.Observer, opt.Blocks = o, blocks
		if c.chunk > 0 {
			opt.DirtyBackground = 100
		}
		opt.Clock = func() int64 { now += 1e6; return now }
	})
	if err != nil {
		return nil, nil, err
	}
	player := &play.Player{FS: fs, CPUs: c.cpus}
	player.Stat = func() error { return stat(fs, &player.Task, now) }
	return fs, player, nil
}

// mountWith makes the case's device and mounts it with its options, and with those that the
// function more sets, which receives the block size in bytes.
func (c *script) mountWith(more func(*Options, int64)) (*FS, error) {
	p, err := image.ParseMkfsArgs(append([]string{"-t", "ext4"}, strings.Fields(c.mkfs)...), c.size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoDevice, err)
	}
	l, err := image.Mkfs(p)
	if err != nil {
		return nil, errNoDevice
	}
	k := DefaultKernel
	if c.profile != "" {
		if k, err = KernelByName(c.profile); err != nil {
			return nil, err
		}
	}
	if c.kernel != nil {
		k = *c.kernel
	}
	opt := k.DefaultOptions(l.Super.BlockSize())
	opt.CPUs = c.cpus
	opt.WritebackChunk, opt.Tunables = c.chunk, c.tunables
	more(&opt, l.Super.BlockSize())
	if err := opt.Parse(c.mount); err != nil {
		return nil, err
	}
	return Mount(l, opt)
}

// stat is what the script's stat does here: all groups are loaded and all files
// listed, as the recorder does, and the flusher wakes.
func stat(fs *FS, t *task, now int64) error {
	for g := range fs.geo.Groups {
		fs.alloc.GroupInfo(g)
	}
	for range fs.Files() {
	}
	fs.CommitOld(t, now-10e6)
	fs.WritebackOld(t, now-10e6)
	return nil
}

// run performs the case, checking all after every so many operations and in the
// end, then removes everything. A panic is an error.
func (c *script) run(every int) (err error) {
	fs, p, err := c.start()
	if err != nil {
		return err
	}
	doing := "mounting"
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("%s: panic: %v", doing, e)
		}
	}()
	for i := range c.ops {
		doing = fmt.Sprintf("operation %d, %s", i+1, workload.FormatOp(c.ops[i]))
		if c.ops[i].Kind == workload.Remount {
			if err := p.CloseAll(); err != nil { // an operation dropped may have been a close
				return err
			}
		}
		if _, err := p.Do(&c.ops[i]); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		if i%every == every-1 || i == len(c.ops)-1 {
			if err := fs.Check(); err != nil {
				return fmt.Errorf("after %s: %w", doing, err)
			}
		}
	}
	doing = "removing all"
	if err := removeAll(fs, p); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// removeAll closes and removes everything. Then as many blocks and inodes must be free or a
// file's as right after a mount of the original image.
func removeAll(fs *FS, p *play.Player) error {
	if err := p.CloseAll(); err != nil {
		return err
	}
	var all []*inode
	var paths []string
	for f := range fs.Look() {
		if f.Path != "." && f.Path != "lost+found" {
			paths = append(paths, f.Path)
			all = append(all, fs.inodes.at(f.Inode))
		}
	}
	for i, in := range slices.Backward(all) {
		remove := fs.Unlink
		if in.isDir() {
			remove = fs.Rmdir
		}
		if err := remove(&p.Task, paths[i]); err != nil {
			return fmt.Errorf("%s: %w", paths[i], err)
		}
	}
	if err := errors.Join(fs.Check(), fs.Sync(&p.Task), fs.Remount(&p.Task), fs.Check()); err != nil {
		return err
	}
	fresh, err := Mount(fs.layout, Options{CPUs: 1, Stripe: -1})
	if err != nil {
		return err
	}
	blocks, inodes := fs.files()
	if len(fs.leaked) > 0 {
		return nil // of a kernel that keeps blocks of files that are gone
	}
	if wantBlocks, wantInodes := fresh.files(); blocks != wantBlocks || inodes != wantInodes {
		return fmt.Errorf("%d blocks and %d inodes are free or files' in the end, %d and %d were", blocks, inodes, wantBlocks, wantInodes)
	}
	return nil
}

// files counts the blocks and inodes that are free, or files'.
func (fs *FS) files() (blocks, inodes int64) {
	blocks, inodes = fs.alloc.FreeClusters().Sum()<<fs.geo.ClusterBits, fs.freeInodes.Sum()
	for in := range fs.inodes.all() {
		blocks += in.blocks
		inodes++
	}
	return blocks, inodes
}

// minimize drops operations that the failure does not need, then tries simpler
// parameters, and describes what is left.
func (c *script) minimize() string {
	best := *c
	fails := func(c *script) bool {
		err := c.run(1)
		return err != nil && !errors.Is(err, errNoDevice)
	}
	if !fails(&best) {
		return fmt.Sprintf("%v\n%s", c.run(8), c)
	}
	for n := len(best.ops) / 2; n > 0; n /= 2 {
		for i := 0; i+n <= len(best.ops); {
			try := best
			try.ops = slices.Delete(slices.Clone(best.ops), i, i+n)
			if fails(&try) {
				best = try
			} else {
				i++
			}
		}
	}
	for _, simpler := range []func(*script){
		func(c *script) { c.cpus = 1 },
		func(c *script) { c.chunk = 0 },
		func(c *script) { c.profile = "" },
		func(c *script) { c.mount = "" },
		func(c *script) { c.mkfs = "" },
		func(c *script) { c.mkfs = "-b 4096" },
		func(c *script) {
			c.mkfs = strings.Join(strings.Fields(c.mkfs)[:min(2, len(strings.Fields(c.mkfs)))], " ")
		},
	} {
		try := best
		if simpler(&try); fails(&try) {
			best = try
		}
	}
	return fmt.Sprintf("%v\n%s", best.run(1), &best)
}

// String is the case in the oracle's words: case.env and the script.
func (c *script) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIZE=%d\nMKFS=%q\nMOUNT=%q\nSMP=%d\n", c.size, c.mkfs, c.mount, c.cpus)
	if c.profile != "" {
		fmt.Fprintf(&b, "# profile %s\n", c.profile)
	}
	if c.chunk > 0 {
		fmt.Fprintf(&b, "# background writeback, %d pages at a time\n", c.chunk)
	}
	for _, op := range c.ops {
		b.WriteString(workload.FormatOp(op) + "\n")
	}
	return b.String()
}
