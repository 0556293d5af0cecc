// Package folderlock lets one process at a time write into a folder.
//
// A lock is a file that the system locks for the process that holds it and gives back
// when that process ends, however it ends. It stands in the folder, or beside it while
// there is no folder of this name: who holds such a one may make the folder, whole, by
// a rename. The file tells who holds it, and is removed when the lock is given back; one
// that a killed process has left is held by nobody, and the next process takes it over, or
// removes it where the folder beside it is there by now.
//
// On a network file system that passes flock on to its server, as NFS does, the lock
// holds for all machines.
package folderlock

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// lockName is the name of the file in a folder.
const lockName = ".mbsim.lock"

// besideName is the name of the file beside a folder that is not there.
func besideName(base string) string { return "." + base + ".lock" }

// Lock is a folder that this process holds.
type Lock struct {
	file *os.File
	made []string // folders that were made for the lock, the innermost first
}

// InUse is the error of a folder that another process holds.
type InUse struct {
	Dir string
	Who string // such as "process 123 on n1", as it has said itself; "" where it has not
}

func (e *InUse) Error() string {
	// A process that was killed early has not written its name.
	who := e.Who
	if who == "" {
		who = "another process"
	}
	return fmt.Sprintf("%s is in use by %s: one at a time writes into a folder", e.Dir, who)
}

// Acquire locks dir, whether it is there or not, at once or not at all: the error is
// *InUse where another process holds it. It makes the folders above dir.
func Acquire(dir string) (*Lock, error) { return repeat(dir, attempt) }

// Make is Acquire of a folder that it makes if it is not there.
func Make(dir string) (*Lock, error) { return repeat(dir, attemptToMake) }

// repeat calls try until it has a lock or an error. A try has neither only if the folder or
// the lock's file came or went during it, because another process locked or unlocked the
// folder, so many tries in a row do not fail.
func repeat(dir string, try func(dir string) (*Lock, error)) (*Lock, error) {
	dir = filepath.Clean(dir)
	const tries = 100
	for range tries {
		l, err := once(dir, try)
		if l != nil || err != nil {
			return l, err
		}
	}
	return nil, fmt.Errorf("%s: it appears and goes while it is being locked", dir)
}

// once performs one try while Abandon waits: what a try has made is either noted in held,
// so that Abandon finds it, or gone again.
func once(dir string, try func(dir string) (*Lock, error)) (*Lock, error) {
	mu.Lock()
	defer mu.Unlock()
	if abandoned {
		return nil, errAbandoned
	}
	return try(dir)
}

// attemptToMake is one try of Make, with mu held: neither a lock nor an error where something has changed
// meanwhile.
func attemptToMake(dir string) (*Lock, error) {
	// A lock in the folder says that the folder was there.
	outer, err := attempt(dir)
	if outer == nil || err != nil || filepath.Base(outer.file.Name()) == lockName {
		return outer, err
	}
	defer outer.drop()
	made, err := makeAll(dir)
	if err != nil {
		return nil, err
	}
	// Now the lock moves into the folder, and the folders made for it move to the inner lock.
	// Another process that sees the new folder may lock it first, and even unlock it again,
	// which removes the file that this one has just opened.
	inner, err := open(dir, filepath.Join(dir, lockName))
	if inner == nil || err != nil {
		return nil, errors.Join(err, removeEmpty(made))
	}
	inner.made, outer.made = append(made, outer.made...), nil
	return inner, nil
}

// attempt is one try of Acquire, with mu held: neither a lock nor an error where something has
// changed meanwhile.
func attempt(dir string) (*Lock, error) {
	// A folder that is there has the lock file inside it.
	st, err := os.Stat(dir)
	switch {
	case err == nil && !st.IsDir():
		return nil, fmt.Errorf("%s: a file is in the way of the folder", dir)
	case err == nil:
		l, err := open(dir, filepath.Join(dir, lockName))
		if l != nil {
			removeLeft(filepath.Join(filepath.Dir(dir), besideName(filepath.Base(dir))))
		}
		return l, err
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	// One that is not there has the lock beside it, for which the folders above are needed.
	parent, base := filepath.Split(dir)
	parent = filepath.Clean(parent)
	made, err := makeAll(parent)
	if err != nil {
		return nil, err
	}
	l, err := open(dir, filepath.Join(parent, besideName(base)))
	if l == nil || err != nil {
		return nil, errors.Join(err, removeEmpty(made))
	}
	// Somebody may have made the folder meanwhile, and locked it inside: then this lock is the
	// wrong one.
	l.made = made
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil, l.drop()
	}
	return l, nil
}

// removeLeft removes a lock's file beside a folder that is there: who made the folder was
// killed before it removed the file. One that is held stays, and so does one that cannot be
// removed: it is nobody's, and in nobody's way.
func removeLeft(path string) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil && stillThere(f) {
		_ = os.Remove(path)
	}
}

// open opens and locks a lock's file and writes into it who holds it. It is nil where
// the file or its folder is no longer there once it is locked.
func open(dir, path string) (*Lock, error) {
	// The file is opened, then locked. It may be removed between the two.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		who, _ := io.ReadAll(io.LimitReader(f, 200)) // for the message only
		return nil, errors.Join(&InUse{dir, strings.Join(strings.Fields(string(who)), " ")}, f.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("%s: cannot be locked: %w", path, err), f.Close())
	}
	// The lock is on a file that nobody else can find any more, so it holds nothing.
	if !stillThere(f) {
		return nil, f.Close()
	}
	// Who holds the lock, for the messages of others.
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(self()+"\n"), 0)
	}
	l := &Lock{file: f}
	if err != nil {
		return nil, errors.Join(err, l.release())
	}
	held[l] = true
	return l, nil
}

// The locks that this process holds. mu is held during a try to lock a folder too.
var (
	mu        sync.Mutex
	held      = make(map[*Lock]bool)
	abandoned bool
)

// errAbandoned is the error of what is locked after Abandon.
var errAbandoned = errors.New("interrupted")

// Abandon gives all locks back, and keeps this process from taking others. Only a
// process that is about to exit, and writes nothing more, may call it.
func Abandon() {
	mu.Lock()
	abandoned = true
	all := held
	held = make(map[*Lock]bool)
	mu.Unlock()
	for l := range all {
		_ = l.release() // a file that cannot be removed is nobody's
	}
}

// self is who this process is.
func self() string {
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}

// stillThere says whether a file has its name, and not another one in its place.
func stillThere(f *os.File) bool {
	a, err1 := f.Stat()
	b, err2 := os.Lstat(f.Name())
	return err1 == nil && err2 == nil && os.SameFile(a, b)
}

// Release gives the lock back. It leaves nothing of it, nor of folders that were made
// for it and are empty.
func (l *Lock) Release() error {
	mu.Lock()
	// Abandon has given it back already.
	given := abandoned && !held[l]
	delete(held, l)
	mu.Unlock()
	if given {
		return nil
	}
	return l.release()
}

// drop is Release with mu held.
func (l *Lock) drop() error {
	delete(held, l)
	return l.release()
}

func (l *Lock) release() error {
	// Removed while it is held: who has opened it before finds that it is gone.
	err := os.Remove(l.file.Name())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.file.Close(), removeEmpty(l.made))
}

// makeAll makes a folder and those above it, and returns those that were not there,
// the innermost first.
func makeAll(dir string) (made []string, err error) {
	for at := dir; ; at = filepath.Dir(at) {
		// Up to the first folder that is there, or the root.
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			break
		}
		made = append(made, at)
	}
	return made, os.MkdirAll(dir, 0o777)
}

// removeEmpty removes folders, the innermost first, as far as they are empty.
func removeEmpty(made []string) error {
	for _, dir := range made {
		switch err := os.Remove(dir); {
		case err == nil, errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, syscall.ENOTEMPTY), errors.Is(err, syscall.EEXIST):
			return nil
		default:
			return err
		}
	}
	return nil
}
