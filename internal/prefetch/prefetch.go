//go:build amd64 || arm64

// Package prefetch asks the processor to read memory ahead of its use, so that who
// comes to use it does not wait. It changes nothing but time.
package prefetch

import "unsafe"

// Pair asks for two lines of the cache, from that in which *p begins. p may be nil.
func Pair[T any](p *T) { pair(unsafe.Pointer(p)) }

//go:noescape
func pair(p unsafe.Pointer)
