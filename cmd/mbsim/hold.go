package main

import (
	"mbsim/internal/atomicfile"
	"mbsim/internal/folderlock"
	"mbsim/reports"
)

// holding performs work that writes into the output folder dir, while no other process may
// write into it. Before that it removes what killed processes have left there. acquire is
// folderlock.Acquire where the work itself makes the folder appear whole, and folderlock.Make
// otherwise.
func holding(dir string, acquire func(string) (*folderlock.Lock, error), work func() error) error {
	// That the folder is in use, or cannot be made, is the user's to change.
	l, err := acquire(dir)
	if err != nil {
		return usage(err)
	}
	if err = reports.Recover(dir); err == nil {
		err = work()
	}
	// An error of the work is worth more than one of the lock.
	if e := l.Release(); err == nil && e != nil {
		err = &exitError{exitInternal, e}
	}
	return err
}

// abandon removes what this process has begun and will not finish, since it is about to exit:
// temporary files and locks.
func abandon() {
	atomicfile.Abandon()
	folderlock.Abandon()
}
