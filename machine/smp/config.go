package smp

import (
	"math/rand/v2"

	"mbsim/machine/cost"
	"mbsim/machine/device"
)

// Config is what a Machine is made of.
type Config struct {
	CPUs      int
	BlockSize int64 // bytes of a file-system block
	Costs     cost.Model
	// Device serves bitmap reads, writeback and the journal; nil for Link.
	Device *device.Device
	Link   Link
	// Jitter, if not nil, draws each cost from around the given one, as on a
	// machine where other things happen.
	Jitter            *rand.Rand
	Stall, StallEvery int64 // ns: mean length of a stall, and of the work between two, with Jitter
	// JournalBlock is where the journal lies on Device, and JournalBlocks how long it
	// is there.
	JournalBlock  uint64
	JournalBlocks int64
}

// Link is a device of which nothing is known but these times, ns. It does one
// thing after the other.
type Link struct {
	Latency int64 // from sending to completion
	Page    int64 // of 4096 bytes
	Commit  int64 // writing and flushing a transaction
	Bitmap  int64 // reading a block bitmap
}

// Emulated is the oracle's virtual machine: QEMU's software emulation (TCG), whose
// virtual CPUs share two real ones, with a disk in the host's memory. The costs
// are estimates; what is held against recordings is no time but the spread of
// counters over seeds.
func Emulated(cpus int, jitter *rand.Rand) Config {
	return Config{
		CPUs: cpus, BlockSize: 4096,
		Costs: cost.Model{
			Syscall: 4_000, CopyPage: 1_500, Lock: 200, ExtentExamined: 30, ExtentTree: 15_000, SubmitPage: 2_500,
		},
		Link:   Link{Latency: 120_000, Page: 1_500, Commit: 900_000, Bitmap: 150_000},
		Jitter: jitter, Stall: 5_000_000, StallEvery: 1_000_000,
	}
}
