// Package pagecache holds which blocks of a file are dirty, and in which state their buffers
// are: what writeback has to map and to write.
//
// Clean blocks are not kept. A write to one looks its mapping up again, in the status tree
// (package es), which gives what the buffer would have said. Pages do not show either: where
// several blocks share one, whoever asks rounds to whole pages.
//
// Units: lblk and end are blocks of the file, and ranges are [lblk, end) or [lblk, lblk+n).
// Nothing here can fail, and nothing allocates memory but a cache that grows.
//
// Read next: filesystem/ext4, write.go and writeback.go, which fill and empty it.
package pagecache
