// Package memory says how much memory the process may use, so that work which
// needs more is refused before it begins.
package memory

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
)

// Limit is the number of bytes the process may use: what the machine has, or
// less where the control group or GOMEMLIMIT says so; math.MaxInt64 where none of
// them is known.
var Limit = sync.OnceValue(func() int64 {
	limit := debug.SetMemoryLimit(-1) // reads it
	if f, err := os.Open("/proc/meminfo"); err == nil {
		defer f.Close()
		limit = min(limit, total(f))
	}
	for _, name := range [...]string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if text, err := os.ReadFile(name); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 {
				limit = min(limit, n)
			}
		}
	}
	return limit
})

// total reads the line "MemTotal: 1234 kB" of /proc/meminfo; math.MaxInt64 where
// there is none.
func total(r io.Reader) int64 {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) == 3 && f[0] == "MemTotal:" && f[2] == "kB" {
			if n, err := strconv.ParseInt(f[1], 10, 44); err == nil {
				return n << 10
			}
		}
	}
	return math.MaxInt64
}

// Check refuses what needs more than the process may use. what is the subject of
// the sentence: "536870911 groups of 8 blocks".
func Check(what string, need uint64) error {
	if limit := Limit(); need > uint64(limit) {
		return fmt.Errorf("%s need %.1f GB of memory, and there are %.1f GB", what, float64(need)/1e9, float64(limit)/1e9)
	}
	return nil
}
