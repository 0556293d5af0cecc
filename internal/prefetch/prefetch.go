//go:build amd64 || arm64

// Package prefetch asks the processor to read memory ahead of its use, so that who
// comes to use it does not wait. It changes nothing but time.
package prefetch

import "unsafe"

// Lines asks for four lines of the cache, from that in which *p begins. p may be nil.
func Lines[T any](p *T) { lines(unsafe.Pointer(p)) }

//go:noescape
func lines(p unsafe.Pointer)
