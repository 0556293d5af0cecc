package filesystem

import (
	"fmt"
	"strings"
)

// mountWords are mount options that mount(8), the VFS or the service that mounts act on, of
// every file system, and that decide nothing about where blocks lie.
var mountWords = map[string]bool{
	"defaults": true, "rw": true, "async": true, "auto": true, "noauto": true, "user": true, "nouser": true, "users": true,
	"owner": true, "group": true, "nofail": true, "_netdev": true, "suid": true, "nosuid": true, "dev": true, "nodev": true,
	"exec": true, "noexec": true, "atime": true, "noatime": true, "diratime": true, "nodiratime": true, "relatime": true,
	"norelatime": true, "strictatime": true, "nostrictatime": true, "lazytime": true, "nolazytime": true, "mand": true,
	"nomand": true, "silent": true, "loud": true, "iversion": true, "noiversion": true, "i_version": true, "symfollow": true,
	"nosymfollow": true, "remount": true, "seclabel": true, "private": true, "rprivate": true, "shared": true, "rshared": true,
}

// IsMountWord says whether an option that may be given at the mount of any file system decides
// nothing about where blocks lie.
func IsMountWord(option string) bool {
	key, _, valued := strings.Cut(option, "=")
	switch {
	case strings.HasPrefix(key, "x-"), strings.HasPrefix(key, "X-"):
		return true // for programs such as systemd
	case valued:
		return key == "comment" || key == "context" || key == "fscontext" || key == "defcontext" || key == "rootcontext" || key == "errors"
	}
	return mountWords[key]
}

// UnknownOption is the error of a mount option that a file system does not have.
type UnknownOption struct {
	Option  string // as it was given
	Nearest string // the nearest one that it has
}

func (e *UnknownOption) Error() string {
	return fmt.Sprintf("unknown mount option %q (did you mean %q?)", e.Option, e.Nearest)
}
