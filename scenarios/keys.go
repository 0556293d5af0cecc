package scenarios

import (
	"math"

	"mbsim/kernels"
	"mbsim/workload"
)

// The tables in this file and in keys_workload.go are the language of scenarios:
// what is read, what is refused, what --set takes and what Describe tells are
// all taken from them.

// Limits that several keys share. A device of 2^53 bytes is beyond what ext4
// with 4K blocks can be; no run lasts a year. What happens again and again, whether
// anything else happens or not, does so every minTick at most: a second of simulated
// time then has a hundred thousand events, and not a billion.
const (
	maxSize = 1 << 53
	maxTime = 365 * 24 * 3600 * 1e9
	minTick = 1e4
)

func scenarioKeys() *object {
	s := func(p any) *Scenario { return p.(*Scenario) }
	return &object{name: "scenario", doc: "A scenario is one YAML mapping.", fields: []field{
		{key: "name", typ: text{what: "name"}, at: func(p any) any { return &s(p).Name },
			auto: "the file's name", doc: "Names the run and its output folder."},
		{key: "question", typ: text{what: "text"}, at: func(p any) any { return &s(p).Question },
			auto: "the first line of the file's first comment", doc: "The question the scenario answers, in one sentence."},
		{key: "profile", typ: profileType{}, at: func(p any) any { return &s(p).Profile },
			def: kernels.Default().Name, doc: "The kernel that is simulated (mbsim list kernels), or ext2 for its driver; single changes of a kernel can be switched."},
		{key: "device", typ: deviceKeys(), at: func(p any) any { return &s(p).Device }, required: true,
			doc: "The state of the device at the start."},
		{key: "mount", typ: mountType{}, at: func(p any) any { return &s(p).Mount },
			auto: "the kernel's defaults", doc: "Mount options, such as nodelalloc, stripe=N or commit=SECONDS: one text or a list. A line of /proc/mounts may be pasted; options that decide nothing about where blocks lie are accepted."},
		{key: "tunables", typ: tunablesType{}, at: func(p any) any { return &s(p).Tunables },
			auto: "the kernel's defaults", doc: "Values of the files in /sys/fs/ext4/DEV by kernel field or file name (see mbsim list tunables)."},
		{key: "cpus", typ: whole{min: 1, max: 1024}, at: func(p any) any { return &s(p).CPUs },
			def: "1", unit: "CPUs", doc: "CPUs of the machine: each has a locality group of its own."},
		{key: "memory", typ: memoryKeys(), at: func(p any) any { return &s(p).Memory },
			doc: "Memory and writeback."},
		{key: "timing", typ: optional[Timing]{timingKeys()}, at: func(p any) any { return &s(p).Timing }, auto: "none",
			doc: "The time that work takes."},
		{key: "workload", typ: workloadKeys(), at: func(p any) any { return &s(p).Workload }, required: true,
			doc: "What is done to the file system."},
		{key: "stop", typ: stopKeys(), at: func(p any) any { return &s(p).Stop },
			doc: "What ends the run, if the workload does not: whichever comes first."},
		{key: "sample", typ: duration{min: minTick, max: maxTime, orZero: true, zeroIs: "automatic"}, at: func(p any) any { return &s(p).Sample },
			auto: "automatic", unit: "time", doc: "Simulated time between two samples of the series."},
		{key: "seed", typ: whole{min: 0, max: math.MaxInt64}, at: func(p any) any { return &s(p).Seed },
			def: "1", doc: "The seed of all random streams."},
		{key: "expect", typ: list[Expect]{elem: expectType{}, what: "expectations"}, at: func(p any) any { return &s(p).Expect },
			doc: "Thresholds that results must keep; the exit code is 99 where one does not."},
		// A sweep is read and checked, but never written: it is no part of a run, so neither
		// Resolved nor the digest has it.
		{key: "sweep", typ: optional[Sweep]{sweepKeys()}, at: func(p any) any { return &s(p).Sweep }, auto: "none",
			omit: func(any) bool { return true }, doc: "Settings to compare, for mbsim sweep."},
	}}
}

func deviceKeys() *object {
	v := func(p any) *Device { return p.(*Device) }
	return &object{name: "device", doc: "The starting state: exactly one of mkfs, image and dumpe2fs. Paths are relative to the scenario's file. What a state does not tell, and what mounting it changes, is noted in the results.",
		groups: []group{{keys: []string{"mkfs", "image", "dumpe2fs"}, required: true}}, check: checkDevice,
		fields: []field{
			{key: "mkfs", typ: optional[Mkfs]{mkfsKeys()}, at: func(p any) any { return &v(p).Mkfs },
				doc: "A new file system, laid out as mke2fs 1.47.0 does."},
			{key: "image", typ: pathType{}, at: func(p any) any { return &v(p).Image },
				doc: "A real image of an ext4, ext3 or ext2 file system, or a block device. It may be compressed (gzip, xz, zstd) or in the format qcow2 as e2image -Q writes it; e2image -r makes a small one of a large disk, without the files' content. It is not written to."},
			{key: "offset", typ: size{min: 1, max: maxSize, zeroIs: "the start"}, at: func(p any) any { return &v(p).Offset }, auto: "the start", unit: "bytes",
				doc: "Where in the image the file system begins, as that of a partition does in the image of a disk."},
			{key: "dumpe2fs", typ: pathType{}, at: func(p any) any { return &v(p).Dumpe2fs },
				doc: "What dumpe2fs prints of a file system, plain or gzip. That of dumpe2fs -h or tune2fs -l is enough for its geometry: it is laid out as mke2fs does, and filled as fill says."},
			{key: "fill", typ: text{what: "word", allowed: []string{fillTold, fillNone}}, at: func(p any) any { return &v(p).Fill }, auto: fillTold,
				doc: "With the text of dumpe2fs -h or tune2fs -l: told fills every group by the same share, from its start, until as many blocks and inodes are free as the text tells; none leaves the file system empty."},
			{key: "free_extents", typ: pathType{}, at: func(p any) any { return &v(p).FreeExtents },
				doc: "With the text of dumpe2fs -h or tune2fs -l: what e2freefrag prints of the file system, or its /proc/fs/ext4/DEV/mb_groups. Its free space is cut into pieces of these lengths, at places that the seed decides."},
		}}
}

func mkfsKeys() *object {
	m := func(p any) *Mkfs { return p.(*Mkfs) }
	// Zero leaves the choice to mke2fs, and is then not written. For reserved zero is a value, and
	// -1 leaves the choice.
	const choice = "as mke2fs chooses"
	blocks := size{min: 1024, max: 65536, zeroIs: choice}
	count := whole{min: 1, max: math.MaxUint32, zeroIs: choice}
	return &object{name: "mkfs", doc: "What mke2fs is told. options replaces all other keys but size and type.", check: checkMkfs, fields: []field{
		{key: "size", typ: size{min: 64 << 10, max: maxSize}, at: func(p any) any { return &m(p).Size }, unit: "bytes", required: true,
			doc: "Size of the device."},
		{key: "type", typ: text{what: "type", allowed: []string{"ext2", "ext3", "ext4"}}, at: func(p any) any { return &m(p).Type },
			auto: "ext2 for the ext2 profile, else ext4", doc: "-t: the section of mke2fs.conf."},
		{key: "block_size", typ: blocks, at: func(p any) any { return &m(p).BlockSize }, unit: "bytes", auto: choice, doc: "-b."},
		{key: "cluster_size", typ: size{min: 1024, max: 512 << 20, zeroIs: choice}, at: func(p any) any { return &m(p).ClusterSize },
			unit: "bytes", auto: choice, doc: "-C: with the feature bigalloc."},
		{key: "blocks_per_group", typ: count, at: func(p any) any { return &m(p).BlocksPerGroup }, unit: "blocks", auto: choice, doc: "-g."},
		{key: "flex_groups", typ: count, at: func(p any) any { return &m(p).FlexGroups }, unit: "groups", auto: choice,
			doc: "-G: groups whose bitmaps and inode tables lie together."},
		{key: "bytes_per_inode", typ: size{min: 1024, max: 64 << 20, zeroIs: choice}, at: func(p any) any { return &m(p).BytesPerInode },
			unit: "bytes", auto: choice, doc: "-i."},
		{key: "inode_size", typ: size{min: 128, max: 65536, zeroIs: choice}, at: func(p any) any { return &m(p).InodeSize }, unit: "bytes", auto: choice, doc: "-I."},
		{key: "inodes", typ: count, at: func(p any) any { return &m(p).Inodes }, unit: "inodes", auto: choice, doc: "-N."},
		{key: "reserved", typ: number{min: -1, max: 50}, at: func(p any) any { return &m(p).Reserved }, unit: "%", def: "-1",
			doc: "-m: blocks only root may use; -1 leaves the choice to mke2fs.", omit: func(p any) bool { return m(p).Reserved < 0 }},
		{key: "features", typ: list[string]{elem: text{what: "feature"}, what: "features"}, at: func(p any) any { return &m(p).Features },
			auto: choice, doc: "-O: features to add, and after ^ to leave out."},
		{key: "stride", typ: count, at: func(p any) any { return &m(p).Stride }, unit: "blocks", auto: choice, doc: "-E stride: blocks of a RAID chunk."},
		{key: "stripe_width", typ: count, at: func(p any) any { return &m(p).StripeWidth }, unit: "blocks", auto: choice, doc: "-E stripe_width: data blocks of a RAID stripe."},
		{key: "journal_size", typ: size{min: 1 << 20, max: 10 << 30, zeroIs: choice}, at: func(p any) any { return &m(p).JournalSize },
			unit: "bytes", auto: choice, doc: "-J size: whole MiB."},
		{key: "options", typ: text{what: "text"}, at: func(p any) any { return &m(p).Options },
			doc: "Arguments of mke2fs as on its command line, such as \"-b 1024 -O bigalloc\". A whole command may be pasted, with the program and the device, which are left out."},
	}}
}

func memoryKeys() *object {
	m := func(p any) *Memory { return p.(*Memory) }
	return &object{name: "memory", doc: "The machine's memory, and when dirty data is written (/proc/sys/vm). How old a transaction may get is the mount option commit=.", fields: []field{
		{key: "size", typ: size{min: 16 << 20, max: maxSize}, at: func(p any) any { return &m(p).Size }, def: "2G", unit: "bytes",
			doc: "Memory of the machine."},
		// The defaults are the kernel's (vm.dirty_ratio and its neighbours in /proc/sys/vm).
		{key: "dirty_ratio", typ: whole{min: 0, max: 100}, at: func(p any) any { return &m(p).DirtyRatio }, def: "20", unit: "% of memory",
			doc: "With more dirty data than this, writers write it back themselves."},
		{key: "dirty_background_ratio", typ: whole{min: 0, max: 100}, at: func(p any) any { return &m(p).DirtyBackground }, def: "10", unit: "% of memory",
			doc: "With more dirty data than this, the flusher writes it back."},
		{key: "dirty_expire", typ: duration{min: 0, max: maxTime}, at: func(p any) any { return &m(p).DirtyExpire }, def: "30s", unit: "time",
			doc: "Data that has been dirty for longer is written back at the flusher's next look."},
		{key: "dirty_writeback", typ: duration{min: minTick, max: maxTime, orZero: true}, at: func(p any) any { return &m(p).DirtyWriteback }, def: "5s", unit: "time",
			doc: "Time between two looks of the flusher; 0 for never."},
	}}
}

func stopKeys() *object {
	s := func(p any) *Stop { return p.(*Stop) }
	return &object{name: "stop", fields: []field{
		{key: "time", typ: duration{min: 1, max: maxTime, zeroIs: "never"}, at: func(p any) any { return &s(p).Time }, auto: "never", unit: "time",
			doc: "Simulated time."},
		{key: "operations", typ: whole{min: 1, max: math.MaxInt64, zeroIs: "never"}, at: func(p any) any { return &s(p).Operations }, auto: "never",
			unit: "operations", doc: "Operations of all processes (of a script: its lines)."},
		{key: "used", typ: share{zeroIs: "never"}, at: func(p any) any { return &s(p).Used }, auto: "never", doc: "Share of the device in use."},
		{key: "out_of_space", typ: boolean{}, at: func(p any) any { return &s(p).OutOfSpace }, def: "false",
			doc: "The first operation that finds no space ends the run."},
	}}
}

// expectKeys is the long form of an expectation.
func expectKeys() *object {
	e := func(p any) *Expect { return p.(*Expect) }
	return &object{name: "expectation", doc: `A threshold, as a mapping or as a text: "extents_per_file_mean <= 1.2", "max mb_lost == 0".`, fields: []field{
		{key: "metric", typ: text{what: "metric", known: func(d *decoder) []string { return d.known }}, at: func(p any) any { return &e(p).Metric },
			required: true, doc: "Its name (see mbsim list metrics)."},
		{key: "stat", typ: text{what: "stat", allowed: []string{"last", "mean", "max", "min"}}, at: func(p any) any { return &e(p).Stat },
			def: "last", doc: "Which of its values: the last, or one over all samples."},
		{key: "op", typ: text{what: "op", allowed: expectOps}, at: func(p any) any { return &e(p).Op }, required: true,
			doc: "How it compares with value. Quote > and >=."},
		{key: "value", typ: number{min: math.Inf(-1), max: math.Inf(1)}, at: func(p any) any { return &e(p).Value }, required: true,
			doc: "The threshold, in the metric's unit."},
	}}
}

var expectOps = []string{"==", "<", "<=", ">=", ">"}

func workloadKeys() *object {
	w := func(p any) *Workload { return p.(*Workload) }
	return &object{name: "workload", doc: "What is done to the file system: exactly one of phases, classes, script and trace.", check: checkWorkload,
		groups: []group{{keys: []string{"phases", "classes", "script", "trace"}, required: true}},
		fields: []field{
			{key: "phases", typ: list[workload.Phase]{elem: phaseKeys(), what: "phases", min: 1}, at: func(p any) any { return &w(p).Phases },
				doc: "Parts of the run, one after the other."},
			// A short form: it is read into the single phase that it stands for, and written as
			// that.
			{key: "classes", typ: list[workload.Class]{elem: classKeys(), what: "process classes", min: 1}, at: func(p any) any { return &w(p).classes },
				then: func(p any) {
					w(p).Phases = []workload.Phase{{Name: onlyPhase, Classes: w(p).classes, Measure: true}}
				},
				omit: func(any) bool { return true }, doc: "One phase, named run, of these classes; stop ends it."},
			{key: "script", typ: scriptType{}, at: func(p any) any { return &w(p).Script },
				doc: "Operations in the oracle's script language: a file, or the text itself (of several lines)."},
			{key: "trace", typ: optional[Trace]{traceKeys()}, at: func(p any) any { return &w(p).Trace }, auto: "none",
				doc: "A recording of real programs, or a list of files (mbsim import): what it becomes is the script."},
			{key: "user", typ: userType{}, at: func(p any) any { return &w(p).User }, def: userRoot, unit: "user",
				doc:  "Whose process performs script or trace, as in a process class. Those of phases and classes say so themselves.",
				omit: func(p any) bool { return w(p).Script == nil }},
		}}
}

// onlyPhase is the name of the phase of a workload without phases.
const onlyPhase = "run"
