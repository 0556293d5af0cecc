// Package memory tells how much memory there is, so that work that needs more can be
// refused before it begins, in one line, instead of being killed in the middle.
package memory

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/metrics"
	"strconv"
	"strings"
)

// TooMuch is the error of work that needs more memory than there is.
type TooMuch struct {
	What       string // the work
	Need, Have int64  // bytes
}

func (e *TooMuch) Error() string {
	return fmt.Sprintf("%s would take %s of memory or more, this machine has %s", e.What, about(e.Need), about(e.Have))
}

// about is a number of bytes with a digit behind the point.
func about(n int64) string {
	// 1000 of a unit are shown in the next one, so that no number has four digits.
	const units = "KMGTPE"
	v, unit := float64(n)/1024, 0
	for v >= 1000 && unit < len(units)-1 {
		v /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %cB", v, units[unit])
}

// Check refuses work that needs more bytes than this process can ever have. Where the
// system does not tell how many that is, nothing is refused.
func Check(what string, need int64) error {
	if have, ok := total(os.DirFS("/")); ok && need > have {
		return &TooMuch{what, need, have}
	}
	return nil
}

// Watch tells when this process has used up the memory that there is.
type Watch struct {
	have   int64 // bytes, 0 where the system does not tell
	sample []metrics.Sample
}

// NewWatch begins to watch.
func NewWatch() *Watch {
	have, _ := total(os.DirFS("/"))
	// What the runtime has mapped, and of it what it has given back.
	return &Watch{have, []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}}
}

// Check is an error if less than a twentieth of the memory is left: what the work takes now is
// what it needs at least. Behind that the system would kill the process, or swap without end.
func (w *Watch) Check(what string) error {
	metrics.Read(w.sample)
	used := int64(w.sample[0].Value.Uint64() - w.sample[1].Value.Uint64())
	if w.have > 0 && used > w.have-w.have/20 {
		return &TooMuch{what, used, w.have}
	}
	return nil
}

// total is the memory that a process may use: the machine's with its swap space, or
// what its control groups allow it.
func total(root fs.FS) (int64, bool) {
	// Without /proc nothing is known.
	raw, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return 0, false
	}
	ram, ok := meminfo(string(raw), "MemTotal")
	if !ok {
		return 0, false
	}
	// A machine without swap space may lack the line. Limits of groups do not count swap space.
	swap, _ := meminfo(string(raw), "SwapTotal")
	return min(ram, groupLimit(root)) + swap, true
}

// meminfo is a value of /proc/meminfo, in bytes.
func meminfo(text, key string) (int64, bool) {
	for line := range strings.Lines(text) {
		// A line is "MemTotal:  16384 kB".
		words := strings.Fields(line)
		if len(words) == 3 && words[0] == key+":" && words[2] == "kB" {
			n, err := strconv.ParseInt(words[1], 10, 53)
			return n << 10, err == nil
		}
	}
	return 0, false
}

// groupLimit is the least memory that a control group of this process allows, of
// version 2 or 1.
func groupLimit(root fs.FS) int64 {
	limit := int64(math.MaxInt64)
	raw, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return limit
	}
	for line := range strings.Lines(string(raw)) {
		// number:controllers:path; version 2 has no controllers.
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		switch {
		case part[1] == "":
			limit = min(limit, limitAbove(root, "sys/fs/cgroup", part[2], "memory.max"))
		case strings.Contains(","+part[1]+",", ",memory,"):
			limit = min(limit, limitAbove(root, "sys/fs/cgroup/memory", part[2], "memory.limit_in_bytes"))
		}
	}
	return limit
}

// limitAbove is the least limit of a group and those above it. In a container the path
// may not be there: then the top is the container's own.
func limitAbove(root fs.FS, top, group, file string) int64 {
	limit := int64(math.MaxInt64)
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		raw, err := fs.ReadFile(root, path.Join(top, group, file))
		if n, err2 := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64); err == nil && err2 == nil {
			limit = min(limit, n)
		}
		if group == "/" {
			return limit
		}
	}
}
