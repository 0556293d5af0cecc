package workload

import (
	"strconv"
	"strings"
)

// Kind is what an operation does.
type Kind uint8

// The operations of the oracle's script language (shared/oracle/guest/main.go).
const (
	CPU         Kind = iota // run the following operations on CPU N
	Mkdir                   // PATH
	Creat                   // FD PATH: create or truncate, open read-write
	Open                    // FD PATH [direct]
	Write                   // FD OFF LEN: pwrite(2)
	Fsync                   // FD
	Ftruncate               // FD LEN
	Fallocate               // FD MODE OFF LEN
	Close                   // FD
	Unlink                  // PATH
	Rmdir                   // PATH
	Rename                  // OLD NEW
	Sync                    // syncfs(2)
	Stat                    // append the mb_groups table to mb_groups.log
	Remount                 // unmount and mount again, caches cold
	Read                    // FD OFF LEN: pread(2); not in the oracle's language
	Link                    // PATH NEW: link(2)
	Symlink                 // TARGET PATH: symlink(2)
	FsyncDir                // PATH: fsync(2) of a directory
	SetXattr                // PATH NAME LEN [NUMBER]: lsetxattr(2)
	RemoveXattr             // PATH NAME: lremovexattr(2)
	Store                   // FD OFF LEN: stores through a shared mapping
	Copy                    // FD OFF FD2 OFF2 LEN: copy_file_range(2)
	AsUser                  // UID [GROUP,...]: a user performs what follows

	// What a scenario's clock does, in the script of a run with its times. The recorder passes over
	// these.
	At        // NS: the simulated time of what follows
	Process   // PID UID [GROUP,...]: the process that performs what follows
	Flusher   // NS BLOCKS: the flusher wakes: see Off and Len
	Committer // NS: a transaction that began at this time or earlier is committed
	Prefetch  // all block bitmaps are read in the background
)

// ProcessOf is the operation that lets a user's process perform what follows.
func ProcessOf(pid int, u User) Op {
	var groups []string
	for _, g := range u.Groups {
		groups = append(groups, strconv.FormatUint(uint64(g), 10))
	}
	return Op{Kind: Process, N: pid, Mode: u.UID, To: strings.Join(groups, ",")}
}

// User is whose process performs what follows a Process or an AsUser.
func (op *Op) User() User {
	u := User{UID: op.Mode}
	for g := range strings.SplitSeq(op.To, ",") {
		if n, err := strconv.ParseUint(g, 10, 32); err == nil { // it was parsed with the script
			u.Groups = append(u.Groups, uint32(n))
		}
	}
	return u
}

// Times says that only the clock of a scenario does this.
func (k Kind) Times() bool { return k >= At }

// Op is one operation. Which fields count depends on Kind.
type Op struct {
	Kind   Kind
	Direct bool   // Open: O_DIRECT
	Append bool   // Open: O_APPEND
	Mode   uint32 // Fallocate: as in fallocate(2). Process, AsUser: the user's id
	Line   int    // its line in the script, counted from 1; 0 where it has none
	FD     string // the script's name of the descriptor
	Path   string
	// To is the new path (Rename, Link), what a symbolic link holds (Symlink), the name of an
	// attribute (SetXattr, RemoveXattr), the descriptor that is copied to (Copy), or the ids of the
	// user's groups, between commas (Process, AsUser).
	To string
	N  int // CPU: its number. Process: its id. SetXattr: which value, of those of the same length
	// ToOff is where Copy writes, in bytes.
	ToOff int64
	// Off is in bytes (Write, Read, Fallocate, Store, Copy), or in ns of simulated time: At; Flusher, which writes
	// what was dirty then; Committer.
	Off int64
	// Len is in bytes (Write, Read, Fallocate, Store, Copy, SetXattr, and Ftruncate: the new size), or in blocks: Flusher
	// writes more until no more are dirty.
	Len int64
}
