package imports

import (
	"slices"
	"strings"
	"testing"
)

// TestModel performs short logs. A case is its log, the script that it becomes, and the reasons for
// which calls are left out.
func TestModel(t *testing.T) {
	for name, c := range map[string]struct{ log, ops, left string }{
		"write at the position, and at a given one": {`
			1 openat(AT_FDCWD, "/r/a", O_WRONLY|O_CREAT|O_EXCL, 0644) = 3
			1 write(3, ""..., 100) = 60
			1 pwrite64(3, ""..., 10, 1000) = 10
			1 writev(3, [{iov_base=""..., iov_len=40}], 1) = 40
			1 pwritev2(3, [{iov_base=""..., iov_len=5}], 1, -1, RWF_SYNC) = 5
			1 pwritev(3, [{iov_base=""..., iov_len=5}], 1, 7) = 5
			1 close(3) = 0`, `
			creat f1 a
			write f1 0 60
			write f1 1000 10
			write f1 60 40
			write f1 100 5
			fsync f1
			write f1 7 5
			close f1`, ""},
		"a position that is shared by dup and fork": {`
			1 openat(AT_FDCWD, "/r/a", O_WRONLY|O_CREAT, 0644) = 3
			1 dup(3) = 4
			1 fcntl(3, F_DUPFD, 10) = 10
			1 fork() = 2
			2 write(4, ""..., 5) = 5
			1 write(10, ""..., 5) = 5
			2 lseek(3, 100, SEEK_SET) = 100
			1 close(3) = 0
			1 close(4) = 0
			2 +++ exited with 0 +++
			1 write(10, ""..., 5) = 5
			1 close(10) = 0`, `
			creat f1 a
			write f1 0 5
			write f1 5 5
			write f1 100 5
			close f1`, ""},
		"a table that threads share, and one that a child has of its own": {`
			1 clone(child_stack=0x1, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD) = 2
			2 creat("/r/a", 0644) = 3
			1 write(3, ""..., 5) = 5
			1 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 4
			1 close(3) = 0
			4 write(3, ""..., 5) = 5
			2 write(3, ""..., 5) = -1 EBADF (Bad file descriptor)
			4 exit_group(0) = ?`, `
			creat f1 a
			write f1 0 5
			write f1 5 5
			close f1`, ""},
		"execve closes what is marked for it": {`
			1 openat(AT_FDCWD, "/r/a", O_WRONLY|O_CREAT|O_CLOEXEC, 0644) = 3
			1 openat(AT_FDCWD, "/r/b", O_WRONLY|O_CREAT, 0644) = 4
			1 fcntl(4, F_SETFD, FD_CLOEXEC) = 0
			1 openat(AT_FDCWD, "/r/c", O_WRONLY|O_CREAT|O_CLOEXEC, 0644) = 5
			1 dup2(5, 6) = 6
			1 execve("/bin/x", ["x"], 0x1 /* 1 var */) = 0
			1 write(6, ""..., 5) = 5`, `
			creat f1 a
			creat f2 b
			creat f3 c
			close f1
			close f2
			write f3 0 5`, ""},
		"a thread that calls execve takes the first one's number": {`
			1 openat(AT_FDCWD, "/r/a", O_WRONLY|O_CREAT, 0644) = 3
			1 clone(flags=CLONE_VM|CLONE_FS|CLONE_FILES) = 2
			1 read(9,  <unfinished ...>
			2 execve("/bin/x", ["x"], NULL <unfinished ...>
			1 +++ superseded by execve in pid 2 +++
			1 <... execve resumed>) = 0
			1 write(3, ""..., 5) = 5`, `
			creat f1 a
			write f1 0 5`, ""},
		"a child that shows itself before the end of its fork": {`
			1 openat(AT_FDCWD, "/r/a", O_WRONLY|O_CREAT, 0644) = 3
			1 vfork( <unfinished ...>
			2 write(3, ""..., 5) = 5
			2 +++ exited with 0 +++
			1 <... vfork resumed>) = 2
			1 close(3) = 0`, `
			creat f1 a
			write f1 0 5
			close f1`, ""},
		"children of two forks at a time": {`
			1 openat(AT_FDCWD, "/r/a", O_WRONLY|O_CREAT, 0644) = 3
			1 fork() = 2
			2 openat(AT_FDCWD, "/r/b", O_WRONLY|O_CREAT|O_TRUNC, 0644) = 4
			1 vfork( <unfinished ...>
			2 vfork( <unfinished ...>
			9 write(4, ""..., 5) = 5
			8 write(3, ""..., 6) = 6
			2 <... vfork resumed>) = 9
			1 <... vfork resumed>) = 8`, `
			creat f1 a
			creat f2 b
			write f2 0 5
			write f1 0 6`, ""},
		"a descriptor that is used again before close has ended": {`
			1 creat("/r/a", 0644) = 3
			1 clone(flags=CLONE_FILES) = 2
			1 close(3 <unfinished ...>
			2 creat("/r/b", 0644) = 3
			1 <... close resumed>) = 0
			2 write(3, ""..., 5) = 5`, `
			creat f1 a
			creat f2 b
			close f1
			write f2 0 5`, ""},
		"calls that had their effect before they ended": {`
			1 mkdir("/r/d", 0777 <unfinished ...>
			2 openat(AT_FDCWD, "/r/d/a", O_WRONLY|O_CREAT|O_EXCL, 0644 <unfinished ...>
			3 openat(AT_FDCWD, "/r/d/a", O_WRONLY|O_APPEND) = 3
			3 write(3, ""..., 5) = 5
			1 <... mkdir resumed>) = 0
			2 <... openat resumed>) = 3
			2 pwrite64(3, ""..., 5, 10) = 5
			2 unlink("/r/d/a" <unfinished ...>
			3 openat(AT_FDCWD, "/r/d/a", O_WRONLY|O_CREAT|O_EXCL, 0644) = 4
			2 <... unlink resumed>) = 0`, `
			mkdir d
			creat f1 d/a
			open f2 d/a
			write f2 0 5
			write f1 10 5
			unlink d/a
			creat f3 d/a`, ""},
		"working directories and folders as descriptors": {`
			1 mkdir("/r/d", 0777) = 0
			1 chdir("/r/d") = 0
			1 fork() = 2
			2 chdir("..") = 0
			1 mkdir("x", 0777) = 0
			2 mkdir("y", 0777) = 0
			1 openat(AT_FDCWD, "x", O_RDONLY|O_DIRECTORY) = 3
			1 mkdirat(3, "z", 0777) = 0
			1 fchdir(3) = 0
			1 rename("z", "../w") = 0
			1 chdir("../../../tmp") = 0
			1 mkdir("no", 0777) = 0`, `
			mkdir d
			mkdir d/x
			mkdir y
			mkdir d/x/z
			rename d/x/z d/w`, ""},
		"a folder that moves takes along what is in it and who is there": {`
			1 mkdir("/r/d", 0777) = 0
			1 creat("/r/d/a", 0644) = 3
			1 chdir("/r/d") = 0
			1 rename("/r/d", "/r/e") = 0
			1 truncate("/r/e/a", 7) = 0
			1 unlink("a") = 0
			1 chdir("/") = 0
			1 rmdir("/r/e") = 0`, `
			mkdir d
			creat f1 d/a
			rename d e
			open f2 e/a
			ftruncate f2 7
			close f2
			unlink e/a
			rmdir e`, ""},
		"append, truncation, and what fails": {`
			1 openat(AT_FDCWD, "/r/a", O_RDWR|O_CREAT|O_APPEND, 0644) = 3
			1 write(3, ""..., 5) = 5
			1 pwrite64(3, ""..., 5, 1) = 5
			1 write(3, ""..., 5) = -1 ENOSPC (No space left on device)
			1 ftruncate(3, 100) = 0
			1 write(3, ""..., 5) = 5
			1 fcntl(3, F_SETFL, O_RDWR) = 0
			1 lseek(3, 0, SEEK_SET) = 0
			1 write(3, ""..., 5) = 5
			1 openat(AT_FDCWD, "/r/a", O_WRONLY|O_TRUNC) = 4
			1 write(4, ""..., 1) = ? ERESTARTSYS (To be restarted)`, `
			creat f1 a
			write f1 0 5
			write f1 5 5
			ftruncate f1 100
			write f1 100 5
			write f1 0 5
			creat f2 a`, ""},
		"copies": {`
			1 creat("/r/a", 0644) = 3
			1 open("/etc/passwd", O_RDONLY) = 4
			1 sendfile(3, 4, NULL, 100) = 50
			1 copy_file_range(4, NULL, 3, [1000], 100, 0) = 20
			1 copy_file_range(4, [7], 3, NULL, 100, 0) = 30
			1 splice(4, NULL, 3, NULL, 10, 0) = 10`, `
			creat f1 a
			write f1 0 50
			write f1 1000 20
			write f1 50 30
			write f1 80 10`, ""},
		"fallocate, syncs, O_DIRECT and O_DSYNC": {`
			1 openat(AT_FDCWD, "/r/a", O_RDWR|O_CREAT|O_DIRECT, 0644) = 3
			1 fallocate(3, 0, 0, 8192) = 0
			1 fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 4096, 4096) = 0
			1 fdatasync(3) = 0
			1 fsync(3) = 0
			1 syncfs(3) = 0
			1 sync() = 0
			1 openat(AT_FDCWD, "/r/a", O_WRONLY|O_DSYNC) = 4
			1 write(4, ""..., 1) = 1`, `
			creat f1 a
			close f1
			open f1 a direct
			fallocate f1 0 0 8192
			fallocate f1 3 4096 4096
			fsync f1
			fsync f1
			sync
			sync
			open f2 a
			write f2 0 1
			fsync f2`, ""},
		"hard links: data goes to the file, the last name counts": {`
			1 creat("/r/a", 0644) = 3
			1 link("/r/a", "/r/b") = 0
			1 open("/r/b", O_WRONLY) = 4
			1 write(4, ""..., 5) = 5
			1 unlink("/r/a") = 0
			1 write(3, ""..., 6) = 6
			1 link("/r/b", "/r/c") = 0
			1 rename("/r/c", "/r/d") = 0
			1 rename("/r/d", "/r/b") = 0
			1 unlink("/r/d") = 0
			1 unlink("/r/b") = 0`, `
			creat f1 a
			open f2 a
			write f2 0 5
			rename a b
			write f1 0 6
			unlink b`,
			"a further name|a rename of|a removal of"},
		"a rename over a file with two names": {`
			1 creat("/r/a", 0644) = 3
			1 link("/r/a", "/r/b") = 0
			1 creat("/r/x", 0644) = 4
			1 rename("/r/x", "/r/a") = 0
			1 write(3, ""..., 5) = 5
			1 truncate("/r/b", 1) = 0`, `
			creat f1 a
			creat f2 x
			rename a b
			rename x a
			write f1 0 5
			open f3 b
			ftruncate f3 1
			close f3`, "a further name"},
		"symbolic links lead to the file": {`
			1 mkdir("/r/d", 0777) = 0
			1 symlink("d", "/r/l") = 0
			1 symlink("/r/l/a", "/r/m") = 0
			1 creat("/r/l/a", 0644) = 3
			1 open("/r/m", O_WRONLY) = 4
			1 unlink("/r/m") = 0
			1 open("/r/m", O_WRONLY|O_CREAT, 0644) = 5`, `
			mkdir d
			creat f1 d/a
			open f2 d/a
			creat f3 m`, "a symbolic link|a removal of"},
		"files without a name": {`
			1 open("/r", O_RDWR|O_TMPFILE, 0600) = 3</r/#12>(deleted)
			1 write(3, ""..., 5) = 5
			1 linkat(AT_FDCWD, "/proc/self/fd/3", AT_FDCWD, "/r/a", AT_SYMLINK_FOLLOW) = 0
			1 open("/r", O_RDWR|O_TMPFILE, 0600) = 4
			1 linkat(4, "", AT_FDCWD, "/r/b", AT_EMPTY_PATH) = 0
			1 open("/r", O_RDWR|O_TMPFILE, 0600) = 5
			1 close(5) = 0`, `
			creat f1 .mbsim-tmpfile-1
			write f1 0 5
			rename .mbsim-tmpfile-1 a
			creat f2 .mbsim-tmpfile-1
			rename .mbsim-tmpfile-1 b
			creat f3 .mbsim-tmpfile-1
			unlink .mbsim-tmpfile-1
			close f3`, ""},
		"a removed file stays until its reader closes it": {`
			1 creat("/r/a", 0644) = 3
			1 close(3) = 0
			1 open("/r/a", O_RDONLY) = 3
			1 unlink("/r/a") = 0
			1 creat("/r/b", 0644) = 4
			1 close(3) = 0`, `
			creat f1 a
			close f1
			open f1 a
			unlink a
			creat f2 b
			close f1`, ""},
		"two names exchanged": {`
			1 creat("/r/a", 0644) = 3
			1 mkdir("/r/b", 0777) = 0
			1 renameat2(AT_FDCWD, "/r/a", AT_FDCWD, "/r/b", RENAME_EXCHANGE) = 0
			1 unlink("/r/b") = 0
			1 rmdir("/r/a") = 0`, `
			creat f1 a
			mkdir b
			rename a .mbsim-tmpfile-1
			rename b a
			rename .mbsim-tmpfile-1 b
			unlink b
			rmdir a`, ""},
		"what was there before, by what the log shows of it": {`
			1 stat("/r/d/known", {st_mode=S_IFREG|0644, st_size=5000, ...}) = 0
			1 open("/r/read", O_RDONLY) = 3
			1 read(3, ""..., 100) = 100
			1 read(3, ""..., 100) = 40
			1 open("/r/log", O_WRONLY|O_APPEND) = 4
			1 write(4, ""..., 10) = 10
			1 fstat(4, {st_mode=S_IFREG|0644, st_size=310, ...}) = 0
			1 open("/r/db", O_RDWR|O_CREAT, 0644) = 5
			1 fstat(5, {st_mode=S_IFREG|0644, st_size=8192, ...}) = 0
			1 rename("/r/d", "/r/e") = 0
			1 open("/r/e/late", O_WRONLY) = 6
			1 open("/r/new", O_RDWR|O_CREAT|O_EXCL, 0644) = 7
			1 fstat(7, {st_mode=S_IFREG|0644, st_size=0, ...}) = 0`, `
			mkdir d
			creat f1 d/known
			write f1 0 5000
			close f1
			creat f1 d/late
			close f1
			creat f1 db
			write f1 0 8192
			close f1
			creat f1 log
			write f1 0 300
			close f1
			creat f1 read
			write f1 0 140
			close f1
			sync
			open f1 log
			write f1 300 10
			open f2 db
			rename d e
			open f3 e/late
			creat f4 new`, ""},
		"what was there before is removed": {`
			1 unlink("/r/d/a") = 0
			1 rmdir("/r/d") = 0`, `
			mkdir d
			creat f1 d/a
			close f1
			sync
			unlink d/a
			rmdir d`, ""},
		"descriptors that only -y shows": {`
			1 write(5</r/a>, ""..., 5) = 5
			1 write(1<pipe:[7]>, ""..., 5) = 5
			1 mkdirat(AT_FDCWD</r>, "d", 0777) = 0
			1 openat(AT_FDCWD</r>, "d/x", O_WRONLY|O_CREAT, 0644) = 6</r/d/x>
			1 write(2, ""..., 5) = 5`, `
			creat f1 a
			close f1
			sync
			open f1 a
			write f1 0 5
			mkdir d
			creat f2 d/x`, "a descriptor of which"},
		"a file that was open and is written at its end": {`
			1 write(5</r/log>, ""..., 10) = 10
			1 fstat(5</r/log>, {st_mode=S_IFREG|0644, st_size=510, ...}) = 0
			1 write(5</r/log>, ""..., 10) = 10
			1 fstat(5</r/log>, {st_mode=S_IFREG|0644, st_size=520, ...}) = 0
			1 lseek(5</r/log>, 0, SEEK_SET) = 0
			1 write(5</r/log>, ""..., 10) = 10`, `
			creat f1 log
			write f1 0 500
			close f1
			sync
			open f1 log
			write f1 500 10
			write f1 510 10
			write f1 0 10`, ""},
		"what the script cannot say is counted": {`
			1 open("/r/a", O_RDWR|O_CREAT, 0644) = 3
			1 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 3, 0) = 0x7f0000000000
			1 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE, 3, 0) = 0x7f0000000000
			1 fsetxattr(3, "user.x", ""..., 1, 0) = 0
			1 open("/r", O_RDONLY|O_DIRECTORY) = 4
			1 fsync(4) = 0
			1 mknod("/r/p", S_IFIFO|0644) = 0
			1 mkdir("x", 0777) = 0
			1 io_uring_enter(9, 1, 0, 0, NULL, 8) = 1
			1 quotactl("/r/q", 1) = 0
			1 chmod("/r/a", 0600) = 0`, `
			creat f1 a`,
			"a shared mapping|an extended attribute|fsync of a folder|a pipe, a socket|a path that begins|io_uring_enter|quotactl"},
		"names with any byte": {`
			1 mkdir("/r/a b\n\"\\\303\251\1", 0777) = 0
			1 creat("/r/a b\n\"\\\303\251\1/#", 0644) = 3</r/a b\n"\\\303\251\1/#>`, `
			mkdir "a b\x0a\"\\\xc3\xa9\x01"
			creat f1 "a b\x0a\"\\\xc3\xa9\x01/#"`, ""},
		"a descriptor of which nothing is known takes the place of one": {`
			1 fcntl(1, F_DUPFD, 10) = 10
			1 creat("/r/a", 0644) = 3
			1 dup2(3, 1) = 1
			1 close(3) = 0
			1 write(1, ""..., 5) = 5
			1 dup2(10, 1) = 1
			1 write(1, ""..., 5) = 5`, `
			creat f1 a
			write f1 0 5
			close f1`, "a descriptor of which"},
		"a log of a terminal": {`
			creat("/r/a", 0644) = 3
			clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
			strace: Process 8 attached
			[pid     8] write(3, ""..., 5) = 5
			[pid     7] <... clone resumed>) = 8
			[pid     7] write(3, ""..., 5 <unfinished ...>
			[pid     8] +++ exited with 0 +++
			<... write resumed>) = 5
			close(3) = 0
			+++ exited with 0 +++`, `
			creat f1 a
			write f1 0 5
			write f1 5 5
			close f1`, ""},
		"a closed range, and descriptors of something else": {`
			1 creat("/r/a", 0644) = 3
			1 pipe2([4, 5], O_CLOEXEC) = 0
			1 write(5, ""..., 5) = 5
			1 close_range(3, 4294967295, 0) = 0
			1 socket(AF_UNIX, SOCK_STREAM, 0) = 3
			1 write(3, ""..., 5) = 5`, `
			creat f1 a
			close f1`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			for l := range strings.SplitSeq(strings.TrimSpace(c.log), "\n") {
				log.WriteString(strings.TrimLeft(l, "\t") + "\n")
			}
			report, got := importText(t, log.String(), Options{})
			if want := join(c.ops); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			var left []string
			if c.left != "" {
				left = strings.Split(c.left, "|")
			}
			same := slices.EqualFunc(report.LeftOut, left, func(r Reason, begin string) bool { return strings.HasPrefix(r.Text, begin) })
			if !same {
				t.Errorf("left out %+v, want %q", report.LeftOut, left)
			}
		})
	}
}
