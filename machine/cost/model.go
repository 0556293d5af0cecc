package cost

// Model holds all costs, ns. The registry says what each is.
type Model struct {
	Syscall       int64
	ContextSwitch int64
	Lock          int64
	LockHandOver  int64

	CopyPage      int64
	NewPage       int64
	SubmitPage    int64
	SubmitRequest int64

	GroupConsidered  int64
	GroupScanned     int64
	ExtentExamined   int64
	PreallocLookedAt int64
	BuddyUpdate      int64
	BitmapUpdate     int64
	BitmapChecksum   int64
	BitmapWord       int64
	BuddyGenerated   int64
	BuddyFragment    int64

	JournalStart   int64
	JournalCommit  int64
	JournalBlock   int64
	ExtentTree     int64
	StatusTree     int64
	InodeAllocate  int64
	InodeUpdate    int64
	DirectoryEntry int64
}

// Search is what a search of the allocator takes that considers so many groups,
// scans so many of them and examines so many free extents.
func (m *Model) Search(considered, scanned, examined int64) int64 {
	return considered*m.GroupConsidered + scanned*m.GroupScanned + examined*m.ExtentExamined
}

// Bitmap is what marking a range of so many clusters in a bitmap on disk takes.
func (m *Model) Bitmap(clusters int64) int64 {
	return m.BitmapUpdate + m.BitmapChecksum + (clusters+63)/64*m.BitmapWord
}

// Generate is what making the buddies of so many groups from their bitmaps takes,
// which have so many free extents in all.
func (m *Model) Generate(groups, fragments int64) int64 {
	return groups*m.BuddyGenerated + fragments*m.BuddyFragment
}

// Commit is what committing a transaction of so many blocks takes.
func (m *Model) Commit(blocks int64) int64 { return m.JournalCommit + blocks*m.JournalBlock }

// Write is what a write of so many pages into the cache takes, fresh of which were
// not in it.
func (m *Model) Write(pages, fresh int64) int64 { return pages*m.CopyPage + fresh*m.NewPage }

// Submit is what sending so many pages to the device takes, in so many requests.
func (m *Model) Submit(pages, requests int64) int64 {
	return pages*m.SubmitPage + requests*m.SubmitRequest
}
