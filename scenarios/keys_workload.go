package scenarios

import (
	"errors"
	"math"

	"gopkg.in/yaml.v3"

	"mbsim/workload"
)

func phaseKeys() *object {
	v := func(p any) *workload.Phase { return p.(*workload.Phase) }
	return &object{name: "phase", doc: "A part of the run. A class that has the name of one in an earlier phase goes on with that one's files and directories.", fields: []field{
		{key: "name", typ: text{what: "name"}, at: func(p any) any { return &v(p).Name }, required: true, doc: "Its name in results."},
		{key: "classes", typ: list[workload.Class]{elem: classKeys(), what: "process classes", min: 1}, at: func(p any) any { return &v(p).Classes },
			required: true, doc: "Who runs in it."},
		{key: "until", typ: untilKeys(), at: func(p any) any { return &v(p).Until }, doc: "What ends it: whichever comes first."},
		{key: "measure", typ: boolean{}, at: func(p any) any { return &v(p).Measure }, def: "true",
			doc: "Whether it counts in the final metrics; a phase that ages the device does not."},
		{key: "then", typ: choice[workload.Then]{[]string{"nothing", "sync", "remount"},
			[]workload.Then{workload.ThenNothing, workload.ThenSync, workload.ThenRemount}}, at: func(p any) any { return &v(p).Then }, def: "nothing",
			doc: "What is done after it: sync writes and commits all, remount leaves all caches cold besides."},
	}}
}

func untilKeys() *object {
	u := func(p any) *workload.Until { return p.(*workload.Until) }
	return &object{name: "until", fields: []field{
		{key: "time", typ: duration{min: 1, max: maxTime, zeroIs: "never"}, at: func(p any) any { return &u(p).Time }, auto: "never", unit: "time",
			doc: "Simulated time since the phase began."},
		{key: "operations", typ: whole{min: 1, max: math.MaxInt64, zeroIs: "never"}, at: func(p any) any { return &u(p).Operations }, auto: "never",
			unit: "operations", doc: "Operations of all processes, in this phase."},
		{key: "used", typ: share{zeroIs: "never"}, at: func(p any) any { return &u(p).Used }, auto: "never", doc: "Share of the device in use."},
		{key: "files", typ: whole{min: 1, max: math.MaxInt64, zeroIs: "never"}, at: func(p any) any { return &u(p).Files }, auto: "never", unit: "files",
			doc: "Files of the workload that exist."},
	}}
}

func classKeys() *object {
	c := func(p any) *workload.Class { return p.(*workload.Class) }
	// Distributions of sizes and of times have the same keys, and differ in the type of their
	// values.
	bytes, times := distKeys("size distribution", size{max: maxSize}), distKeys("time distribution", duration{max: maxTime})
	return &object{name: "process class", doc: "Processes that behave alike. Each has files of its own.",
		// arrival fixes when operations start, think the pauses between them: a class has one of
		// the two at most.
		groups: []group{{keys: []string{"arrival", "think"}}},
		fields: []field{
			{key: "name", typ: text{what: "name"}, at: func(p any) any { return &c(p).Name }, required: true, doc: "Letters, digits, - and _. Part of file names."},
			{key: "count", typ: whole{min: 1, max: 10000}, at: func(p any) any { return &c(p).Count }, def: "1", unit: "processes", doc: "How many."},
			{key: "cpus", typ: list[int]{elem: whole{min: 0, max: 1023}, what: "CPUs"}, at: func(p any) any { return &c(p).CPUs }, auto: "all CPUs in turn",
				doc: "CPUs they run on: the first process on the first, and so on, in turn."},
			{key: "user", typ: userType{}, at: func(p any) any { return &c(p).User }, def: userOrdinary, unit: "user",
				doc: "Whose they are: root, or UID[:GID[,GID...]]. It decides who may take the blocks reserved for root (device.mkfs.reserved), which root may, and whom the mount options resuid= and resgid= or the superblock name."},
			{key: "arrival", typ: times, at: func(p any) any { return &c(p).Arrival }, unit: "time",
				doc: "Time between the starts of a process's operations, however long they take."},
			{key: "think", typ: times, at: func(p any) any { return &c(p).Think }, auto: "none", unit: "time",
				doc: "Time between the end of an operation and the start of the process's next."},
			{key: "mix", typ: mixKeys(), at: func(p any) any { return &c(p).Mix }, required: true, doc: "How often each operation is chosen, relative to the others."},
			{key: "files", typ: whole{min: 0, max: 1 << 40}, at: func(p any) any { return &c(p).Files }, def: "0", unit: "files",
				doc: "Files each process creates before anything else, and whenever it has fewer."},
			{key: "file_size", typ: bytes, at: func(p any) any { return &c(p).FileSize }, unit: "bytes", doc: "Size of a new file."},
			{key: "append_size", typ: bytes, at: func(p any) any { return &c(p).AppendSize }, unit: "bytes", doc: "Length of an append or fallocate."},
			{key: "overwrite_size", typ: bytes, at: func(p any) any { return &c(p).OverwriteSize }, unit: "bytes",
				doc: "Length of an overwrite, of a hole or of a zeroed range; cut at the end of the file."},
			{key: "read_size", typ: bytes, at: func(p any) any { return &c(p).ReadSize }, auto: "the whole file", unit: "bytes", doc: "Length of a read."},
			{key: "chunk", typ: size{min: 0, max: maxSize}, at: func(p any) any { return &c(p).Chunk }, def: "0", unit: "bytes",
				doc: "Length of one pwrite: longer writes take several. 0 for no limit."},
			{key: "align", typ: size{min: 1, max: maxSize}, at: func(p any) any { return &c(p).Align }, def: "4K", unit: "bytes",
				doc: "Overwrites, reads and holes begin at multiples of this."},
			{key: "sparse", typ: boolean{}, at: func(p any) any { return &c(p).Sparse }, def: "false",
				doc: "New files get their size by ftruncate: all hole."},
			{key: "keep_open", typ: boolean{}, at: func(p any) any { return &c(p).KeepOpen }, def: "false",
				doc: "Files stay open until they are deleted or the phase ends."},
			{key: "fsync_on_close", typ: share{}, at: func(p any) any { return &c(p).FsyncOnClose }, def: "0",
				doc: "How likely a create, append or overwrite ends with fsync."},
			{key: "fallocate_mode", typ: choice[uint32]{[]string{"allocate", "keep_size", "punch_hole", "zero_range"},
				[]uint32{0, workload.FallocKeepSize, workload.FallocPunchHole, workload.FallocZeroRange}}, at: func(p any) any { return &c(p).FallocateMode },
				def: "allocate", doc: "What fallocate does: the first two at the end of the file, the others within."},
			{key: "delete", typ: choice[workload.Choice]{[]string{"random", "oldest", "expired"}, []workload.Choice{workload.RandomFile, workload.OldestFile, workload.ExpiredFile}},
				at: func(p any) any { return &c(p).Delete }, def: "random", doc: "Which of its files a process deletes; expired is the one whose lifetime ends first."},
			{key: "lifetime", typ: times, at: func(p any) any { return &c(p).Lifetime }, auto: "none", unit: "time",
				doc: "How long files live, with delete: expired. Only how they compare counts: lives are stretched so that their mean is the number of files that the process has when it first deletes one, counted in files made."},
			{key: "target_used", typ: share{zeroIs: "none"}, at: func(p any) any { return &c(p).TargetUsed }, auto: "none",
				doc: "Keeps the device about this full: above, create, append and fallocate become delete; below, delete becomes create."},
			{key: "on_full", typ: choice[workload.OnFull]{[]string{"delete", "continue", "stop"},
				[]workload.OnFull{workload.FullDelete, workload.FullContinue, workload.FullStop}}, at: func(p any) any { return &c(p).OnFull },
				def: "delete", doc: "What a process does after an operation found no space: deletes a file, goes on, or ends."},
			{key: "directories", typ: directoryKeys(), at: func(p any) any { return &c(p).Directories }, doc: "Where its files lie."},
		}}
}

func directoryKeys() *object {
	l := func(p any) *workload.Directories { return p.(*workload.Directories) }
	return &object{name: "directories", fields: []field{
		{key: "count", typ: whole{min: 0, max: 1000000}, at: func(p any) any { return &l(p).Count }, def: "1", unit: "directories",
			doc: "How many; 0 for files in the root (or in top)."},
		{key: "depth", typ: whole{min: 1, max: 100}, at: func(p any) any { return &l(p).Depth }, def: "1", unit: "levels",
			doc: "How deep they nest. Each lies at the top or in one before it, drawn at random."},
		{key: "files", typ: whole{min: 0, max: 1 << 40}, at: func(p any) any { return &l(p).Files }, def: "0", unit: "files",
			doc: "Fills the directories in order with this many files of a process each, then begins again; 0 draws a directory for each file."},
		{key: "per_process", typ: boolean{}, at: func(p any) any { return &l(p).PerProcess }, def: "false",
			doc: "Each process has its own, made when first needed. Otherwise all share them, made before the phase."},
		{key: "top", typ: boolean{}, at: func(p any) any { return &l(p).Top }, def: "false",
			doc: "All lie in one directory of the class (or process), otherwise in the root."},
	}}
}

func mixKeys() *object {
	docs := map[workload.Activity]string{
		workload.CreateFile: "create a file, write it, close it", workload.AppendFile: "open, write at the end, close",
		workload.OverwriteFile: "open, write within, close", workload.TruncateFile: "cut a file to a random part of its size",
		workload.DeleteFile: "unlink a file", workload.FsyncFile: "open, fsync, close",
		workload.FallocateFile: "open, fallocate, close", workload.ReadAFile: "open, read, close",
	}
	// The keys are the activities of package workload, so that none can be forgotten here.
	o := &object{name: "operation mix", doc: "Weights: 0 or more, and one above 0."}
	for _, a := range workload.Activities() {
		o.fields = append(o.fields, field{key: a.String(), typ: number{min: 0, max: 1e15, zeroIs: "never"}, auto: "0", unit: "weight",
			at: func(p any) any { return &p.(*workload.Mix)[a] }, doc: docs[a] + "."})
	}
	return o
}

// distKeys is a distribution of values of type t.
func distKeys(name string, t typ) *object {
	v := func(p any) *workload.Dist { return p.(*workload.Dist) }
	minimum := field{key: "min", typ: t, at: func(p any) any { return &v(p).Min }, auto: "0", doc: "What is drawn below becomes this.",
		omit: func(p any) bool { return v(p).Min == 0 }}
	maximum := field{key: "max", typ: t, at: func(p any) any { return &v(p).Max }, auto: "none", doc: "What is drawn above becomes this.",
		omit: func(p any) bool { return v(p).Max == 0 }}
	// A bound is optional for some kinds and required for others.
	required := func(f field, doc string) field {
		f.required, f.omit, f.auto, f.doc = true, nil, "", doc
		return f
	}
	from, to := required(minimum, "The least value."), required(maximum, "The greatest value.")
	median := field{key: "median", typ: t, at: func(p any) any { return &v(p).Median }, required: true, doc: "Half of the values lie below."}
	sigma := field{key: "sigma", typ: number{min: 0, max: 100}, at: func(p any) any { return &v(p).Sigma }, required: true, doc: "Standard deviation of the natural logarithm."}
	alpha := field{key: "alpha", typ: number{min: 0, max: 1000}, at: func(p any) any { return &v(p).Alpha }, required: true, doc: "Tail index: the smaller, the more large values."}
	mean := field{key: "mean", typ: t, at: func(p any) any { return &v(p).Mean }, required: true, doc: "The mean."}
	bins := field{key: "bins", typ: list[workload.Bin]{elem: binType{t}, what: "bins, each [value, weight]", min: 1}, at: func(p any) any { return &v(p).Bins },
		required: true, doc: "Values and how often each occurs, relative to the others."}
	ranges := field{key: "ranges", typ: boolean{}, at: func(p any) any { return &v(p).Ranges }, auto: "false",
		doc: "The values are upper bounds: a draw lies anywhere above the bound before."}
	o := &object{name: name, doc: "Exactly one of the keys. A value alone is a constant.", short: "constant", check: checkDist,
		absent: func(p any) bool { return v(p).Kind == workload.NoDist }}
	// Each kind is an object of its own, with the parameters it has.
	add := func(kind workload.DistKind, doc string, short string, fields ...field) {
		sub := &object{name: kind.String() + " " + name, doc: doc, fields: fields, short: short}
		o.fields = append(o.fields, o.kind(kind, sub, doc))
	}
	// A constant has no parameters: its value alone is read.
	constant := o.kind(workload.Constant, t, "Always this value.")
	constant.at = func(p any) any { return &v(p).Value }
	o.fields = append(o.fields, constant)
	add(workload.Uniform, "Each value as likely as any other.", "", from, to)
	add(workload.LogUniform, "Each factor as likely as any other.", "", from, to)
	add(workload.Lognormal, "The logarithm is normally distributed.", "", median, sigma, minimum, maximum)
	add(workload.Pareto, "Many small values and a long tail.", "", from, alpha, maximum)
	add(workload.Exponential, "Times between events that do not know of each other. A value alone is mean.", "mean", mean, minimum, maximum)
	add(workload.Histogram, "Values as they were counted. A list alone is bins.", "bins", bins, ranges, minimum, maximum)
	// Exactly one kind must be given.
	o.groups = []group{{keys: o.keys(), required: true}}
	return o
}

// kind is the field of a distribution of this kind.
func (o *object) kind(k workload.DistKind, t typ, doc string) field {
	return field{key: k.String(), typ: t, doc: doc, at: func(p any) any { return p },
		then: func(p any) { p.(*workload.Dist).Kind = k },
		omit: func(p any) bool { return p.(*workload.Dist).Kind != k }}
}

// checkDist checks the parameters of a distribution, given as mapping n.
func checkDist(d *decoder, n *yaml.Node, p any) error {
	dist := p.(*workload.Dist)
	return d.keyError(keyNode(n, dist.Kind.String()), dist.Check())
}

// keyError is a mistake that package workload found in what n says.
func (d *decoder) keyError(n *yaml.Node, err error) error {
	var ke *workload.KeyError
	if err == nil {
		return nil
	}
	if !errors.As(err, &ke) {
		return d.errorf(n, "%v", err)
	}
	return d.errorf(keyNode(n, ke.Key), "%v", err)
}
