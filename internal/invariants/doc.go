// Package invariants says whether slow checks of internal state are compiled
// in:
//
//	go test -tags invariants ./...
//
// Enabled is a constant, so that a check behind it costs nothing when it is
// off: the compiler drops the branch.
//
//	if invariants.Enabled {
//		a.check()
//	}
//
// A check recounts slowly what the code keeps fast, and panics with the state
// where the two differ. It changes nothing and waits for no lock: a run with
// checks makes the same decisions as one without.
//
// Read next: allocator/mballoc, file check.go.
package invariants
