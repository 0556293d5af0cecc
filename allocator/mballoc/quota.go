package mballoc

// Quota limits what the owner of an inode may have. It is told blocks, whole
// clusters of them (dquot_alloc_block and its kin).
type Quota interface {
	// Alloc counts blocks of an inode, and reports whether they may be had. With
	// nofail they may, whatever the limit.
	Alloc(inode uint32, blocks int64, nofail bool) bool
	// Free gives blocks back that were counted and not allocated.
	Free(inode uint32, blocks int64)
}

// claimQuota counts what a request asks for against its owner's quota, cluster by
// cluster less until it fits; one that was cut short prepares nothing. It reports
// how many clusters were counted; none is EDQUOT.
func (a *Allocator) claimQuota(r *Request) uint32 {
	q := a.cfg.Quota
	if q == nil {
		return r.Len
	}
	blocks := func(n uint32) int64 { return int64(n) << a.geo.ClusterBits }
	if r.Flags&UseRootBlocks != 0 {
		q.Alloc(r.Inode.Number, blocks(r.Len), true)
		return r.Len
	}
	for r.Len > 0 && !q.Alloc(r.Inode.Number, blocks(r.Len), false) {
		r.Flags |= HintNoPrealloc
		r.Len--
	}
	return r.Len
}

// returnQuota gives back what was counted and not allocated.
func (a *Allocator) returnQuota(r *Request, counted uint32) {
	if q := a.cfg.Quota; q != nil && r.Len < counted {
		q.Free(r.Inode.Number, int64(counted-r.Len)<<a.geo.ClusterBits)
	}
}
