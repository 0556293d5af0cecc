package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// temporary makes what create makes under a temporary name for name in dir, and locks
// it. Before, it removes what killed processes have left of name there.
func temporary(dir, name string, create func(string) (*os.File, error)) (*os.File, error) {
	if err := sweep(dir, name); err != nil {
		return nil, err
	}
	for {
		// A random number, so that processes and goroutines do not meet. If they do, another number
		// is drawn.
		temp := filepath.Join(dir, fmt.Sprintf("%s%d", prefix(name), rand.Uint64()))
		if f, err := begin(temp, create); f != nil || err != nil {
			return f, err
		}
	}
}

// begin makes what create makes under the name temp, locks it and notes it, which Abandon
// waits for: so nothing is there that Abandon does not know. It has neither a file nor an
// error where another name must be tried.
func begin(temp string, create func(string) (*os.File, error)) (*os.File, error) {
	mu.Lock()
	defer mu.Unlock()
	if abandoned {
		return nil, ErrAbandoned
	}
	f, err := create(temp)
	if errors.Is(err, fs.ErrExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// Another process may have taken it for one that nobody holds before it was
	// locked. Then it is gone, or will be.
	if err := lock(f); !errors.Is(err, syscall.EWOULDBLOCK) && stillThere(f) {
		writing[f.Name()] = ""
		return f, nil
	}
	return nil, errors.Join(os.RemoveAll(temp), f.Close())
}

// prefix is what temporary names for name begin with.
func prefix(name string) string {
	if name == "" {
		return ".tmp-"
	}
	return "." + name + ".tmp-"
}

// sweep removes what is temporary for name in dir and held by nobody.
func sweep(dir, name string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		// Only names that temporary can have made.
		number, ok := strings.CutPrefix(e.Name(), prefix(name))
		if !ok || number == "" || strings.Trim(number, "0123456789") != "" {
			continue
		}
		if err := removeUnheld(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("a killed process left it and it cannot be removed: %w", err)
		}
	}
	return nil
}

// removeUnheld removes a file or folder unless a process holds it.
func removeUnheld(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// The lock can be taken only if the process that held it has ended.
	if lock(f) == nil {
		err = os.RemoveAll(path)
	}
	return errors.Join(err, f.Close())
}

// lock locks a file until it is closed. The error is EWOULDBLOCK where another process
// holds it, and another one on file systems that have no locks: there nothing is taken
// for unheld.
func lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// stillThere says whether the file has the name it was made under.
func stillThere(f *os.File) bool {
	a, err1 := f.Stat()
	b, err2 := os.Lstat(f.Name())
	return err1 == nil && err2 == nil && os.SameFile(a, b)
}

// Those that this process is writing. together is held while something must not be
// done by half, and for good once the process is about to exit.
var (
	mu        sync.Mutex
	writing   = make(map[string]string) // and the folder made for it, "" where none was
	together  sync.RWMutex
	forGood   sync.Once // takes together
	abandoned bool
)

// ErrAbandoned is the error of what is begun after Abandon.
var ErrAbandoned = errors.New("interrupted")

// alsoRemove notes that a folder was made for what is being written.
func alsoRemove(name, folder string) {
	mu.Lock()
	defer mu.Unlock()
	if _, ok := writing[name]; ok {
		writing[name] = folder
	}
}

func forget(name string) {
	mu.Lock()
	defer mu.Unlock()
	delete(writing, name)
}

// Together performs what must not be done by half, such as giving several files their
// names: Abandon waits for it. It may not be called within itself.
func Together(f func() error) error {
	together.RLock()
	defer together.RUnlock()
	return f()
}

// Abandon removes all that this process is writing and keeps it from finishing
// anything more. Only a process that is about to exit may call it, once or more.
func Abandon() {
	// Together can no longer begin, and what has begun has ended.
	forGood.Do(together.Lock)
	mu.Lock()
	defer mu.Unlock()
	abandoned = true
	for name, folder := range writing {
		// Whoever writes into a folder may still be at it, and add a file meanwhile.
		// What cannot be removed at all the next process removes.
		const tries = 20
		for range tries {
			if os.RemoveAll(name) == nil {
				break
			}
		}
		if folder != "" {
			_ = os.Remove(folder) // stays where another process has put a file there
		}
	}
}
