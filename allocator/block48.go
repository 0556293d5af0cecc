package allocator

// Block48 is a physical block number in 48 bits, as many as it has on disk. What is kept
// for each range of each file is small so, and needs no alignment.
type Block48 struct{ low, middle, high uint16 }

// Pack48 packs a block number, which must be below 2^48.
func Pack48(b Block) Block48 {
	return Block48{uint16(b), uint16(b >> 16), uint16(b >> 32)}
}

// Block unpacks the block number.
func (x Block48) Block() Block {
	return Block(x.low) | Block(x.middle)<<16 | Block(x.high)<<32
}
