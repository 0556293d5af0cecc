package placement

import (
	"mbsim/allocator"
	"mbsim/filesystem/dirent"
)

// Directory chooses a group for a directory (find_group_orlov). Directories at the top are
// spread over the device; deeper ones stay near their parent as long as the groups there
// are not much worse than the average. The group is not valid if the second result is
// false: then no group has a free inode.
func (p *Policy) Directory(parent Parent, name string) (allocator.GroupID, bool) {
	if parent.Top {
		return p.spread(parent, name)
	}
	return p.near(parent)
}

// counts returns the numbers of flex group f, or of group f where there are no flex groups
// (get_orlov_stats).
func (p *Policy) counts(f uint32) Counts {
	if p.Geometry.FlexBits > 0 {
		return p.Groups.Flex(f)
	}
	g := allocator.GroupID(f)
	free, dirs := p.Groups.Inodes(g)
	return Counts{Inodes: free, Dirs: dirs, Clusters: p.Groups.Clusters(g)}
}

// spread chooses a group for a directory at the top. The search begins at the hash of the
// name. Of all flex groups with at least average free inodes and clusters, the one with the
// fewest directories wins, the first of several. As in the kernel it must have fewer
// directories than a group has inodes.
func (p *Policy) spread(parent Parent, name string) (allocator.GroupID, bool) {
	n := p.Geometry.FlexGroups()
	all := p.Groups.Approximate()
	averageInodes, averageClusters := all.Inodes/n, all.Clusters/uint64(n)
	// The minor hash is not used.
	hash, _ := dirent.HashName(name, dirent.HalfMD4, p.Seed)
	start := hash % n
	best, found := p.Geometry.InodesPerGroup, int64(-1)
	for i := range n {
		f := (start + i) % n
		c := p.counts(f)
		if c.Inodes == 0 || c.Dirs >= best || c.Inodes < averageInodes || c.Clusters < averageClusters {
			continue
		}
		best, found = c.Dirs, int64(f)
	}
	if found >= 0 {
		if g, ok := p.firstInFlex(uint32(found)); ok {
			return g, true
		}
	}
	return p.fallback(parent, all.Inodes)
}

// near chooses a group for a deeper directory, or for a file where the flex group of its
// parent is full: of the first flex group from the parent's on whose numbers are within
// Orlov's limits.
func (p *Policy) near(parent Parent) (allocator.GroupID, bool) {
	n := p.Geometry.FlexGroups()
	all := p.Groups.Approximate()
	l := p.limits(&all)
	// The search begins where the last inode of this parent was looked for.
	start, ok := parent.last()
	if !ok {
		start = p.group(parent)
	}
	for i := range n {
		f := (p.Geometry.Flex(start) + i) % n
		if !l.allow(p.counts(f)) {
			continue
		}
		// Only the first flex group within the limits is tried. If none of its groups has a
		// free inode after all, the fallback decides.
		if g, ok := p.firstInFlex(f); ok {
			return g, true
		}
		break
	}
	return p.fallback(parent, all.Inodes)
}

// limits are what a flex group must keep to for a directory to stay near its parent
// (max_dirs, min_inodes, min_clusters).
type limits struct {
	maxDirs, minInodes uint32
	minClusters        uint64
}

// limits are those for a file system with these numbers. All follow the average flex group.
func (p *Policy) limits(all *Counts) limits {
	geo, n := p.Geometry, p.Geometry.FlexGroups()
	averageInodes, averageClusters := all.Inodes/n, all.Clusters/uint64(n)
	perFlex := int32(geo.InodesPerGroup * geo.FlexSize())
	// The kernel keeps min_clusters in a signed 32-bit variable, and compares it with an
	// unsigned 64-bit count. A negative limit so becomes one that no group meets, and the
	// fallback decides. Later kernels take 0 for it.
	minClusters := int64(int32(averageClusters - uint64(geo.ClustersPerGroup)*uint64(geo.FlexSize())/4))
	if p.ClampMinClusters {
		minClusters = max(0, minClusters)
	}
	return limits{
		maxDirs:     uint32(int32(all.Dirs/n) + perFlex/16),
		minInodes:   uint32(max(1, int32(averageInodes)-perFlex/4)),
		minClusters: uint64(minClusters),
	}
}

// allow says whether a flex group with these numbers is within the limits.
func (l *limits) allow(c Counts) bool {
	return c.Dirs < l.maxDirs && c.Inodes >= l.minInodes && c.Clusters >= l.minClusters
}

// fallback returns the first group, from the parent's on, that has at least the average of
// free inodes, of which there are so many in all; if there is none, since the counter is
// approximate, the first with a free inode.
func (p *Policy) fallback(parent Parent, inodes uint32) (allocator.GroupID, bool) {
	n := p.Geometry.Groups
	for _, average := range [...]uint32{inodes / uint32(n), 0} {
		for i := range n {
			g := (p.group(parent) + i) % n
			if free := p.inodes(g); free > 0 && free >= average {
				return g, true
			}
		}
	}
	return 0, false
}
