package image

// FreeClusters is the sum of the free counts of all group descriptors, which an
// allocator needs at mount. For a file system that Mkfs computes it is known without
// visiting the groups, of which a petabyte has eight million.
func (l *Layout) FreeClusters() uint64 { return l.src.freeClusters() }

func (s *mkfsSource) freeClusters() uint64 { return uint64(s.sb.FreeBlocks) >> s.sb.ClusterBits }

func (s *readState) freeClusters() (n uint64) {
	for i := range s.groups {
		n += uint64(s.groups[i].desc.FreeClusters)
	}
	return n
}
