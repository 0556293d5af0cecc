package metrics

import (
	"iter"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/allocator/reservation"
)

// Policy is what is read of an allocation policy. None of it may change what a
// later decision or count depends on.
type Policy interface {
	// Count puts the policy's counters, over all mounts, into r.
	Count(r Row)
	// TakeChanged lists the groups whose bitmap on disk was changed since it was called before, or
	// since the first mount. There is one who asks.
	TakeChanged() iter.Seq[allocator.GroupID]
	// Touched lists, in order, the groups that may differ from the Source.
	Touched() iter.Seq[allocator.GroupID]
	// PeekFree is the number of free clusters of id on disk, and whether that
	// may differ from the Source; if not the number means nothing.
	PeekFree(id allocator.GroupID) (clusters uint32, touched bool)
	// PeekBitmap is the block bitmap of id on disk, nil where it is as the
	// Source has it.
	PeekBitmap(id allocator.GroupID) []uint64
}

// Mballoc reads ext4's allocator.
func Mballoc(a *mballoc.Allocator) Policy { return mballocPolicy{a} }

type mballocPolicy struct{ *mballoc.Allocator }

func (p mballocPolicy) Count(r Row) {
	s := p.Total()
	for i := range mballocTable {
		r[mballocFirst+ID(i)] = mballocTable[i].count(p.Kernel(), &s)
	}
}

// Reservation reads ext2's allocator.
func Reservation(a *reservation.Allocator) Policy { return reservationPolicy{a} }

type reservationPolicy struct{ *reservation.Allocator }

func (p reservationPolicy) Count(r Row) {
	s := p.Total()
	for i := range reservationTable {
		r[rsvFirst+ID(i)] = float64(reservationTable[i].get(&s))
	}
}
