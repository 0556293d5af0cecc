package device

// Stats is what a device counts since it was made. Times of hdd include what the
// drive does by itself.
type Stats struct {
	Reads, Writes, Flushes uint64 // requests submitted
	ReadBytes, WriteBytes  int64
	Merged                 uint64 // requests and commands that joined another
	Commands               uint64 // what the device was given: after merging and splitting, without flushes
	Seeks                  uint64 // commands that did not begin where the one before ended
	Distance               int64  // bytes from there, over all of them
	CacheReads             uint64 // reads that the device had seen coming, or still held

	Time      int64 // ns covered
	Busy      int64 // ns in which any request was outstanding
	QueueTime int64 // ns outstanding, over all requests
	MaxQueue  int   // most that were outstanding at once

	// hdd only.
	ArmMoves     uint64 // seeks to another cylinder
	SeekTime     int64  // ns
	RotationTime int64  // ns waited for the platter to come round
	TransferTime int64  // ns over the range, changes of track included

	began int64
}

// QueueMean is the mean number of requests outstanding: what iostat calls aqu-sz.
func (s *Stats) QueueMean() float64 { return ratio(s.QueueTime, s.Time) }

// Utilization is the share of time in which any request was outstanding.
func (s *Stats) Utilization() float64 { return ratio(s.Busy, s.Time) }

func ratio(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func (s *Stats) submitted(kind Kind, n int64, outstanding int) {
	switch kind {
	case Read:
		s.Reads++
		s.ReadBytes += n
	case Write:
		s.Writes++
		s.WriteBytes += n
	case Flush:
		s.Flushes++
	}
	s.MaxQueue = max(s.MaxQueue, outstanding)
}

// Since is what was counted since before. MaxQueue is that of all time.
func (s Stats) Since(before Stats) Stats {
	s.Reads -= before.Reads
	s.Writes -= before.Writes
	s.Flushes -= before.Flushes
	s.ReadBytes -= before.ReadBytes
	s.WriteBytes -= before.WriteBytes
	s.Merged -= before.Merged
	s.Commands -= before.Commands
	s.Seeks -= before.Seeks
	s.Distance -= before.Distance
	s.CacheReads -= before.CacheReads
	s.Time -= before.Time
	s.Busy -= before.Busy
	s.QueueTime -= before.QueueTime
	s.ArmMoves -= before.ArmMoves
	s.SeekTime -= before.SeekTime
	s.RotationTime -= before.RotationTime
	s.TransferTime -= before.TransferTime
	return s
}

// count brings the times up to date.
func (d *Device) count() {
	now := d.e.Now()
	ns := now - d.counted
	d.counted = now
	if d.outstanding > 0 {
		d.stats.Busy += ns
	}
	d.stats.QueueTime += ns * int64(d.outstanding)
}

// Stats are the counts up to now.
func (d *Device) Stats() Stats {
	d.count()
	s := d.stats
	s.Time = d.e.Now() - s.began
	return s
}

// Outstanding is how many requests are submitted and not done.
func (d *Device) Outstanding() int { return d.outstanding }
