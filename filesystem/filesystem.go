package filesystem

import (
	"iter"

	"mbsim/allocator"
)

// Task is the process that performs an operation.
type Task struct {
	CPU int // the CPU it runs on: which locality group and counter share it uses
	PID int // pid%16 colours the goal where allocation is not delayed
	// User is whose process it is; nil is root's, as the kernel's threads are.
	User *User
}

// FileSystem is a mounted file system. Paths are relative to its root, without
// a leading slash. Errors are of type Errno.
type FileSystem interface {
	Mkdir(t *Task, path string) error
	// Create makes path or truncates it, open for reading and writing
	// (O_CREAT|O_TRUNC|O_RDWR).
	Create(t *Task, path string) (Handle, error)
	// Open opens an existing file for reading and writing.
	Open(t *Task, path string, flags OpenFlags) (Handle, error)
	// Link is link(2): a further name, to, of the file from.
	Link(t *Task, from, to string) error
	// Symlink is symlink(2): a symbolic link, path, that holds target.
	Symlink(t *Task, target, path string) error
	// SyncDir is fsync(2) of a directory.
	SyncDir(t *Task, path string) error
	// SetAttr is lsetxattr(2), without flags. RemoveAttr is lremovexattr(2).
	SetAttr(t *Task, path, name string, v AttrValue) error
	RemoveAttr(t *Task, path, name string) error
	Unlink(t *Task, path string) error
	Rmdir(t *Task, path string) error
	Rename(t *Task, from, to string) error
	// Sync is syncfs(2): all dirty data written, and the journal committed.
	Sync(t *Task) error
	// Remount unmounts and mounts again, caches cold. No handle may be open.
	Remount(t *Task) error

	// Geometry is the file system's geometry.
	Geometry() *allocator.Geometry
	// Statfs counts as statfs(2) does, in blocks.
	Statfs() Statfs
	// Files lists every file and directory, the root first (its path is "."),
	// sorted by path as the recorder of the oracle sorts them. The extents of a file
	// are valid until the next is asked for.
	Files() iter.Seq[FileInfo]
}

// OpenFlags are the flags of open(2) that matter here.
type OpenFlags uint8

// The flags of FileSystem.Open.
const (
	Direct OpenFlags = 1 << iota // O_DIRECT
	Append                       // O_APPEND
)

// AttrValue is the value of an extended attribute: its bytes, and which of all values of that length
// it is.
type AttrValue struct {
	Len    int64
	Number uint32
}

// Handle is an open file.
type Handle interface {
	// Inode is the number of its inode, Size its size in bytes, and Flags are those it was opened with.
	Inode() uint32
	Size() int64
	Flags() OpenFlags
	// Store stores n bytes at off through a shared mapping of the file (mmap(2)).
	Store(t *Task, off, n int64) error
	// Write is pwrite(2): it returns the bytes written, which may be fewer
	// than n, or an error if none were.
	Write(t *Task, off, n int64) (int64, error)
	// Read is pread(2) of n bytes at off.
	Read(t *Task, off, n int64) (int64, error)
	Fsync(t *Task) error
	Truncate(t *Task, size int64) error
	// Fallocate is fallocate(2), mode as there.
	Fallocate(t *Task, mode uint32, off, n int64) error
	Close(t *Task) error
}

// Statfs holds the counts of statfs(2): of blocks and of inodes.
type Statfs struct {
	BlockSize           int64
	Blocks, Free, Avail int64
	Inodes, FreeInodes  int64
}

// FileInfo is what stat(2) and FIEMAP tell of one file.
type FileInfo struct {
	Path    string
	Inode   uint32
	Mode    uint32 // type and permissions, as st_mode
	Links   uint32 // names (st_nlink)
	Size    int64  // bytes
	Sectors int64  // 512-byte sectors in use, metadata blocks included
	Extents []Extent
	// FiemapErrno is what FIEMAP fails with, 0 where it does not: ext2 does not
	// map its directories (EOPNOTSUPP).
	FiemapErrno Errno
}

// Extent is one extent of a file as FIEMAP reports it, in blocks.
type Extent struct {
	Logical  uint64
	Len      uint64
	Physical allocator.Block
	Flags    ExtentFlags
}

// ExtentFlags are the FIEMAP_EXTENT_* flags.
type ExtentFlags uint32

// The FIEMAP flags that the file systems here report.
const (
	ExtentLast       ExtentFlags = 0x1
	ExtentUnknown    ExtentFlags = 0x2
	ExtentDelalloc   ExtentFlags = 0x4
	ExtentNotAligned ExtentFlags = 0x100
	ExtentInline     ExtentFlags = 0x200
	ExtentUnwritten  ExtentFlags = 0x800
	ExtentMerged     ExtentFlags = 0x1000
)
