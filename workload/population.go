package workload

import (
	"math/rand/v2"
	"strconv"
)

// Population is the processes of a workload and what they have made. It lasts
// over the phases.
type Population struct {
	cpus   int
	stream func(name string) *rand.Rand

	members map[string][]*Worker // of a class, by name; never iterated
	trees   map[string]*tree     // shared directories of a class; never iterated

	phase      *Phase
	began      int64
	operations int64 // completed in this phase
	files      int64
	nextCPU    int
	levels     []decisionLevel // of Decisions
	most       int64           // files there ever were in this phase
	mostAt     int64           // operations completed then
	noSpace    bool            // an operation has found no space since
	looked     bool            // Over was asked in this phase
	falls      bool            // the phase began with more in use than its limit
}

// NewPopulation returns a population of nobody, for a machine with that many
// CPUs. stream gives the random stream of a name; every process has some of its
// own.
func NewPopulation(cpus int, stream func(name string) *rand.Rand) *Population {
	return &Population{cpus: cpus, stream: stream, members: make(map[string][]*Worker), trees: make(map[string]*tree)}
}

// Begin begins a phase. It returns the phase's processes, in the order in which
// they start, and the operations that prepare for them (directories they share),
// which are to be performed first. The workers of the phase before must have
// ended.
func (p *Population) Begin(ph *Phase, now int64) (workers []*Worker, prepare []Op) {
	// Where the device's use may have ended the phase before, how far each process came was
	// decided by the outcome.
	if p.phase != nil && p.phase.Until.Used > 0 {
		for i := range p.phase.Classes {
			for _, w := range p.members[p.phase.Classes[i].Name] {
				w.decided(activities)
			}
		}
	}
	p.phase, p.began, p.operations, p.nextCPU, p.looked = ph, now, 0, 0, false
	p.most, p.mostAt, p.noSpace = p.files, 0, false
	for i := range ph.Classes {
		// Shared directories are made once, before the processes that use them.
		c := &ph.Classes[i]
		var shared *tree
		if !c.Directories.PerProcess {
			shared = p.trees[c.Name]
			if shared == nil {
				shared = newTree(&c.Directories, c.Name, p.stream(c.Name+"/directories"))
				p.trees[c.Name] = shared
				prepare = shared.makeAll(prepare)
			}
		}
		workers = append(workers, p.enlist(c, shared, now)...)
	}
	return workers, prepare
}

// enlist starts the processes of a class. Those of an earlier phase go on; where
// they were more than now, the files of the rest are shared out.
func (p *Population) enlist(c *Class, shared *tree, now int64) []*Worker {
	// Processes of an earlier phase first; new ones get the numbers behind them.
	ws := p.members[c.Name]
	for i := len(ws); i < c.Count; i++ {
		name := c.Name + "." + strconv.Itoa(i)
		w := &Worker{pop: p, Index: i, Name: name, tree: shared}
		w.openStreams(p.stream)
		if shared == nil {
			w.tree = newTree(&c.Directories, name, p.stream(name+"/directories"))
		}
		ws = append(ws, w)
	}
	// Processes that the phase does not have leave their files to the others, in turn.
	for i := c.Count; i < len(ws); i++ {
		ws[i%c.Count].files.takeAll(&ws[i].files)
	}
	p.members[c.Name] = ws
	for _, w := range ws[:c.Count] {
		w.start(c, p.cpuOf(c, w.Index), now)
	}
	return ws[:c.Count]
}

func (p *Population) cpuOf(c *Class, i int) int {
	if len(c.CPUs) > 0 {
		return c.CPUs[i%len(c.CPUs)]
	}
	n := p.nextCPU
	p.nextCPU = (n + 1) % p.cpus
	return n
}

// hopeless is after how many operations without another file than there ever was, and without
// space, a phase that ends by the number of files is thought never to end.
const hopeless = 20_000

// Unreachable says that a phase which only the number of its files ends will not come there: the
// device has no space, or no inode, for more than most files.
func (p *Population) Unreachable() (most int64, is bool) {
	u := &p.phase.Until
	only := u.Files > 0 && u.Time == 0 && u.Operations == 0 && u.Used == 0
	return p.most, only && p.noSpace && p.operations-p.mostAt > hopeless
}

// grown notes that there is another file.
func (p *Population) grown() {
	p.files++
	if p.files > p.most {
		p.most, p.mostAt, p.noSpace = p.files, p.operations, false
	}
}

// NotMade says that a directory which Begin asked for could not be made. Processes that need
// it try again.
func (p *Population) NotMade(path string) {
	for i := range p.phase.Classes {
		t := p.trees[p.phase.Classes[i].Name]
		if t == nil {
			continue
		}
		for j := range t.dirs {
			if t.dirs[j].path == path {
				t.dirs[j].made = false
			}
		}
	}
}

// Idle names the classes of the phase none of whose processes has done anything that worked.
func (p *Population) Idle() (names []string) {
	for i := range p.phase.Classes {
		c := &p.phase.Classes[i]
		acted := false
		for _, w := range p.members[c.Name][:c.Count] {
			acted = acted || w.acted
		}
		if !acted {
			names = append(names, c.Name)
		}
	}
	return names
}

// Operations is how many activities the phase has completed.
func (p *Population) Operations() int64 { return p.operations }

// Files is how many files of the population exist.
func (p *Population) Files() int64 { return p.files }

// Over reports whether the phase has reached what ends it, at this time and
// with this share of the device in use.
func (p *Population) Over(now int64, used float64) bool {
	u := &p.phase.Until
	// A phase that begins with a fuller device ends when the use has fallen to the limit.
	if !p.looked {
		p.looked, p.falls = true, used > u.Used
	}
	reached := used >= u.Used
	if p.falls {
		reached = used <= u.Used
	}
	return u.Time > 0 && now-p.began >= u.Time ||
		u.Operations > 0 && p.operations >= u.Operations ||
		u.Used > 0 && reached ||
		u.Files > 0 && p.files >= u.Files
}
