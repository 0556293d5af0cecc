package device

import (
	"fmt"

	"mbsim/internal/nearest"
)

// Parameter describes one parameter of a medium's model.
type Parameter struct {
	Name     string
	Unit     string
	Default  int64
	Min, Max int64
	Doc      string
	Source   string // where the default comes from
	at       func(*Model) *int64
}

// Units of times and sizes in the tables.
const (
	us     int64 = 1000
	ms           = 1000 * us
	second       = 1000 * ms

	kib int64 = 1024
	mib       = 1024 * kib

	mega  int64 = 1_000_000
	giga        = 1000 * mega
	pebi  int64 = 1 << 50
	sixty       = 60 * second
)

const (
	deadline  = "Linux, block/mq-deadline.c"
	barracuda = "Seagate Barracuda 7200.14, ST1000DM003: data sheet"
	recalled  = "Seagate Barracuda 7200.14, ST1000DM003: product manual, from memory"
	deskstar  = "Hitachi Deskstar 7K1000.C: specification"
	evo870    = "Samsung 870 EVO 1 TB: data sheet"
	evo970    = "Samsung 970 EVO Plus 1 TB: data sheet"
)

// blockLayer are the parameters that all media but none have.
func blockLayer(queues, depth, tags int64, source string) []Parameter {
	return []Parameter{
		{"queues", "queues", queues, 1, 1024, "Queues between kernel and device; a CPU uses the queue of its number modulo this.",
			source, func(m *Model) *int64 { return &m.Queues }},
		{"queue_depth", "requests", depth, 1, 65535, "Requests of a queue that the device works on at once.",
			source, func(m *Model) *int64 { return &m.QueueDepth }},
		{"tags", "requests", tags, 1, 65535, "Requests of a queue that may wait or be worked on (nr_requests); writes may hold three quarters.",
			"Linux, blk_mq_init_sched: twice the depth, of at most 128, with a scheduler; else the depth. Three quarters: mq-deadline since 5.14",
			func(m *Model) *int64 { return &m.Tags }},
		{"max_request", "bytes", 1280 * kib, 4 * kib, 1 << 30, "Larger requests are split, and requests merge up to this (max_sectors_kb).",
			"Linux, BLK_DEF_MAX_SECTORS of 2560", func(m *Model) *int64 { return &m.MaxRequest }},
	}
}

// elevator are the parameters of mq-deadline.
func elevator() []Parameter {
	return []Parameter{
		{"read_expire", "ns", 500 * ms, 0, sixty, "A read that has waited longer is next, whatever its place.",
			deadline, func(m *Model) *int64 { return &m.ReadExpire }},
		{"write_expire", "ns", 5 * second, 0, 10 * sixty, "A write that has waited longer is the first of the next batch of writes.",
			deadline, func(m *Model) *int64 { return &m.WriteExpire }},
		{"writes_starved", "batches", 2, 0, 1 << 20, "Batches of reads that may come before waiting writes.",
			deadline, func(m *Model) *int64 { return &m.WritesStarved }},
		{"fifo_batch", "requests", 16, 1, 1 << 20, "Requests in order of place before deadlines are looked at again.",
			deadline, func(m *Model) *int64 { return &m.FIFOBatch }},
	}
}

func hddTable() []Parameter {
	return append(append(blockLayer(1, 1, 64, "one arm; the kernel's order stands for that of NCQ"), elevator()...), []Parameter{
		{"capacity", "bytes", 1000 * giga, mib, pebi, "Bytes of the drive; a larger file system makes it as large. Blocks are numbered from the outer edge.",
			barracuda, func(m *Model) *int64 { return &m.Capacity }},
		{"rpm", "turns/min", 7200, 60, 100_000, "Speed of rotation.", barracuda, func(m *Model) *int64 { return &m.RPM }},
		{"heads", "heads", 2, 1, 64, "Tracks of a cylinder: the arm does not move from one to the next.", recalled, func(m *Model) *int64 { return &m.Heads }},
		{"zones", "zones", 16, 1, 256, "Zones of equally long tracks.", "assumed; drives have 10 to 60", func(m *Model) *int64 { return &m.Zones }},
		{"outer_rate", "bytes/s", 210 * mega, mega, 100 * giga, "Rate of a long transfer in the outermost zone.",
			barracuda + ", maximum sustained rate", func(m *Model) *int64 { return &m.OuterRate }},
		{"inner_rate", "bytes/s", 102 * mega, mega, 100 * giga, "Rate of a long transfer in the innermost zone.",
			barracuda + ": what with the outer rate makes its average of 156 MB/s", func(m *Model) *int64 { return &m.InnerRate }},
		{"track_seek", "ns", ms, 0, sixty, "From a track to the next, and from a head to the next; tracks are skewed by it.",
			recalled + "; 1.0 ms in Hitachi's specifications too", func(m *Model) *int64 { return &m.TrackSeek }},
		{"average_seek", "ns", 8500 * us, 0, sixty, "Mean over all pairs of cylinders.", barracuda + "; " + deskstar + " too", func(m *Model) *int64 { return &m.AverageSeek }},
		{"full_seek", "ns", 16 * ms, 0, sixty, "From the outermost cylinder to the innermost.",
			"assumed: 1.9 times the average, as published for other drives (Hitachi 7K320: 20 of 12 ms; IBM DDRS-39130: 15 of 7.5 ms)",
			func(m *Model) *int64 { return &m.FullSeek }},
		{"seek_knee", "thousandths", 200, 1, 999, "Share of the cylinders up to which a seek's time grows with the square root, and beyond which linearly.",
			"Ruemmler and Wilkes, An Introduction to Disk Drive Modeling, IEEE Computer 1994: 383 of 1962 cylinders (HP 97560)",
			func(m *Model) *int64 { return &m.SeekKnee }},
		{"write_settle", "ns", ms, 0, sixty, "What a seek before a write takes longer.", deskstar + ": 9.5 ms on average instead of 8.5",
			func(m *Model) *int64 { return &m.WriteSettle }},
		{"read_command", "ns", 100 * us, 0, sixty, "From a read's arrival until the drive acts.", "assumed", func(m *Model) *int64 { return &m.ReadCommand }},
		{"write_command", "ns", 100 * us, 0, sixty, "From a write's or a flush's arrival until the drive acts.", "assumed", func(m *Model) *int64 { return &m.WriteCommand }},
		{"interface", "bytes/s", 550 * mega, mega, 100 * giga, "Rate between kernel and the drive's memory.",
			"SATA 6 Gb/s with its overhead", func(m *Model) *int64 { return &m.Interface }},
		{"read_ahead", "bytes", 4 * mib, 0, 1 << 30, "What the drive reads on by itself behind the last read; 0 for none.",
			"assumed: two tracks, a 16th of its 64 MB", func(m *Model) *int64 { return &m.ReadAhead }},
		{"write_cache", "bytes", 16 * mib, 0, 1 << 40, "Written bytes that the drive holds in memory; 0 for write-through.",
			"assumed: a quarter of its 64 MB", func(m *Model) *int64 { return &m.WriteCache }},
		{"cache_idle", "ns", 2 * ms, 0, sixty, "Time without reads before the drive writes from its cache, unless that is full.",
			"assumed", func(m *Model) *int64 { return &m.CacheIdle }},
		{"destage", "bytes", mib, 4 * kib, 1 << 30, "Most that the drive writes from its cache in one go, while reads may come.",
			"assumed", func(m *Model) *int64 { return &m.DestageAtOnce }},
	}...)
}

// flashValues are the defaults in which ssd and nvme differ.
type flashValues struct {
	dies                    int64
	readDie, writeDie       int64
	readRate, writeRate     int64
	readCommand, writeEvery int64
	flush                   int64
	sheet, diesFrom         string
	flushFrom               string
}

func flashTable(v flashValues) []Parameter {
	return []Parameter{
		{"dies", "dies", v.dies, 1, 4096, "Parts of the flash that work at once.", v.diesFrom, func(m *Model) *int64 { return &m.Dies }},
		{"stripe", "bytes", 16 * kib, 4 * kib, 1 << 30, "Contiguous bytes on one die before the next.", "assumed: a page of flash", func(m *Model) *int64 { return &m.Stripe }},
		{"read_die", "ns", v.readDie, 0, sixty, "What a die needs to read a stripe or part of it.",
			v.sheet + ": random reads at depth 1, less command and transfer", func(m *Model) *int64 { return &m.ReadDie }},
		{"write_die", "ns", v.writeDie, 0, sixty, "What a die's buffer needs to take a stripe or part of it.",
			v.sheet + ": random writes at depth 1, less command and transfer", func(m *Model) *int64 { return &m.WriteDie }},
		{"read_rate", "bytes/s", v.readRate, mega, 1000 * giga, "Rate of long reads.", v.sheet, func(m *Model) *int64 { return &m.ReadRate }},
		{"write_rate", "bytes/s", v.writeRate, mega, 1000 * giga, "Rate of long writes.", v.sheet, func(m *Model) *int64 { return &m.WriteRate }},
		{"read_command", "ns", v.readCommand, 0, sixty, "What the controller needs for a read before it can take the next request.",
			v.sheet + ": one by the random reads a second at depth 32", func(m *Model) *int64 { return &m.ReadCommand }},
		{"write_command", "ns", v.writeEvery, 0, sixty, "The same for a write or a flush.",
			v.sheet + ": one by the random writes a second at depth 32", func(m *Model) *int64 { return &m.WriteCommand }},
		{"flush_time", "ns", v.flush, 0, sixty, "Making durable what was written; 0 where capacitors protect it.",
			v.flushFrom, func(m *Model) *int64 { return &m.FlushTime }},
	}
}

func ssdTable() []Parameter {
	return append(append(blockLayer(1, 32, 64, "SATA's NCQ"), elevator()...), flashTable(flashValues{
		dies: 16, readDie: 59400, writeDie: 8700, readRate: 560 * mega, writeRate: 530 * mega,
		readCommand: 10200, writeEvery: 11360, flush: 1500 * us, sheet: evo870,
		diesFrom:  "eight channels (KitGuru, review of the 870 EVO) of two dies each (assumed)",
		flushFrom: "assumed: consumer drives make 500 to 1000 writes with fsync a second (igene.tw, Choosing an SSD for Ceph)",
	})...)
}

func nvmeTable() []Parameter {
	return append(blockLayer(8, 1023, 1023, "Linux, drivers/nvme/host/pci.c: io_queue_depth of 1024, a queue a CPU; 8 assumed"), flashTable(flashValues{
		dies: 64, readDie: 49800, writeDie: 13600, readRate: 3500 * mega, writeRate: 3300 * mega,
		readCommand: 1667, writeEvery: 1818, flush: ms, sheet: evo970,
		diesFrom:  "32 dies of 256 Gbit with two planes each",
		flushFrom: "M. Callaghan, SSDs, power loss protection and fsync latency, 2026: 0.9 ms (Samsung 990 Pro, fsync of 16 KiB)",
	})...)
}

// tables are the parameters of each medium, in the order in which they are told.
var tables = [media][]Parameter{HDD: hddTable(), SSD: ssdTable(), NVMe: nvmeTable()}

// List describes the parameters of a medium.
func List(medium Medium) []Parameter { return append([]Parameter(nil), tables[medium]...) }

// Find is a medium's parameter of that name.
func Find(medium Medium, name string) (Parameter, error) {
	names := make([]string, len(tables[medium]))
	for i, p := range tables[medium] {
		if p.Name == name {
			return p, nil
		}
		names[i] = p.Name
	}
	if best, near := nearest.Of(name, names); near {
		return Parameter{}, fmt.Errorf("unknown parameter %q of %v, did you mean %q?", name, medium, best)
	}
	return Parameter{}, fmt.Errorf("unknown parameter %q of %v", name, medium)
}

// Value is the parameter's value in m.
func (p Parameter) Value(m *Model) int64 { return *p.at(m) }

// Set sets the parameter of that name. Check says whether all fit together.
func (m *Model) Set(name string, v int64) error {
	p, err := Find(m.Medium, name)
	if err != nil {
		return err
	}
	if v < p.Min || v > p.Max {
		return fmt.Errorf("%s: %d %s is not between %d and %d", p.Name, v, p.Unit, p.Min, p.Max)
	}
	*p.at(m) = v
	return nil
}
