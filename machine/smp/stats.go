package smp

import "mbsim/machine/latency"

// WaitKind is what processes wait for.
type WaitKind uint8

// The kinds of waits. One spins for the first two, and sleeps for the others.
const (
	WaitGroup    WaitKind = iota // a group's lock
	WaitStream                   // the stream goal's lock (s_md_lock)
	WaitLocality                 // a locality group's mutex
	WaitInode                    // an inode's lock
	WaitBitmap                   // a bitmap from the device
	WaitIO                       // data to or from the device
	WaitCommit                   // a commit
	waitKinds
)

// String names the kind as metrics do.
func (k WaitKind) String() string {
	return [...]string{"group_lock", "stream_lock", "locality_group", "inode_lock", "bitmap", "io", "commit"}[k]
}

// WaitKinds is the number of kinds.
const WaitKinds = int(waitKinds)

// Wait is how often and how long processes waited for something.
type Wait struct {
	Count int64
	Time  int64 // ns, over all that waited
}

func (w *Wait) add(ns int64) {
	w.Count++
	w.Time += ns
}

// Waits are the waits up to now, by kind.
func (m *Machine) Waits() [WaitKinds]Wait { return m.waits }

// Busy is the work done, ns over all CPUs.
func (m *Machine) Busy() int64 {
	var n int64
	for _, x := range m.spent {
		n += x
	}
	return n
}

// Times are the latencies of what the machine did.
func (m *Machine) Times() *latency.Recorder { return m.times }
