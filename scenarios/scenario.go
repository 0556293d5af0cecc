package scenarios

import (
	"strings"

	"mbsim/filesystem/image"
	"mbsim/workload"
)

// Scenario is a scenario with every default filled in.
type Scenario struct {
	File string // where it was read, as named by the user
	Dir  string // what the paths in it are relative to

	Name     string
	Question string // the one it answers
	Profile  string // the text of a kernels.Profile
	Device   Device
	Mount    string // as mount -o takes it
	Tunables []Tunable
	CPUs     int
	Memory   Memory
	Timing   *Timing // nil where work takes no time
	Workload Workload
	Stop     Stop
	Sample   int64 // ns between two samples of the series, 0 for automatic
	Seed     uint64
	Expect   []Expect
	Sweep    *Sweep // nil where the scenario has none; no part of a run

	digest string
	made   *image.Layout // what Device.Mkfs makes
}

// Device is the starting state: exactly one of Mkfs, Image and Dumpe2fs is set.
type Device struct {
	Mkfs *Mkfs
	// Image, Dumpe2fs and FreeExtents are paths as written; Scenario.Path leads to the file.
	Image, Dumpe2fs string
	Offset          int64  // of the file system in Image, bytes
	Fill            string // of a Dumpe2fs without groups: "" or fillNone
	FreeExtents     string // "" for none: the pieces that the free space of Dumpe2fs is cut into
}

// fillTold and fillNone are the values of the key fill; the first is the default.
const (
	fillTold = "told"
	fillNone = "none"
)

// Mkfs is what mke2fs is told. A field of zero leaves the choice to mke2fs, but
// for Reserved, where -1 does.
type Mkfs struct {
	Size           int64 // bytes
	Type           string
	BlockSize      int64 // bytes
	ClusterSize    int64 // bytes
	BlocksPerGroup int64
	FlexGroups     int64 // groups a flex group
	BytesPerInode  int64
	InodeSize      int64 // bytes
	Inodes         int64
	Reserved       float64 // percent of the blocks
	Features       []string
	Stride         int64 // blocks
	StripeWidth    int64 // blocks
	JournalSize    int64 // bytes
	Options        string
}

// Tunable is a file of /sys/fs/ext4/DEV.
type Tunable struct {
	Field string // of struct ext4_sb_info
	Sysfs string
	Value uint32
}

// Memory is the machine's memory and how it writes back.
type Memory struct {
	Size            int64 // bytes
	DirtyRatio      int   // percent: above it writers write themselves
	DirtyBackground int   // percent: above it the flusher writes
	DirtyExpire     int64 // ns: older dirty data is written
	DirtyWriteback  int64 // ns between two looks of the flusher, 0 for never
}

// Workload is Phases, or a script.
type Workload struct {
	Phases []workload.Phase
	Script *Script
	Trace  *Trace        // that Script was made of; nil where it was not
	User   workload.User // whose process performs Script

	classes []workload.Class // as written, where they are one phase
}

// Script is a script in the oracle's language.
type Script struct {
	File string // as written; "" where the text stands in the scenario
	Text string
	Ops  []workload.Op

	traced bool // it is the recording that Workload.Trace names
}

// Stop is what ends a run: whichever comes first. A field of zero never does.
type Stop struct {
	Time       int64 // ns
	Operations int64 // activities of processes, or lines of a script
	Used       float64
	OutOfSpace bool // the first operation that finds no space
}

// Expect is a threshold that a result must keep.
type Expect struct {
	Metric string
	Stat   string // last, mean, max or min, over the samples of measured phases
	Op     string // <, <=, ==, >= or >
	Value  float64
}

// String is the threshold as a scenario may write it.
func (e Expect) String() string {
	return strings.Join([]string{e.Stat, e.Metric, e.Op, formatFloat(e.Value)}, " ")
}

// Holds reports whether a value keeps the threshold.
func (e Expect) Holds(v float64) bool {
	switch e.Op {
	case "<":
		return v < e.Value
	case "<=":
		return v <= e.Value
	case "==":
		return v == e.Value
	case ">=":
		return v >= e.Value
	}
	return v > e.Value
}
