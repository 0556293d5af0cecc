package journal

// Host is the machine where several processes run at once. A process may have to wait in its
// methods, so that other processes run.
type Host interface {
	// Commit lets the time pass that writing a transaction of so many metadata blocks
	// takes.
	Commit(blocks int)
	// AwaitCommit waits until a commit ends; CommitEnded ends these waits.
	AwaitCommit()
	CommitEnded()
}

// Config is what a journal tells and asks. All of it may be nil.
type Config struct {
	Host    Host             // nil where one process runs at a time
	Clock   func() int64     // the time, ns
	Began   func()           // a transaction has begun
	Closed  func(tid uint64) // a transaction takes no further changes, and begins to be written
	Written func(tid uint64) // a transaction has been written
}

// Journal is the journal of one file system.
type Journal struct {
	tid        uint64 // of the running transaction, or of the next one
	running    bool   // a transaction is running
	began      int64  // when it began, ns
	committing uint64 // the transaction that is being written, 0 for none
	config     Config
	blocks     map[Block]struct{} // of the running transaction, where there is a Host
	touched    touched
}

// New makes a journal in which no transaction runs.
func New(c Config) *Journal {
	return &Journal{tid: 1, config: c, blocks: make(map[Block]struct{})}
}

// Block names a metadata block: what it holds, and its number among blocks of that kind.
type Block struct {
	Kind   Kind
	Number uint64
}

// Kind is what a metadata block holds.
type Kind uint8

// The kinds of metadata blocks.
const (
	MappingBlock Kind = iota // of extent trees, indirect blocks, directories
	BlockBitmap
	InodeBitmap
	Descriptors
	InodeTable
)

// Note records that the running transaction holds a block, so that Host.Commit can be told
// the transaction's size (jbd2_journal_dirty_metadata). Without a Host nothing is recorded.
func (j *Journal) Note(kind Kind, number uint64) {
	if j != nil && j.config.Host != nil {
		j.blocks[Block{kind, number}] = struct{}{}
	}
}

// Start joins the running transaction, or starts one (jbd2__journal_start).
func (j *Journal) Start() {
	if j != nil && !j.running {
		j.begin()
	}
}

// begin starts a transaction.
func (j *Journal) begin() {
	j.running = true
	if j.config.Clock != nil {
		j.began = j.config.Clock()
	}
	if j.config.Began != nil {
		j.config.Began()
	}
}

// Current is the id of the running transaction, or of the next one if none runs; 0 without
// a journal.
func (j *Journal) Current() uint64 {
	if j == nil {
		return 0
	}
	return j.tid
}

// Running says whether a transaction runs.
func (j *Journal) Running() bool { return j != nil && j.running }

// Runs says whether the transaction runs whose id has these low 32 bits, as inodes remember
// it.
func (j *Journal) Runs(tid uint32) bool { return j.Running() && uint32(j.tid) == tid }

// BeganBy says whether a transaction runs that began at the time before, in ns, or earlier.
func (j *Journal) BeganBy(before int64) bool { return j.Running() && j.began <= before }

// Unmount ends the running transaction, in which nothing may have changed.
func (j *Journal) Unmount() {
	if j != nil {
		j.running = false
	}
}

// Commit commits the running transaction if there is one, and returns when it has been
// written (jbd2_journal_force_commit_nested).
func (j *Journal) Commit() {
	if !j.Running() {
		return
	}
	// Only one transaction commits at a time. While this process waits for an earlier one,
	// another process may begin to commit this one; then its end is all that is awaited.
	tid := j.tid
	for j.committing != 0 {
		j.config.Host.AwaitCommit()
		if j.tid != tid || !j.running {
			j.Await(uint32(tid))
			return
		}
	}
	// From here on changes belong to the next transaction.
	j.tid++
	j.running = false
	j.touched.close()
	if j.config.Closed != nil {
		j.config.Closed(tid)
	}
	// With a Host it takes time until the transaction is written.
	if j.config.Host != nil {
		j.committing = tid
		blocks := len(j.blocks)
		clear(j.blocks)
		j.config.Host.Commit(blocks)
	}
	if j.config.Written != nil {
		j.config.Written(tid)
	}
	if j.config.Host != nil {
		j.committing = 0
		j.config.Host.CommitEnded()
	}
}

// Await waits while the transaction whose id has these low 32 bits is being written. tid 0 is
// none (jbd2_complete_transaction).
func (j *Journal) Await(tid uint32) {
	for j != nil && tid != 0 && uint32(j.committing) == tid {
		j.config.Host.AwaitCommit()
	}
}
