package ext4

import (
	"fmt"
	"strings"

	"mbsim/filesystem"
)

// withoutEffect are mount options of ext4 that are accepted and change nothing here, since
// they do not decide where blocks land. Those of which the value decides are in parseOne or
// in notModelled.
var withoutEffect = map[string]bool{
	"barrier": true, "nobarrier": true, "user_xattr": true, "nouser_xattr": true, "acl": true, "noacl": true,
	"block_validity": true, "noblock_validity": true, "journal_checksum": true, "nojournal_checksum": true,
	"journal_async_commit": true, "discard": true, "nodiscard": true, "init_itable": true, "noinit_itable": true,
	"debug": true, "bsddf": true, "minixdf": true, "grpid": true, "nogrpid": true, "bsdgroups": true, "sysvgroups": true,
	"nouid32": true, "min_batch_time": true, "max_batch_time": true, "journal_dev": true,
	"journal_path": true, "journal_ioprio": true, "data_err": true, "errors": true, "inode_readahead_blks": true,
	"usrquota": true, "grpquota": true, "prjquota": true, "quota": true, "noquota": true, "usrjquota": true, "grpjquota": true,
	"jqfmt": true, "warn_on_error": true, "nowarn_on_error": true, "nombcache": true, "no_mbcache": true, "inlinecrypt": true,
	// These are there no more: the kernel says so, and goes on.
	"oldalloc": true, "orlov": true, "nocheck": true, "check": true, "reservation": true, "noreservation": true, "bh": true, "nobh": true,
	"mblk_io_submit": true, "nomblk_io_submit": true,
}

// notModelled are options with which the kernel puts blocks elsewhere, or does not write at
// all, and why they cannot be had here.
var notModelled = map[string]string{
	"ro": "a file system that is only read allocates nothing", "noload": "it needs ro", "norecovery": "it needs ro",
	"sync": "every write would be written at once", "dirsync": "every change of a directory would be committed at once",
	"dax": "memory that is addressed directly has no delayed allocation", "abort": "nothing is written after it",
	"sb": "another copy of the superblock is not looked for", "test_dummy_encryption": "encryption is not modelled",
	"debug_want_extra_isize": "the room in inodes is the superblock's", "max_dir_size_kb": "directories have no such limit",
}

// sometimes are options with a value that turns off what notModelled cannot.
var sometimes = map[string]bool{"dax=never": true, "dax=inode": true, "max_dir_size_kb=0": true}

// checkOther accepts or refuses a mount option that parseOne does not act on.
func checkOther(opt string) error {
	key, _, _ := strings.Cut(opt, "=")
	switch {
	case sometimes[opt] || withoutEffect[key] || filesystem.IsMountWord(opt):
		return nil
	case notModelled[key] != "":
		return fmt.Errorf("mount option %q is not modelled: %s", opt, notModelled[key])
	}
	return &filesystem.UnknownOption{Option: opt, Nearest: nearestOption(key)}
}
