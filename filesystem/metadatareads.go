package filesystem

// MetadataReads counts the reads of metadata that was not in memory.
type MetadataReads struct {
	Requests, Blocks uint64
}
