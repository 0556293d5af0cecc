package device

// sector is the smallest thing on a track, bytes.
const sector = 512

// geometry says where on the platters a byte lies. Tracks fill from the outer edge
// inwards, all heads of a cylinder before the next cylinder, and each track begins
// where the head is when it has come from the end of the track before.
//
// So a place is one number, its time on the medium: when the head passes it, if it
// reads the whole drive from the first byte on. Two places are as far apart as a
// transfer from one to the other takes, and the angle of a place is its time modulo
// a turn.
type geometry struct {
	turn     int64 // ns of a turn
	change   int64 // ns from the end of a track to the start of the next
	heads    int64
	tracks   int64
	capacity int64
	zones    []zone
	last     int // the zone of the place asked for last
}

// zone is a range of tracks of equal length.
type zone struct {
	first      int64 // byte
	end        int64 // byte behind its last
	firstTrack int64
	length     int64 // bytes of a track
}

// newGeometry lays out a drive of the given capacity. A track is as long as makes
// the zone's sustained rate, changes of track included; rates fall evenly from
// zone to zone.
func newGeometry(m *Model, capacity int64) geometry {
	g := geometry{turn: 60 * second / m.RPM, change: m.TrackSeek, heads: m.Heads, capacity: capacity}
	n := m.Zones
	lengths := make([]int64, n)
	sum := int64(0)
	for i := range lengths {
		rate := m.OuterRate
		if n > 1 {
			rate -= (m.OuterRate - m.InnerRate) / (n - 1) * int64(i)
		}
		bytes := rate / sector * ((g.turn + g.change) / us) / mega // sectors
		lengths[i] = max(bytes, 1) * sector
		sum += lengths[i]
	}
	cylinders := (capacity + sum*m.Heads - 1) / (sum * m.Heads) // of each zone
	at := int64(0)
	for _, length := range lengths {
		z := zone{first: at, firstTrack: g.tracks, length: length}
		g.tracks += cylinders * m.Heads
		at += cylinders * m.Heads * length
		z.end = at
		g.zones = append(g.zones, z)
	}
	return g
}

// cylinders is how many there are.
func (g *geometry) cylinders() int64 { return g.tracks / g.heads }

// zoneOf is the zone that holds a byte. Accesses cluster, so the last is tried
// first.
func (g *geometry) zoneOf(b int64) *zone {
	if z := &g.zones[g.last]; z.first <= b && b < z.end {
		return z
	}
	low, high := 0, len(g.zones)-1
	for low < high {
		mid := (low + high) / 2
		if b < g.zones[mid].end {
			high = mid
		} else {
			low = mid + 1
		}
	}
	g.last = low
	return &g.zones[low]
}

// place is the track of a byte and its time on the medium.
func (g *geometry) place(b int64) (track, at int64) {
	z := g.zoneOf(b)
	n := (b - z.first) / z.length
	track = z.firstTrack + n
	return track, g.time(z, track, b-z.first-n*z.length)
}

// passed is the time on the medium at which all before byte b, which is not the
// first, has been passed: that of b itself, but where b begins another track.
func (g *geometry) passed(b int64) int64 {
	z := g.zoneOf(b - 1)
	n := (b - 1 - z.first) / z.length
	return g.time(z, z.firstTrack+n, b-z.first-n*z.length)
}

// time is the time on the medium of a place on a track.
func (g *geometry) time(z *zone, track, offset int64) int64 {
	return track*(g.turn+g.change) + offset*g.turn/z.length
}

// trackAt is the track that is passed at a time on the medium.
func (g *geometry) trackAt(at int64) int64 {
	return min(at/(g.turn+g.change), g.tracks-1)
}

// until is the time from now, a time of the clock, until the head is over a place.
func (g *geometry) until(now, at int64) int64 {
	return ((at-now)%g.turn + g.turn) % g.turn
}
