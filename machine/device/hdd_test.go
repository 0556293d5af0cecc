package device

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The curve has the three times of the data sheet: its first step, its mean over
// all pairs of cylinders, and its last.
func TestSeekCurve(t *testing.T) {
	for _, set := range []map[string]int64{
		{},
		{"track_seek": 600 * us, "average_seek": 4 * ms, "full_seek": 9 * ms, "seek_knee": 300},
		{"track_seek": 2 * ms, "average_seek": 12 * ms, "full_seek": 22 * ms, "seek_knee": 430},
	} {
		m := Default(HDD)
		for name, v := range set {
			if err := m.Set(name, v); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		const c = 10000 // cylinders
		s, err := newSeekCurve(&m, c)
		if err != nil {
			t.Fatal(err)
		}
		sum, pairs, before := 0.0, 0.0, int64(0)
		for d := int64(1); d <= c; d++ {
			ns := s.time(d)
			if ns < before {
				t.Fatalf("%d cylinders take %d ns, %d take %d", d, ns, d-1, before)
			}
			if d > c/100 && ns-before > 100*us {
				t.Errorf("a jump of %d ns at %d cylinders", ns-before, d)
			}
			sum += float64(ns) * float64(c-d)
			pairs += float64(c - d)
			before = ns
		}
		if got := sum / pairs; math.Abs(got/float64(m.AverageSeek)-1) > 1e-3 {
			t.Errorf("%v: a mean of %.0f ns", set, got)
		}
		if got := s.time(c); math.Abs(float64(got-m.FullSeek)) > 2 {
			t.Errorf("%v: a full stroke takes %d ns", set, got)
		}
		first := s.time(1) // the root of a ten-thousandth is a hundredth
		if first < m.TrackSeek || float64(first-m.TrackSeek) > 0.02*float64(m.FullSeek) {
			t.Errorf("%v: one cylinder takes %d ns", set, first)
		}
		if s.time(0) != 0 {
			t.Error("no distance takes time")
		}
	}
}

// A place is where the layout says: tracks follow each other, each longer ago than
// the one before by a turn and a change, and lengths are those of the zones.
func TestGeometry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Default(HDD)
		m.RPM = rapid.Int64Range(60, 100_000).Draw(t, "rpm")
		m.Heads = rapid.Int64Range(1, 8).Draw(t, "heads")
		m.Zones = rapid.Int64Range(1, 40).Draw(t, "zones")
		m.TrackSeek = rapid.Int64Range(0, ms).Draw(t, "change")
		capacity := rapid.Int64Range(1<<30, 1<<44).Draw(t, "capacity")
		g := newGeometry(&m, capacity)
		if end := g.zones[len(g.zones)-1].end; end < capacity || g.zones[0].first != 0 || g.tracks%g.heads != 0 {
			t.Fatalf("%d bytes on %d tracks for %d", end, g.tracks, capacity)
		}
		for i := 1; i < len(g.zones); i++ {
			a, b := g.zones[i-1], g.zones[i]
			if a.end != b.first || (a.end-a.first)%a.length != 0 || a.firstTrack+(a.end-a.first)/a.length != b.firstTrack || b.length > a.length {
				t.Fatalf("zone %d is %+v, the next %+v", i-1, a, b)
			}
		}
		b := rapid.Int64Range(0, capacity/sector-2).Draw(t, "sector") * sector
		z := g.zoneOf(b)
		if b < z.first || b >= z.end {
			t.Fatalf("byte %d is not in %+v", b, z)
		}
		track, at := g.place(b)
		next, behind := g.place(b + sector)
		done := g.passed(b + sector)
		long := sector*g.turn/z.length + 1
		switch {
		case next == track && (behind != done || behind-at > long || behind-at < long-2):
			t.Fatalf("the sector at %d passes from %d to %d, the next from %d", b, at, done, behind)
		case next == track+1 && behind != next*(g.turn+g.change):
			t.Fatalf("track %d begins at %d", next, behind)
		case next == track+1 && behind-done != g.change:
			t.Fatalf("track %d ends at %d, the next begins at %d", track, done, behind)
		case next != track && next != track+1:
			t.Fatalf("track %d follows track %d", next, track)
		}
		if g.trackAt(at) != track || g.trackAt(done-1) != track {
			t.Fatalf("tracks %d and %d pass at the times of track %d", g.trackAt(at), g.trackAt(done-1), track)
		}
		now := rapid.Int64Range(0, 1<<50).Draw(t, "now")
		if w := g.until(now, at); w < 0 || w >= g.turn || (now+w-at)%g.turn != 0 {
			t.Fatalf("at %d the place %d is %d ns away", now, at, w)
		}
	})
}

func newTestHDD(t *testing.T, set map[string]int64) (*hdd, *Stats) {
	t.Helper()
	m, stats := Default(HDD), new(Stats)
	for name, v := range set {
		if err := m.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	h, err := newHDD(&m, terabyte, stats)
	if err != nil {
		t.Fatal(err)
	}
	return h, stats
}

// An access that begins on the next track, where the last has ended, loses nothing
// but the change of tracks, whether it reads or writes.
func TestNextTrack(t *testing.T) {
	for _, write := range []bool{false, true} {
		h, stats := newTestHDD(t, nil)
		length := h.zones[0].length
		end := h.access(0, 0, length, write)
		before := *stats
		if again := h.access(end, length, 2*length, write); again-end != h.change+h.turn || stats.RotationTime != before.RotationTime {
			t.Errorf("a track takes %d ns, %d of them waiting", again-end, stats.RotationTime-before.RotationTime)
		}
		// Back to the first track: the other head, and the rest of a turn.
		before = *stats
		h.access(h.free, 0, length, write)
		if ns := stats.SeekTime - before.SeekTime; write && ns != h.change+h.settle || !write && ns != h.change || stats.ArmMoves != 0 {
			t.Errorf("back to the first track takes %d ns, %d moves", ns, stats.ArmMoves)
		}
	}
}

// The arm follows what the drive reads ahead, to its limit.
func TestArmFollows(t *testing.T) {
	h, stats := newTestHDD(t, map[string]int64{"write_cache": 0})
	length := h.zones[0].length
	h.start(0, Read, 0, block)
	at := block + h.readAhead - block // on the last track read
	at -= at % block
	if track, _ := h.place(at); track < 2 {
		t.Fatalf("read ahead ends on track %d", track)
	}
	h.start(second, Write, at, at+block)
	if stats.SeekTime != 0 {
		t.Errorf("the arm took %d ns to where it was", stats.SeekTime)
	}
	// Half a track on, it is on the first still.
	h, stats = newTestHDD(t, map[string]int64{"write_cache": 0})
	end := h.start(0, Read, 0, block)
	h.start(end+h.turn/2, Write, length-block, length)
	if stats.SeekTime != 0 {
		t.Errorf("the arm took %d ns to where it was", stats.SeekTime)
	}
}

// A write into what was read ahead makes that old.
func TestWriteSpoilsReadAhead(t *testing.T) {
	h, stats := newTestHDD(t, nil)
	h.start(0, Read, 0, 8*block)
	h.start(second, Read, 8*block, 16*block)
	if stats.CacheReads != 1 {
		t.Errorf("%d reads from memory", stats.CacheReads)
	}
	h.start(second, Write, 20*block, 21*block)
	end := h.start(second+ms, Read, 16*block, 24*block)
	if stats.CacheReads != 1 {
		t.Errorf("%d reads from memory after the write", stats.CacheReads)
	}
	h.start(end, Write, 1_000_000*block, 1_000_001*block) // elsewhere
	h.start(end+ms, Read, 24*block, 32*block)
	if stats.CacheReads != 2 {
		t.Errorf("%d reads from memory after a write elsewhere", stats.CacheReads)
	}
}

// The cache is written to the medium when no reads come for cache_idle, not between
// reads that come more often.
func TestCacheWaitsForReads(t *testing.T) {
	for _, c := range []struct {
		pause int64
		left  bool
	}{{ms, true}, {3 * ms, false}} {
		h, _ := newTestHDD(t, nil)
		now := h.start(0, Read, 0, block)
		for i := range int64(20) {
			now = h.start(now, Write, (i+1)*1_000_000*block, (i+1)*1_000_000*block+block)
		}
		now = h.start(now, Read, block, 2*block)
		for i := range int64(40) {
			now = h.start(now+c.pause, Read, (i+2)*block, (i+3)*block)
		}
		if left := len(h.cache.extents) > 15; left != c.left {
			t.Errorf("pauses of %d ns: %d writes are left", c.pause, len(h.cache.extents))
		}
	}
}

// The write cache against a set of sectors.
func TestWriteCacheIsASet(t *testing.T) {
	const sectors = 200
	rapid.Check(t, func(t *rapid.T) {
		c := writeCache{chunk: rapid.Int64Range(1, 40).Draw(t, "chunk")}
		var in [sectors]bool
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				from := rapid.Int64Range(0, sectors-1).Draw(t, "from")
				to := rapid.Int64Range(from+1, sectors).Draw(t, "to")
				c.add(from, to)
				for i := from; i < to; i++ {
					in[i] = true
				}
			case 1:
				if len(c.extents) == 0 {
					continue
				}
				at := rapid.Int64Range(0, sectors).Draw(t, "at")
				want := at
				for want < sectors && !in[want] {
					want++
				}
				if want == sectors {
					for want = 0; !in[want]; want++ {
					}
				}
				from, to := c.take(at)
				if from != want || to <= from || to-from > c.chunk {
					t.Fatalf("taken at %d: [%d, %d), want %d", at, from, to, want)
				}
				if to < sectors && in[to] && to-from < c.chunk {
					t.Fatalf("taken at %d: [%d, %d), though there is more", at, from, to)
				}
				for i := from; i < to; i++ {
					if !in[i] {
						t.Fatalf("%d was not there", i)
					}
					in[i] = false
				}
			case 2:
				from := rapid.Int64Range(0, sectors-1).Draw(t, "from")
				to := rapid.Int64Range(from+1, sectors).Draw(t, "to")
				all := true
				for i := from; i < to; i++ {
					all = all && in[i]
				}
				if c.holds(from, to) != all {
					t.Fatalf("holds [%d, %d): %v", from, to, !all)
				}
			}
			bytes := int64(0)
			for i, x := range c.extents {
				bytes += x.to - x.from
				if x.from >= x.to || i > 0 && c.extents[i-1].to >= x.from {
					t.Fatalf("extents %v", c.extents)
				}
			}
			n := int64(0)
			for _, is := range in {
				if is {
					n++
				}
			}
			if bytes != c.bytes || bytes != n {
				t.Fatalf("%d bytes, by its extents %d, by the set %d", c.bytes, bytes, n)
			}
		}
	})
}
