package allocator

// Block is the number of a file-system block on the device.
type Block uint64

// GroupID is the number of a block group.
type GroupID uint32

// GroupOffset is a cluster's place inside its group, or a count of clusters
// of one group (the kernel's ext4_grpblk_t).
type GroupOffset int32

// PageSize is the size of a page of memory, bytes: of the page cache, of the buddy cache
// that lies in it, and what the costs of data are for.
const PageSize = 4096

// Geometry holds the numbers of a mounted file system that never change.
type Geometry struct {
	BlockBits        uint8  // log2 of the block size in bytes: 10, 11, 12, ... 16
	ClusterBits      uint8  // log2 of blocks a cluster; 0 without bigalloc
	FlexBits         uint8  // log2 of groups a flex group; 0 without flex_bg
	FirstDataBlock   Block  // 1 with 1K blocks (without bigalloc), else 0
	Blocks           Block  // size of the file system, counted from block 0
	ClustersPerGroup uint32 // clusters covered by one bitmap
	BlocksPerGroup   uint32 // ClustersPerGroup << ClusterBits
	InodesPerGroup   uint32
	Groups           GroupID
	Stripe           uint32 // RAID stripe width in blocks (s_stripe), 0 for none
}

// BlockSize is the size of a block in bytes.
func (g *Geometry) BlockSize() int64 { return 1 << g.BlockBits }

// ClusterRatio is the number of blocks a cluster.
func (g *Geometry) ClusterRatio() uint32 { return 1 << g.ClusterBits }

// GroupStart is the first block of group id.
func (g *Geometry) GroupStart(id GroupID) Block {
	return Block(id)*Block(g.BlocksPerGroup) + g.FirstDataBlock
}

// GroupOf is the group that holds b, and b's cluster inside it.
func (g *Geometry) GroupOf(b Block) (GroupID, GroupOffset) {
	rel := b - g.FirstDataBlock
	id := rel / Block(g.BlocksPerGroup)
	return GroupID(id), GroupOffset((rel - id*Block(g.BlocksPerGroup)) >> g.ClusterBits)
}

// BlockAt is the first block of cluster off of group id.
func (g *Geometry) BlockAt(id GroupID, off GroupOffset) Block {
	return g.GroupStart(id) + Block(off)<<g.ClusterBits
}

// ClustersIn is the number of clusters that group id covers: ClustersPerGroup
// for all but the last group.
func (g *Geometry) ClustersIn(id GroupID) uint32 {
	if id+1 < g.Groups {
		return g.ClustersPerGroup
	}
	blocks := g.Blocks - g.GroupStart(id)
	return uint32((blocks + Block(g.ClusterRatio()) - 1) >> g.ClusterBits)
}

// Flex is the flex group that holds group id.
func (g *Geometry) Flex(id GroupID) uint32 { return uint32(id) >> g.FlexBits }

// FlexSize is the number of groups a flex group.
func (g *Geometry) FlexSize() uint32 { return 1 << g.FlexBits }

// FlexGroups is the number of flex groups, of which the last may have fewer groups than
// FlexSize; without flex_bg it is the number of groups.
func (g *Geometry) FlexGroups() uint32 {
	return (uint32(g.Groups) + g.FlexSize() - 1) >> g.FlexBits
}
