package workload

import (
	"fmt"
	"hash/fnv"
	"math/bits"
)

// decisions keep track of what a process did because of how full the device was or of an
// operation that failed, and would not have done otherwise. Two runs of one seed whose
// decisions are the same have had the same workload, as far as each of its processes came.
type decisions struct {
	activities uint64 // begun so far
	hash       uint64 // of those that the outcome decided
}

// mix makes one number of two.
func mix(a, b uint64) uint64 {
	a = (a ^ b) * 0x9e3779b97f4a7c15
	return a ^ bits.RotateLeft64(a, 29)
}

// decisionLevel is the decisions of all processes that have begun 2^k activities, up to there.
type decisionLevel struct {
	processes int
	hash      uint64
}

// decided notes what the outcome made of an activity.
func (w *Worker) decided(kind Activity) {
	w.decisions.hash = mix(w.decisions.hash, w.decisions.activities<<8|uint64(kind)+1)
}

// counted counts an activity that begins. At powers of two it adds the process to its level.
func (w *Worker) counted() {
	d := &w.decisions
	d.activities++
	if d.activities&(d.activities-1) != 0 {
		return
	}
	k := bits.Len64(d.activities) - 1
	for len(w.pop.levels) <= k {
		w.pop.levels = append(w.pop.levels, decisionLevel{})
	}
	// Processes come here in an order that may vary, so that their sum is taken.
	h := fnv.New64a()
	h.Write([]byte(w.Name))
	l := &w.pop.levels[k]
	l.processes++
	l.hash += mix(h.Sum64(), d.hash)
}

// Decisions describe what the outcome of operations, and how full the device was, made the
// processes do: a text for each power of two of activities of a process. Two runs whose texts
// agree as far as both have them (Parted) did the same.
func (p *Population) Decisions() []string {
	var all []string
	for _, l := range p.levels {
		all = append(all, fmt.Sprintf("%d %016x", l.processes, l.hash))
	}
	return all
}

// Parted says whether two runs' decisions differ, and if so within how many activities of a
// process the first difference is. Levels that not the same number of processes reached say
// nothing.
func Parted(a, b []string) (within int64, parted bool) {
	for k := range min(len(a), len(b)) {
		var n, m int
		var x, y uint64
		fmt.Sscanf(a[k], "%d %x", &n, &x)
		fmt.Sscanf(b[k], "%d %x", &m, &y)
		if n == m && x != y {
			return 1 << k, true
		}
	}
	return 0, false
}
