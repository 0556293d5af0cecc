package journal

import (
	"mbsim/allocator"
	"mbsim/filesystem"
)

// touched counts which groups and bitmaps transactions change. A group is counted once a
// transaction: it remembers the last transaction that changed its bitmaps, so that the end of a
// transaction costs nothing. Pages of groups are made on first touch.
type touched struct {
	pages   [][]stamp
	running filesystem.Transactions // of the running transaction
	done    filesystem.Transactions // of those that are closed
}

// stamp holds the low 32 bits of the ids of the last transactions that changed a group's block
// bitmap and its inode bitmap, 0 for none.
type stamp struct{ block, inode uint32 }

// groupsPerPage groups share a page of stamps.
const groupsPerPage = 256

// at is the stamp of a group.
func (t *touched) at(g allocator.GroupID) *stamp {
	p := int(g / groupsPerPage)
	for p >= len(t.pages) {
		t.pages = append(t.pages, nil)
	}
	if t.pages[p] == nil {
		t.pages[p] = make([]stamp, groupsPerPage)
	}
	return &t.pages[p][g%groupsPerPage]
}

// TouchBlocks records that the running transaction changes the block bitmap of a group.
func (j *Journal) TouchBlocks(g allocator.GroupID) {
	if j != nil {
		s := j.touched.at(g)
		j.touch(&s.block, s.inode, &j.touched.running.BlockBitmaps)
	}
}

// TouchInodes records that the running transaction changes the inode bitmap of a group.
func (j *Journal) TouchInodes(g allocator.GroupID) {
	if j != nil {
		s := j.touched.at(g)
		j.touch(&s.inode, s.block, &j.touched.running.InodeBitmaps)
	}
}

// touch counts a bitmap in bitmaps, and its group unless the transaction has changed the group's
// other bitmap already. last and other are the transactions that changed the two last.
func (j *Journal) touch(last *uint32, other uint32, bitmaps *uint64) {
	tid := uint32(j.tid)
	if *last == tid {
		return
	}
	*last = tid
	*bitmaps++
	if other != tid {
		j.touched.running.Groups++
	}
}

// close adds what the running transaction has changed to that of the closed ones.
func (t *touched) close() {
	t.running.Commits = 1
	t.done.Add(&t.running)
	t.running = filesystem.Transactions{}
}

// Transactions are the transactions that have been closed by now, and what they changed; zero
// without a journal.
func (j *Journal) Transactions() filesystem.Transactions {
	if j == nil {
		return filesystem.Transactions{}
	}
	return j.touched.done
}
