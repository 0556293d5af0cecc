package ext2

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mbsim/allocator/reservation"
	"mbsim/filesystem"
	"mbsim/internal/nearest"
)

// Options are how a file system is mounted.
type Options struct {
	CPUs int // CPUs of the machine, at least 1
	// Reservation gives files reservation windows (mount option reservation,
	// the default; noreservation turns them off).
	Reservation bool
	// Window is the size of a file's first window, in blocks, at most 1027; 0
	// turns windows off. In the kernel it is EXT2_DEFAULT_RESERVE_BLOCKS, and
	// the ioctl EXT2_IOC_SETRSVSZ sets it for one file; here the option
	// reservation_window=N sets it for all.
	Window uint32
	// OldAlloc places directories where blocks are free, instead of by Orlov's
	// rules (mount option oldalloc).
	OldAlloc bool
	// MinixDF counts the file system's own blocks in statfs (minixdf).
	MinixDF bool
	// Reserve is who may take the blocks reserved for root, besides root (resuid=, resgid=).
	Reserve filesystem.ReserveOptions
	// Seed decides at which group Orlov's search for a top-level directory
	// begins, which the kernel draws at random.
	Seed uint64
}

// DefaultOptions are the kernel's defaults; they do not depend on the block size.
func DefaultOptions(int64) Options {
	return Options{CPUs: 1, Reservation: true, Window: reservation.DefaultWindow, Reserve: filesystem.ReserveOptions{UID: -1, GID: -1}}
}

// switches are the mount options without value that decide something here.
var switches = map[string]func(*Options){
	"reservation":   func(o *Options) { o.Reservation = true },
	"noreservation": func(o *Options) { o.Reservation = false },
	"oldalloc":      func(o *Options) { o.OldAlloc = true },
	"orlov":         func(o *Options) { o.OldAlloc = false },
	"minixdf":       func(o *Options) { o.MinixDF = true },
	"bsddf":         func(o *Options) { o.MinixDF = false },
}

// windowOption is the one option the kernel does not have.
const windowOption = "reservation_window"

// ignored are the options that change nothing that decides where a block lands
// here; those that end in = have a value.
var ignored = []string{
	"acl", "async", "atime", "bsdgroups", "debug", "defaults", "errors=", "grpid", "grpquota", "lazytime", "noacl",
	"noatime", "nodiratime", "nobh", "nogrpid", "noquota", "nouid32", "nouser_xattr", "quota", "relatime", "rw", "sb=", "strictatime", "sysvgroups", "user_xattr", "usrquota",
}

// Parse applies a mount option string, as mount -o takes it. The error names the
// first option that is unknown, and the nearest known one.
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

func (o *Options) parseOne(opt string) error {
	key, value, valued := strings.Cut(opt, "=")
	if set := switches[key]; set != nil && !valued {
		set(o)
		return nil
	}
	if known, err := o.Reserve.Parse(key, value); known {
		return err
	}
	// The list of ignored options marks those that have a value by an = at the end.
	known := key
	if valued {
		known += "="
	}
	switch {
	case key == windowOption:
		n, err := strconv.ParseUint(value, 10, 16)
		if err != nil || n > reservation.MaxWindow {
			return fmt.Errorf("mount option %q: want a number of blocks, 0 to %d", opt, reservation.MaxWindow)
		}
		o.Window = uint32(n)
	case slices.Contains(ignored, known), filesystem.IsMountWord(opt):
	case key == "dax" || key == "xip" || key == "sync" || key == "dirsync" || key == "ro":
		return fmt.Errorf("mount option %q is not modelled", opt)
	default:
		return &filesystem.UnknownOption{Option: opt, Nearest: nearestOption(key)}
	}
	return nil
}

// DecidingOptions are the mount options that decide something here; those that end in = take a
// value.
func DecidingOptions() []string {
	names := []string{windowOption + "=", "resuid=", "resgid="}
	for name := range switches {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// nearestOption is the option with the fewest edits from key, the first in the
// alphabet if several.
func nearestOption(key string) string {
	// Compared without the =, shown with it.
	names := append(DecidingOptions(), ignored...)
	slices.Sort(names)
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = strings.TrimSuffix(name, "=")
	}
	best, _ := nearest.Of(key, keys)
	return names[slices.Index(keys, best)]
}
