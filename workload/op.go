package workload

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
)

// Op is one operation. Which fields count depends on Kind.
type Op struct {
	Kind   Kind
	Direct bool   // Open: O_DIRECT
	Mode   uint32 // Fallocate: as in fallocate(2)
	Line   int    // its line in the script, counted from 1; 0 where it has none
	FD     string // the script's name of the descriptor
	Path   string
	To     string // Rename: the new path
	N      int    // CPU: its number
	Off    int64  // Write, Read, Fallocate: bytes
	Len    int64  // Write, Read, Fallocate, Ftruncate (the new size): bytes
}
