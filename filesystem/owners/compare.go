package owners

import (
	"math/bits"

	"mbsim/allocator/bitmap"
)

// kind is a way in which a member of a bitmap contradicts its owners.
type kind uint8

const (
	twice    kind = iota // a file owns it, and it is the system's
	nobodys              // in use, without an owner
	freeHere             // free on disk, with an owner
	kinds
)

func (k kind) String() string {
	return [...]string{"a file's and the file system's own", "in use and nobody's", "in use and free on disk"}[k]
}

// span is a range of members that contradict in the same way.
type span struct {
	kind     kind
	from, to uint32
}

// group is what is known of one group.
type group struct {
	n           uint32      // members
	before, now bitmap.Bits // in use on disk, at mount and now
	held, owned bitmap.Bits // owned by files, at mount and now; nil for none
	open        [kinds]span // spans that may go on with the next word
	found       []span
}

// word is word w of b, 0 where b is nil.
func word(b bitmap.Bits, w int) uint64 {
	if b == nil {
		return 0
	}
	return b[w]
}

// compare finds all contradictions of a group, those of a kind in order.
func (g *group) compare() []span {
	for w := range int(g.n+63) / 64 {
		// The last word has bits behind the end of the group.
		inside := ^uint64(0)
		if rest := g.n - uint32(w)*64; rest < 64 {
			inside = 1<<rest - 1
		}
		// In use at mount without a file: that is the system's for ever.
		system := g.before[w] &^ word(g.held, w)
		owned := word(g.owned, w)
		used := system | owned
		g.note(twice, w, system&owned&inside)
		g.note(nobodys, w, g.now[w]&^used&inside)
		g.note(freeHere, w, used&^g.now[w]&inside)
	}
	// A span may reach over words, so it is closed when all words are read.
	for k := range kinds {
		g.flush(k)
	}
	return g.found
}

// note notes the bits of x, those of word w that contradict in the way k.
func (g *group) note(k kind, w int, x uint64) {
	for x != 0 {
		// The lowest run of ones: it begins at bit i and has n bits.
		i := bits.TrailingZeros64(x)
		n := bits.TrailingZeros64(^(x >> i))
		from := uint32(w*64 + i)
		// A run that begins where the open span ends continues it.
		if o := g.open[k]; o.to != from || o.to == o.from {
			g.flush(k)
			g.open[k] = span{k, from, from}
		}
		g.open[k].to += uint32(n)
		// No bits are left, and a shift by 64 would not clear them.
		if i+n == 64 {
			return
		}
		x &= ^uint64(0) << (i + n)
	}
}

// flush closes the open span of kind k.
func (g *group) flush(k kind) {
	if s := g.open[k]; s.to > s.from {
		g.found = append(g.found, s)
	}
	g.open[k] = span{}
}

// zeros counts the members that are free in b.
func (g *group) zeros(b bitmap.Bits) uint32 { return uint32(b.CountZero(int(g.n))) }
