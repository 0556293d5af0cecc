package device

import (
	"fmt"

	"mbsim/internal/nearest"
)

// Medium is a kind of device.
type Medium uint8

// The media.
const (
	None Medium = iota
	HDD
	SSD
	NVMe

	media
)

var mediumNames = [media]string{"none", "hdd", "ssd", "nvme"}

// String is the medium's name in scenarios.
func (m Medium) String() string {
	if m >= media {
		return fmt.Sprintf("device.Medium(%d)", uint8(m))
	}
	return mediumNames[m]
}

// Rotates says whether the medium has heads that move. A medium of which nothing is said is
// taken for such a one, as the kernel does.
func (m Medium) Rotates() bool { return m != SSD && m != NVMe }

// FindMedium is the medium of that name.
func FindMedium(name string) (Medium, error) {
	for m, n := range mediumNames {
		if n == name {
			return Medium(m), nil
		}
	}
	if best, near := nearest.Of(name, mediumNames[:]); near {
		return 0, fmt.Errorf("unknown device %q, did you mean %q?", name, best)
	}
	return 0, fmt.Errorf("unknown device %q: it is none, hdd, ssd or nvme", name)
}

// Model is a device with all its parameters. Those that its medium does not have
// are 0. The registry says what each is.
type Model struct {
	Medium Medium

	// The block layer.
	Queues        int64
	QueueDepth    int64
	Tags          int64
	MaxRequest    int64
	ReadExpire    int64
	WriteExpire   int64
	WritesStarved int64
	FIFOBatch     int64

	// hdd
	Capacity      int64
	RPM           int64
	Heads         int64
	Zones         int64
	OuterRate     int64
	InnerRate     int64
	TrackSeek     int64
	AverageSeek   int64
	FullSeek      int64
	SeekKnee      int64
	WriteSettle   int64
	Interface     int64
	ReadAhead     int64
	WriteCache    int64
	CacheIdle     int64
	DestageAtOnce int64

	// ssd and nvme
	Dies      int64
	Stripe    int64
	ReadDie   int64
	WriteDie  int64
	ReadRate  int64
	WriteRate int64
	FlushTime int64

	// hdd, ssd and nvme: the controller
	ReadCommand  int64
	WriteCommand int64
}

// Default is the medium's model with all defaults.
func Default(medium Medium) Model {
	m := Model{Medium: medium}
	for _, p := range tables[medium] {
		*p.at(&m) = p.Default
	}
	return m
}

// Check says what is wrong with the model, if anything is.
func (m *Model) Check() error {
	if m.Medium >= media {
		return fmt.Errorf("there is no %v", m.Medium)
	}
	for _, p := range tables[m.Medium] {
		if v := *p.at(m); v < p.Min || v > p.Max {
			return fmt.Errorf("%s: %d %s is not between %d and %d", p.Name, v, p.Unit, p.Min, p.Max)
		}
	}
	if m.Medium != HDD {
		return nil
	}
	if m.InnerRate > m.OuterRate {
		return fmt.Errorf("inner_rate: %d bytes/s is more than outer_rate, %d", m.InnerRate, m.OuterRate)
	}
	if m.TrackSeek > m.AverageSeek || m.AverageSeek > m.FullSeek {
		return fmt.Errorf("seeks of %d ns (track_seek), %d ns (average_seek) and %d ns (full_seek) are not in order", m.TrackSeek, m.AverageSeek, m.FullSeek)
	}
	_, err := newSeekCurve(m, 1<<16)
	return err
}
