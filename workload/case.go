package workload

import (
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"mbsim/internal/input"
	"mbsim/internal/nearest"
)

// Case is a case of the oracle: an operation script and the conditions under
// which a real kernel performed it. A key that case.env leaves out has the
// value the recorders (record.sh, record-ext2.sh) give it.
type Case struct {
	Dir  string
	Size int64  // SIZE: bytes of the device
	Mkfs string // MKFS: arguments of mke2fs for ext4

	Mount     string    // MOUNT: mount options for ext4
	Tunables  []Tunable // TUNABLES: files of /sys/fs/ext4/DEV, in the order they are written
	SMP       int       // CPUs
	Mem       int64     // MEM: bytes of memory
	PIDMod    int       // PIDMOD: pid%16 of the process that performs the operations; -1 for any
	MkfsExt2  string    // MKFS_EXT2: arguments of mke2fs for ext2
	MountExt2 string    // MOUNT_EXT2: mount options for ext2
	// State is the file that the file system begins as, "" where it is made (STATE): an image, or a text of
	// dumpe2fs. A relative path begins at the case's folder. The recorders do not know it.
	State string

	// Times says that the script has the times of a scenario's run (TIMES). Then DirtyBackground is
	// the number of dirty blocks above which a write starts writeback, WritebackChunk how many pages of
	// a file that takes in a turn, and Seed where random choices of the file system come from.
	Times           bool
	DirtyBackground int64
	WritebackChunk  uint32
	Seed            uint64

	Ops     []Op     // the script: it prepares where there are writers
	Writers []Writer // ops.0, ops.1, ...: they run all at once after Ops

	script *Script // that Ops are still to be parsed from; nil where they are there
}

// Tunable is a value written to a file of /sys/fs/ext4/DEV.
type Tunable struct{ Name, Value string }

// Writer is one of several scripts that run at once, each in its own process.
type Writer struct {
	Name string // "0" for ops.0
	Ops  []Op
}

// ReadCase reads the case in dir: case.env, ops, and ops.N where they exist.
func ReadCase(dir string) (*Case, error) {
	c, err := OpenCase(dir)
	if err != nil {
		return nil, err
	}
	c.Ops, err = c.script.Parse()
	c.script = nil
	return c, err
}

// Operations lists the operations of the script (Script.Ops).
func (c *Case) Operations() iter.Seq2[*Op, error] {
	// A script that was not parsed yet is parsed as its operations are asked for.
	if c.script != nil {
		return c.script.Ops()
	}
	return func(yield func(*Op, error) bool) {
		for i := range c.Ops {
			if !yield(&c.Ops[i], nil) {
				return
			}
		}
	}
}

// OpenCase is ReadCase for who performs the script once: Ops stays nil, and
// Operations parses them as they are asked for.
func OpenCase(dir string) (*Case, error) {
	// The recorders' defaults, which case.env may change.
	c := &Case{Dir: dir, Size: 256 << 20, SMP: 1, Mem: 2 << 30, MkfsExt2: "-b 4096"}
	name := filepath.Join(dir, "case.env")
	text, err := input.ReadFile(name, "case.env", input.MaxCaseEnv)
	if err != nil {
		return nil, err
	}
	vars, err := parseEnv(string(text), name)
	if err != nil {
		return nil, err
	}
	for _, v := range vars {
		if err := c.set(v); err != nil {
			return nil, fmt.Errorf("%s:%d:%d: %w", name, v.line, v.col, err)
		}
	}
	// The script is only opened. Those of writers are parsed now, since they run side by side.
	if c.script, err = OpenScript(filepath.Join(dir, "ops")); err != nil {
		return nil, err
	}
	return c, c.readWriters()
}

// readWriters reads ops.0, ops.1, ..., in the order of their numbers.
func (c *Case) readWriters() error {
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return err
	}
	// Only names whose number is written the usual way; others are no scripts.
	var numbers []int
	for _, e := range entries {
		suffix, ok := strings.CutPrefix(e.Name(), "ops.")
		if n, err := strconv.Atoi(suffix); ok && err == nil && strconv.Itoa(n) == suffix {
			numbers = append(numbers, n)
		}
	}
	sort.Ints(numbers)
	for _, n := range numbers {
		name := strconv.Itoa(n)
		script, err := OpenScript(filepath.Join(c.Dir, "ops."+name))
		if err != nil {
			return err
		}
		ops, err := script.Parse()
		if err != nil {
			return err
		}
		c.Writers = append(c.Writers, Writer{name, ops})
	}
	return nil
}

// envKeys are the keys of case.env. TIMEOUT, NO_TRACE and TCG steer the
// recorder only.
var envKeys = []string{"SIZE", "MKFS", "MOUNT", "SMP", "TUNABLES", "MEM", "PIDMOD", "MKFS_EXT2", "MOUNT_EXT2", "TIMEOUT", "NO_TRACE", "TCG", "TIMES", "DIRTY_BACKGROUND", "WRITEBACK_CHUNK", "SEED", "STATE"}

// set sets what one assignment says.
func (c *Case) set(v EnvVar) (err error) {
	// Each value is checked here, where its place is known.
	switch v.Key {
	case "SIZE":
		c.Size, err = ParseSize(v.Value)
		if err == nil && c.Size == 0 {
			err = fmt.Errorf("SIZE is %q: an empty device", short(v.Value))
		}
	case "MKFS":
		c.Mkfs = v.Value
	case "MOUNT":
		c.Mount = v.Value
	case "SMP":
		c.SMP, err = strconv.Atoi(v.Value)
		if err != nil || c.SMP < 1 || c.SMP > 1024 {
			err = fmt.Errorf("SMP is %q: want a number of CPUs, 1 to 1024", short(v.Value))
		}
	case "MEM":
		c.Mem, err = parseMem(v.Value)
	case "PIDMOD":
		c.PIDMod = -1
		if v.Value != "" {
			c.PIDMod, err = strconv.Atoi(v.Value)
			if err != nil || c.PIDMod < 0 || c.PIDMod > 15 {
				err = fmt.Errorf("PIDMOD is %q: want 0 to 15", short(v.Value))
			}
		}
	case "MKFS_EXT2":
		c.MkfsExt2 = v.Value
		if v.Value == "" {
			c.MkfsExt2 = "-b 4096"
		}
	case "MOUNT_EXT2":
		c.MountExt2 = v.Value
	case "TUNABLES":
		c.Tunables, err = parseTunables(v.Value)
	case "TIMES":
		c.Times = v.Value == "1"
		if v.Value != "0" && v.Value != "1" {
			err = fmt.Errorf("TIMES is %q: want 0 or 1", short(v.Value))
		}
	case "DIRTY_BACKGROUND":
		c.DirtyBackground, err = envNumber[int64](v, 63)
	case "WRITEBACK_CHUNK":
		c.WritebackChunk, err = envNumber[uint32](v, 32)
	case "SEED":
		c.Seed, err = envNumber[uint64](v, 64)
	case "STATE":
		c.State = v.Value
		if v.Value != "" && !filepath.IsAbs(v.Value) {
			c.State = filepath.Join(c.Dir, v.Value)
		}
	case "TIMEOUT", "NO_TRACE", "TCG":
	default:
		best, _ := nearest.Of(short(v.Key), envKeys)
		err = fmt.Errorf("unknown key %q (did you mean %s?)", short(v.Key), best)
	}
	return err
}

// envNumber is the number that an assignment gives, of so many bits.
func envNumber[T int64 | uint32 | uint64](v EnvVar, bits int) (T, error) {
	n, err := strconv.ParseUint(v.Value, 10, bits)
	if err != nil {
		err = fmt.Errorf("%s is %q: want a number", v.Key, short(v.Value))
	}
	return T(n), err
}

func parseTunables(s string) ([]Tunable, error) {
	var ts []Tunable
	for _, kv := range strings.Fields(s) {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" || v == "" {
			return nil, fmt.Errorf("TUNABLES has %q: want NAME=VALUE", short(kv))
		}
		ts = append(ts, Tunable{k, v})
	}
	return ts, nil
}

// ParseSize reads a size as truncate(1) does: a number of bytes with a suffix
// K, M, G, T, P, E (or KiB, MiB, ...: powers of 1024) or KB, MB, ... (powers
// of 1000).
func ParseSize(s string) (int64, error) {
	// The digits, then a suffix: a letter for the power, iB or nothing for 1024, B for 1000.
	digits := len(s)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			digits = i
			break
		}
	}
	n, err := strconv.ParseInt(s[:digits], 10, 64)
	suffix := s[digits:]
	unit := int64(1)
	if err == nil && suffix != "" {
		base := int64(1024)
		power := strings.IndexByte("KMGTPE", suffix[0]&^0x20) + 1
		switch suffix[1:] {
		case "", "iB":
		case "B":
			base = 1000
		default:
			power = 0
		}
		if power == 0 {
			err = strconv.ErrSyntax
		}
		for range power {
			unit *= base
		}
	}
	// The product must fit into 63 bits.
	if err != nil || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("size %q: want a number of bytes, or one with a suffix such as 512M or 6G", short(s))
	}
	return n * unit, nil
}

// parseMem reads a size as qemu's -m does: MiB where there is no suffix.
func parseMem(s string) (int64, error) {
	if n, err := strconv.ParseInt(s, 10, 43); err == nil && n > 0 {
		return n << 20, nil
	}
	n, err := ParseSize(s)
	if err == nil && n == 0 {
		err = fmt.Errorf("MEM is %q: no memory", short(s))
	}
	return n, err
}
