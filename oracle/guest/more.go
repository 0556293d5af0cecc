package main

import (
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// moreOps performs the operations that most scripts do without: links, attributes, mappings, copies and
// users. p, num and fd are those of op.
func (r *replayer) moreOps(a []string, p func(int) string, num func(int) int64, fd func(int) int) (int, error) {
	// Each operation is one system call, or the few that a program needs for it.
	switch a[0] {
	case "link":
		return 0, syscall.Link(p(1), p(2))
	case "symlink":
		return 0, syscall.Symlink(a[1], p(2))
	case "fsyncdir":
		return 0, fsyncDir(p(1))
	case "setxattr":
		number := int64(0)
		if len(a) > 4 {
			number = num(4)
		}
		return 0, setXattr(p(1), a[2], int(num(3)), uint32(number))
	case "removexattr":
		return 0, removeXattr(p(1), a[2])
	case "store":
		return 0, store(fd(1), num(2), num(3))
	case "copy":
		return copyRange(fd(1), num(2), fd(3), num(4), num(5))
	case "user":
		groups := ""
		if len(a) > 2 {
			groups = a[2]
		}
		return 0, asUser(int(num(1)), groups)
	}
	return 0, fmt.Errorf("unknown operation %q", a[0])
}

// fsyncDir is fsync(2) of a directory.
func fsyncDir(path string) error {
	d, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(d)
	return syscall.Fsync(d)
}

// setXattr is lsetxattr(2). The value begins with its number, so that values of the same length with
// different numbers differ, and those with the same number are equal.
func setXattr(path, name string, n int, number uint32) error {
	value := make([]byte, n+4)
	for i := range value {
		value[i] = 0xa5
	}
	binary.LittleEndian.PutUint32(value, number)
	p, err := syscall.BytePtrFromString(path)
	if err != nil {
		return err
	}
	k, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	_, _, e := syscall.Syscall6(syscall.SYS_LSETXATTR, uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(k)), uintptr(unsafe.Pointer(&value[0])), uintptr(n), 0, 0)
	return asError(e)
}

// removeXattr is lremovexattr(2).
func removeXattr(path, name string) error {
	p, err := syscall.BytePtrFromString(path)
	if err != nil {
		return err
	}
	k, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	_, _, e := syscall.Syscall(syscall.SYS_LREMOVEXATTR, uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(k)), 0)
	return asError(e)
}

// store stores n bytes at off of a file through a shared mapping of their pages. Where it gets SIGBUS it
// ends with EFAULT. Behind the last page that is known before, and nothing is stored.
func store(fd int, off, n int64) (err error) {
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return err
	}
	if n == 0 {
		return nil
	}
	if off > (st.Size+4095)&^4095-n {
		return syscall.EFAULT
	}
	first := off &^ 4095
	m, err := syscall.Mmap(fd, first, int(off+n-first), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	defer syscall.Munmap(m)
	if err := syscall.Madvise(m, syscall.MADV_RANDOM); err != nil {
		return err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = syscall.EFAULT
		}
	}()
	for i := off - first; i < off+n-first; i++ {
		m[i] = 0xa5
	}
	return nil
}

// copyRange is copy_file_range(2). Direct IO is refused, as the simulator does.
func copyRange(from int, off int64, to int, toOff, n int64) (int, error) {
	const sysCopyFileRange = 326 // x86-64; package syscall does not name it
	var flags [2]uintptr
	for i, fd := range [...]int{from, to} {
		var e syscall.Errno
		if flags[i], _, e = syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0); e != 0 {
			return 0, e
		}
	}
	switch {
	case flags[1]&syscall.O_APPEND != 0:
		return 0, syscall.EBADF
	case (flags[0]|flags[1])&syscall.O_DIRECT != 0:
		return 0, syscall.EINVAL
	}
	k, _, e := syscall.Syscall6(sysCopyFileRange, uintptr(from), uintptr(unsafe.Pointer(&off)), uintptr(to), uintptr(unsafe.Pointer(&toOff)), uintptr(n), 0)
	return int(k), asError(e)
}

// asUser lets a user perform what follows, on this thread: its files are the user's, and blocks
// that are reserved for root are not for it (CAP_SYS_RESOURCE). It keeps all other rights of root, so
// that it may open and remove what root may: the simulator asks for no permissions.
func asUser(uid int, groups string) error {
	// Back to root first, who may change all of this.
	for _, call := range [...]uintptr{syscall.SYS_SETFSUID, syscall.SYS_SETFSGID} {
		syscall.RawSyscall(call, 0, 0, 0)
	}
	var ids []uint32
	own := uint32(1<<32 - 2) // a group that nobody has
	for i, g := range strings.FieldsFunc(groups, func(c rune) bool { return c == ',' }) {
		n, err := strconv.ParseUint(g, 10, 32)
		if err != nil {
			return err
		}
		if i == 0 {
			own = uint32(n)
		}
		ids = append(ids, uint32(n))
	}
	if err := setCapabilities(true); err != nil {
		return err
	}
	var list uintptr
	if len(ids) > 0 {
		list = uintptr(unsafe.Pointer(&ids[0]))
	}
	if _, _, e := syscall.RawSyscall(syscall.SYS_SETGROUPS, uintptr(len(ids)), list, 0); e != 0 {
		return e
	}
	if uid == 0 && groups == "" {
		own = 0
	}
	syscall.RawSyscall(syscall.SYS_SETFSGID, uintptr(own), 0, 0)
	syscall.RawSyscall(syscall.SYS_SETFSUID, uintptr(uid), 0, 0)
	return setCapabilities(uid == 0)
}

// setCapabilities makes all capabilities of this thread effective, but CAP_SYS_RESOURCE only if
// resource is true.
func setCapabilities(resource bool) error {
	header := struct {
		version uint32
		pid     int32
	}{0x20080522, 0}
	var data [2]struct{ effective, permitted, inheritable uint32 }
	if _, _, e := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data[0])), 0); e != 0 {
		return e
	}
	for i := range data {
		data[i].effective = data[i].permitted
	}
	const sysResource = 24 // CAP_SYS_RESOURCE
	if !resource {
		data[0].effective &^= 1 << sysResource
	}
	_, _, e := syscall.RawSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data[0])), 0)
	return asError(e)
}

// asError is nil for no error.
func asError(e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}

// setCPU binds this thread, on which all operations run, to CPU n.
func setCPU(n int) error {
	var mask [16]uint64
	mask[n/64] = 1 << (n % 64)
	_, _, e := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask)))
	if e != 0 {
		return e
	}
	return nil
}
