// Package sim is the discrete-event engine: a clock, a queue of events,
// processes written as straight code, and what processes wait for.
//
//	e := sim.New()
//	defer e.Close()
//	disk := e.NewResource("disk", 1)
//	e.Go("writer", func(p *sim.Process) {
//		for range 3 {
//			disk.Use(p, 5*sim.Millisecond)
//		}
//	})
//	e.Run(sim.Second)
//
// # Units
//
// Time is int64 nanoseconds of simulated time since the start of the run.
//
// # Order
//
// Events run by (time, priority, sequence): lower priorities first, and first
// in, first out where both are equal. Nothing else decides: the same calls give
// the same run, for any GOMAXPROCS. Only one event or process runs at any moment,
// so what they share needs no lock of Go.
//
// # Processes
//
// A Process is a coroutine. It runs until it waits: for time (Wait), for a unit
// of a Resource, for a Mutex, for another process (Join), or for whoever wakes it
// (Park, Queue). Waiting allocates nothing. Those who wait for the same thing get
// it in the order in which they asked, handed over directly: a newcomer cannot
// overtake. Where nothing else happens before a process's wait is over the clock
// moves on without a switch; the order of events is the same as with one.
//
// Close ends processes that have not finished: their deferred functions run,
// oldest process first, and no goroutine is left behind.
//
// # Random streams
//
// Each component draws from a stream of its own, Stream(seed, replication, name).
// A component that draws more or less often, because a tunable changed, moves no
// other component's draws.
//
// # Not modelled
//
// Preemption: a process gives way only where it waits. Read-write locks and
// priorities among those who wait.
//
// Read next: run, which plays a scenario on an Engine.
package sim
