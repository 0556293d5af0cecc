package filesystem

// StatusTree are the figures of ext4's extent status trees, as the kernel shows
// them in /proc/fs/ext4/DEV/es_shrinker_info. Hits and misses count over all
// mounts.
type StatusTree struct {
	Hits, Misses uint64 // lookups that found a range, and that did not (es_stats_cache_hits, es_stats_cache_misses)
	Extents      int64  // ranges in memory (es_stats_all_cnt)
	Reclaimable  int64  // of these, those that are not delayed (es_stats_shk_cnt)
	Inodes       int64  // with any of those (s_es_list)
}

// Add adds the figures of o.
func (s *StatusTree) Add(o *StatusTree) {
	s.Hits += o.Hits
	s.Misses += o.Misses
	s.Extents += o.Extents
	s.Reclaimable += o.Reclaimable
	s.Inodes += o.Inodes
}

// Sub takes the figures of o away.
func (s *StatusTree) Sub(o *StatusTree) {
	s.Hits -= o.Hits
	s.Misses -= o.Misses
	s.Extents -= o.Extents
	s.Reclaimable -= o.Reclaimable
	s.Inodes -= o.Inodes
}

// ShrinkerInfo is what es_shrinker_info shows: the figures since the last mount, and the inode
// with the most ranges.
type ShrinkerInfo struct {
	StatusTree
	Largest struct {
		Inode                uint32
		Extents, Reclaimable int64
	}
}
