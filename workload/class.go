package workload

import "strings"

// Activity is what a process of a class does as one operation: some system
// calls, each an Op.
type Activity uint8

// The activities. Those that need a file create one where the process has none.
const (
	CreateFile    Activity = iota // creat, writes, perhaps fsync, close
	AppendFile                    // open, writes from the end on, perhaps fsync, close
	OverwriteFile                 // open, writes within the file, perhaps fsync, close
	TruncateFile                  // open, ftruncate to a part of its size, close
	DeleteFile                    // unlink
	FsyncFile                     // open, fsync, close
	FallocateFile                 // open, fallocate, close
	ReadAFile                     // open, read, close
	activities
)

var activityNames = [activities]string{"create", "append", "overwrite", "truncate", "delete", "fsync", "fallocate", "read"}

// String is the activity's name in scenarios.
func (a Activity) String() string { return activityNames[a] }

// Activities lists all activities.
func Activities() []Activity {
	var as []Activity
	for a := range activities {
		as = append(as, a)
	}
	return as
}

// Mix says how often each activity is chosen, relative to the others.
type Mix [activities]float64

// Choice is which file of a process is deleted.
type Choice uint8

// The choices.
const (
	RandomFile Choice = iota
	OldestFile
	ExpiredFile // the one whose life, drawn from Lifetime, ends first
)

// OnFull is what a process does next after an operation found no space.
type OnFull uint8

// The reactions. One that deletes and has no file goes on.
const (
	FullDelete   OnFull = iota // deletes a file
	FullContinue               // whatever it would have done
	FullStop                   // ends
)

// The modes of fallocate(2).
const (
	FallocKeepSize  uint32 = 1
	FallocPunchHole uint32 = 3 // with FallocKeepSize, as the kernel wants it
	FallocZeroRange uint32 = 16
)

// User is whose a process is. It decides who may take the blocks reserved for root.
type User struct {
	UID    uint32   // 0 for root
	Groups []uint32 // ids of its group and of those it belongs to besides
}

// Class is a number of processes that behave alike.
type Class struct {
	Name  string
	Count int   // processes
	CPUs  []int // process i runs on CPUs[i mod len]; empty for all CPUs in turn
	User  User  // whose they are

	// Arrival is the time between the starts of operations, however long they
	// take (an open system). Otherwise Think is the time between the end of one
	// and the start of the next (a closed one). In ns; a process waits before
	// its first operation too.
	Arrival, Think Dist

	Mix           Mix
	Files         int  // files each process makes first
	FileSize      Dist // bytes of a new file
	AppendSize    Dist // bytes of an append or fallocate
	OverwriteSize Dist // bytes of an overwrite, of a hole or of a range made zero
	ReadSize      Dist // bytes of a read; NoDist for the whole file

	Chunk    int64 // bytes of a pwrite(2), 0 for all at once
	Align    int64 // overwrites, reads and holes begin at multiples of this
	Sparse   bool  // new files get their size by ftruncate, and no blocks
	KeepOpen bool  // files stay open until they are deleted, or the phase ends
	// FsyncOnClose is how likely a create, append or overwrite ends with fsync.
	FsyncOnClose  float64
	FallocateMode uint32
	Delete        Choice
	Lifetime      Dist // of files, where Delete is ExpiredFile; only proportions count
	// TargetUsed keeps the device about this full: above it creates, appends and
	// fallocates become deletes, below it deletes become creates. 0 for none.
	TargetUsed float64
	OnFull     OnFull

	Directories Directories
}

// Directories is where the files of a class lie. Without PerProcess its
// processes share the directories, which are all made before the phase begins;
// with it each has its own, made when first needed.
type Directories struct {
	Count int // 0: the files lie in the root, or in the directory of Top
	// Depth is how deep directories nest. Each lies in the root (or in Top), or
	// in one before it, drawn at random.
	Depth int
	// Files fills directories in order with this many files of a process each, then
	// begins again; 0 draws a directory for each file.
	Files      int
	PerProcess bool
	Top        bool // all lie in one directory named after class or process
}

// Until is what ends a phase: whichever comes first. A field of 0 never does.
type Until struct {
	Time       int64 // ns since the phase began
	Operations int64 // activities completed in the phase
	Used       float64
	Files      int64 // files of the workload that exist
}

// Then is what the system does between a phase and the next.
type Then uint8

// What may follow a phase.
const (
	ThenNothing Then = iota
	ThenSync         // all is written and committed
	ThenRemount      // that, and caches are cold afterwards
)

// Phase is a part of a workload. A class that has the name of one in an earlier
// phase goes on with that one's files and directories.
type Phase struct {
	Name    string
	Classes []Class
	Until   Until
	Measure bool // counts in the final metrics
	Then    Then
}

// Check reports what makes c no class, where it runs on a machine of cpus CPUs.
func (c *Class) Check(cpus int) error {
	switch {
	case c.Name == "" || strings.Trim(c.Name, nameChars) != "" || len(c.Name) > 64:
		return keyErrorf("name", "%q: want 1 to 64 letters, digits, - or _", c.Name)
	case c.Arrival.Kind != NoDist && c.Think.Kind != NoDist:
		return keyErrorf("arrival", "think is given too: want one of them")
	case c.Arrival.Kind == Constant && c.Arrival.Value == 0:
		return keyErrorf("arrival", "0: operations would arrive without end at one time")
	}
	for _, n := range c.CPUs {
		if n < 0 || n >= cpus {
			return keyErrorf("cpus", "%d: the machine has CPUs 0 to %d", n, cpus-1)
		}
	}
	return c.checkMix()
}

const nameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// checkMix reports an activity without what it needs.
func (c *Class) checkMix() error {
	// A mix without weight, or with NaN, draws nothing.
	total := 0.0
	for _, w := range c.Mix {
		total += w
	}
	if !(total > 0) {
		return keyErrorf("mix", "no operation has a weight above 0")
	}
	// An activity that can be drawn needs the distribution of its size. Files to make first
	// are created too.
	creates := c.Files > 0
	for a, w := range c.Mix {
		creates = creates || w > 0 && Activity(a) == CreateFile
	}
	for _, need := range []struct {
		why  string
		is   bool
		key  string
		dist *Dist
	}{
		{"the size of an append", c.Mix[AppendFile] > 0, "append_size", &c.AppendSize},
		{"the size of a fallocate", c.Mix[FallocateFile] > 0 && !c.holes(), "append_size", &c.AppendSize},
		{"the size of an overwrite", c.Mix[OverwriteFile] > 0, "overwrite_size", &c.OverwriteSize},
		{"the size of a punched hole or a zeroed range", c.Mix[FallocateFile] > 0 && c.holes(), "overwrite_size", &c.OverwriteSize},
		{"the size of a created file", creates, "file_size", &c.FileSize},
		{"how long files live", c.Delete == ExpiredFile, "lifetime", &c.Lifetime},
	} {
		if need.is && need.dist.Kind == NoDist {
			return keyErrorf(need.key, "missing: %s", need.why)
		}
	}
	return nil
}

// holes reports whether fallocate works within files rather than at their end.
func (c *Class) holes() bool {
	return c.FallocateMode == FallocPunchHole || c.FallocateMode == FallocZeroRange
}
