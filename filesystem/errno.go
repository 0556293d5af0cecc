package filesystem

import "fmt"

// Errno is an error number of Linux. Operations fail with it; a script's
// results.txt holds its negative.
type Errno int

// The errors the file systems here return.
const (
	EPERM        Errno = 1
	ENOENT       Errno = 2
	E2BIG        Errno = 7
	EIO          Errno = 5
	EBADF        Errno = 9
	EFAULT       Errno = 14
	EBUSY        Errno = 16
	EEXIST       Errno = 17
	EXDEV        Errno = 18
	ENOTDIR      Errno = 20
	EISDIR       Errno = 21
	EINVAL       Errno = 22
	EFBIG        Errno = 27
	ENOSPC       Errno = 28
	EMLINK       Errno = 31
	ERANGE       Errno = 34
	ENAMETOOLONG Errno = 36
	ENOTEMPTY    Errno = 39
	ELOOP        Errno = 40
	ENODATA      Errno = 61
	EOPNOTSUPP   Errno = 95
)

var errnoText = map[Errno]string{
	EPERM: "operation not permitted", E2BIG: "argument list too long", EFAULT: "bad address", ENODATA: "no data available",
	ENOENT: "no such file or directory", EIO: "input/output error", EBADF: "bad file descriptor", EBUSY: "device or resource busy",
	EEXIST: "file exists", EXDEV: "invalid cross-device link", ENOTDIR: "not a directory", EISDIR: "is a directory", EINVAL: "invalid argument",
	EFBIG: "file too large", ENOSPC: "no space left on device", EMLINK: "too many links", ERANGE: "numerical result out of range",
	ENAMETOOLONG: "file name too long", ENOTEMPTY: "directory not empty",
	ELOOP: "too many levels of symbolic links", EOPNOTSUPP: "operation not supported",
}

func (e Errno) Error() string {
	if s, ok := errnoText[e]; ok {
		return s
	}
	return fmt.Sprintf("errno %d", int(e))
}
