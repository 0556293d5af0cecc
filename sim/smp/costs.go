package smp

// Costs are the times that work takes, ns.
type Costs struct {
	Syscall       int64 // a system call's way in and out
	CopyPage      int64 // 4096 bytes between a process and the page cache
	LockGroup     int64 // taking and dropping a group lock, with the look at the group below it
	Extent        int64 // a free extent examined, or the buddy marked, below the group lock
	StreamGoal    int64 // passing the stream goal's lock
	BeforeBest    int64 // from the end of a search to the lock of the group of the best
	Map           int64 // a pass of writeback: journal handle, tree, status tree
	SubmitPage    int64 // a page made ready and sent to the device
	ReadBitmap    int64 // a block bitmap from the device
	DeviceLatency int64 // from sending to completion, on an idle device
	DevicePage    int64 // 4096 bytes on the device
	Commit        int64 // writing and flushing a transaction
	Stall         int64 // mean length of a stall, where costs jitter
	StallEvery    int64 // mean work between two stalls
}

// Emulated are the costs of the oracle's virtual machine: QEMU's software
// emulation (TCG) with a disk in memory. They are estimates; what is held against
// recordings is not a time but the spread of counters over seeds.
var Emulated = Costs{
	Syscall: 4_000, CopyPage: 1_500, LockGroup: 200, Extent: 30, StreamGoal: 50, BeforeBest: 50,
	Map: 15_000, SubmitPage: 2_500, ReadBitmap: 150_000,
	DeviceLatency: 120_000, DevicePage: 1_500, Commit: 900_000,
	Stall: 5_000_000, StallEvery: 1_000_000,
}
