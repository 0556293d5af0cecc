package reservation

// Stats counts what the allocator did since mount. The kernel keeps none of
// these.
type Stats struct {
	Requests uint64 // requests for blocks
	NoSpace  uint64 // of these, those that failed
	Blocks   uint64 // blocks given
	Freed    uint64 // blocks given back

	GoalHits      uint64 // requests whose first block is the goal
	GroupsVisited uint64 // groups whose bitmap was searched
	GroupsSkipped uint64 // groups passed over for their free count
	BitmapLoads   uint64 // bitmaps read from the device
	Fallbacks     uint64 // requests repeated without a window, for want of room for one
	SystemZone    uint64 // requests repeated because they hit the group's own metadata

	WindowsMade      uint64 // windows a file was given (alloc_new_reservation)
	WindowsExtended  uint64 // windows lengthened for a request (try_to_extend_reservation)
	BlocksExtended   uint64 // blocks by which they were
	WindowsDoubled   uint64 // windows made twice as large as the file's last
	WindowsDiscarded uint64 // windows given back unreplaced: close, truncate, eviction
	WindowsSearched  uint64 // windows looked at in the search for room between them
	WindowsFailed    uint64 // searches that found no room in their group
	WindowBlocks     uint64 // blocks given from windows
	// HitsAtEnd counts the windows that are gone by the blocks they gave: i
	// for those with at least 2^(i-1) and fewer than 2^i, 0 for none. The last
	// class has no upper limit.
	HitsAtEnd [hitClasses]uint64
}

// hitClasses is enough for a window of MaxWindow blocks that a direct write has extended
// by the blocks of an indirect block: 2048 blocks or more are the last class.
const hitClasses = 13

// add counts what t counts too.
func (s *Stats) add(t *Stats) {
	s.Requests += t.Requests
	s.NoSpace += t.NoSpace
	s.Blocks += t.Blocks
	s.Freed += t.Freed

	s.GoalHits += t.GoalHits
	s.GroupsVisited += t.GroupsVisited
	s.GroupsSkipped += t.GroupsSkipped
	s.BitmapLoads += t.BitmapLoads
	s.Fallbacks += t.Fallbacks
	s.SystemZone += t.SystemZone

	s.WindowsMade += t.WindowsMade
	s.WindowsExtended += t.WindowsExtended
	s.BlocksExtended += t.BlocksExtended
	s.WindowsDoubled += t.WindowsDoubled
	s.WindowsDiscarded += t.WindowsDiscarded
	s.WindowsSearched += t.WindowsSearched
	s.WindowsFailed += t.WindowsFailed
	s.WindowBlocks += t.WindowBlocks
	for i := range s.HitsAtEnd {
		s.HitsAtEnd[i] += t.HitsAtEnd[i]
	}
}
