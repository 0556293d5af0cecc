package main

import (
	"mbsim/internal/atomicfile"
	"mbsim/internal/folderlock"
	"mbsim/reports"
)

// holding performs work that writes into the output folder dir, which no other process
// may write into meanwhile. Before, it removes what killed processes have left there.
// acquire is folderlock.Acquire where the work makes the folder itself, whole, and
// folderlock.Make otherwise.
func holding(dir string, acquire func(string) (*folderlock.Lock, error), work func() error) error {
	l, err := acquire(dir)
	if err != nil {
		return usage(err)
	}
	if err = reports.Recover(dir); err == nil {
		err = work()
	}
	if e := l.Release(); err == nil && e != nil {
		err = &exitError{exitInternal, e}
	}
	return err
}

// abandon leaves nothing of what this process, which is about to exit, has begun.
func abandon() {
	atomicfile.Abandon()
	folderlock.Abandon()
}
