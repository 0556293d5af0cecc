package workload

import (
	"strconv"
	"strings"
)

// Kind is what an operation does.
type Kind uint8

// The operations of the oracle's script language (shared/oracle/guest/main.go).
const (
	CPU       Kind = iota // run the following operations on CPU N
	Mkdir                 // PATH
	Creat                 // FD PATH: create or truncate, open read-write
	Open                  // FD PATH [direct]
	Write                 // FD OFF LEN: pwrite(2)
	Fsync                 // FD
	Ftruncate             // FD LEN
	Fallocate             // FD MODE OFF LEN
	Close                 // FD
	Unlink                // PATH
	Rmdir                 // PATH
	Rename                // OLD NEW
	Sync                  // syncfs(2)
	Stat                  // append the mb_groups table to mb_groups.log
	Remount               // unmount and mount again, caches cold
	Read                  // FD OFF LEN: pread(2); not in the oracle's language

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

// User is whose process performs what follows a Process.
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
	Mode   uint32 // Fallocate: as in fallocate(2). Process: the user's id
	Line   int    // its line in the script, counted from 1; 0 where it has none
	FD     string // the script's name of the descriptor
	Path   string
	To     string // Rename: the new path. Process: the ids of the user's groups, between commas
	N      int    // CPU: its number. Process: its id
	// Off is in bytes (Write, Read, Fallocate), or in ns of simulated time: At; Flusher, which writes
	// what was dirty then; Committer.
	Off int64
	// Len is in bytes (Write, Read, Fallocate, and Ftruncate: the new size), or in blocks: Flusher
	// writes more until no more are dirty.
	Len int64
}
