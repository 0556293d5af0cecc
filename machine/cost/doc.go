// Package cost says what CPU time the kernel's work takes: one named constant for
// each kind of work, with unit, default and where the default comes from, which a
// scenario sets under costs: and whoever simulates CPUs charges.
//
//	m := cost.Default()
//	err := m.Set("extent_examined", 120)
//	p.Wait(m.Search(considered, scanned, examined))
//
// # Units
//
// All costs are nanoseconds of CPU time for one of what the name says. They do
// not include waiting: for locks that others hold, for devices (machine/device), or
// for a CPU.
//
// # Where the defaults come from
//
// The defaults were measured, by measure/measure.sh, on the ext4 of Linux 6.18.44
// itself: a file system on a loop device in memory, in a KVM guest with two CPUs
// of an AMD EPYC of Zen 4 at 2.6 GHz (family 25, model 17), with mitigations as
// the kernel chooses them. The kernel's functions were timed by sampling the CPU
// clock 4000 times a second; the counters of mb_stats say how often they ran.
// Others worked on the machine meanwhile: a default is the least of five runs,
// rounded to two digits. The runs differ by up to a half. The benchmarks of this package do
// the same kind of work in Go and come to the same size.
//
// What matters to a study is rather how costs relate than how large they are:
// another CPU is another factor on all of them.
//
// The oracle's recordings ran under QEMU's software emulation: their
// buddies_time_used, 0.4 to 0.9 ms a run, most of it for the first group, says
// nothing about any of this.
//
// # Not modelled
//
// Caches: the first touch of a group's data costs what the second does. How many
// orders of a buddy a range splits or merges (BenchmarkTake: about 10 ns each): every
// range costs the same buddy_update. What differs between kernel versions: all have
// the costs of 6.18. NUMA.
//
// Read next: machine/device, for what devices take.
package cost
