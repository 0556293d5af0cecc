package filesystem

// Transactions are figures of a journal: the transactions that were committed, and in how many
// groups they changed bitmaps. A group counts once for each transaction that changes it, however
// often that does so.
type Transactions struct {
	Commits      uint64
	Groups       uint64 // groups whose block bitmap or inode bitmap was changed
	BlockBitmaps uint64 // block bitmaps that were changed
	InodeBitmaps uint64 // inode bitmaps that were changed
}

// Add adds the figures of o.
func (t *Transactions) Add(o *Transactions) {
	t.Commits += o.Commits
	t.Groups += o.Groups
	t.BlockBitmaps += o.BlockBitmaps
	t.InodeBitmaps += o.InodeBitmaps
}
