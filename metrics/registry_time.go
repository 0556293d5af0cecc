package metrics

import "mbsim/machine/latency"

// The metrics of runs in which work takes time. Whoever runs the clock puts them
// into rows by name (Config.Time).
var timeTable = func() []Metric {
	counter := func(name, unit string, better Better, doc string) Metric {
		return Metric{Name: name, Unit: unit, Better: better, Kind: Counter, Group: groupTime, Source: fromSimulator, Doc: doc}
	}
	gauge := func(name, unit string, better Better, doc string) Metric {
		return Metric{Name: name, Unit: unit, Better: better, Kind: Gauge, Group: groupTime, Source: fromSimulator, Doc: doc}
	}
	span := func(name, unit string, better Better, doc string) Metric {
		return Metric{Name: name, Unit: unit, Better: better, Kind: Span, Group: groupTime, Source: fromSimulator, Doc: doc}
	}
	all := []Metric{
		counter("time_s", "s", Neither, "Simulated time that has passed."),
		counter("cpu_busy_s", "s", Neither, "Time that CPUs worked, over all CPUs."),
	}
	for _, w := range []struct{ name, doc string }{
		{"group_lock", "spun for a block group's lock"}, {"stream_lock", "spun for the lock of the stream goal (s_md_lock)"},
		{"locality_group", "waited for a locality group's mutex (lg_mutex)"}, {"inode_lock", "waited for an inode's lock"},
		{"bitmap", "waited for a block bitmap from the device"}, {"io", "waited for data to or from the device"},
		{"commit", "waited for a commit of the journal"},
	} {
		all = append(all,
			counter("waits_"+w.name, "waits", Neither, "How often processes "+w.doc+"."),
			counter("wait_"+w.name+"_s", "s", Neither, "Time that processes "+w.doc+", over all processes."))
	}
	all = append(all,
		counter("device_reads", "requests", Neither, "Read requests submitted to the device."),
		counter("device_writes", "requests", Neither, "Write requests submitted to the device."),
		counter("device_flushes", "requests", Neither, "Flushes of the device's cache."),
		counter("device_bytes_read", "bytes", Neither, "Bytes read from the device."),
		counter("device_bytes_written", "bytes", Neither, "Bytes written to the device."),
		counter("device_seeks", "commands", Neither, "Commands of the device that did not begin where the one before ended."),
		counter("device_busy_s", "s", Neither, "Time in which the device had something to do."),
	)
	// In this order: putLatencies counts on it.
	for op := range latency.Ops {
		what := "system calls " + op.String()
		if op == latency.Allocation {
			what = "calls of the block allocator"
		}
		stall := ""
		if op == latency.Write {
			stall = ": the worst stall of one write, waiting included"
		}
		all = append(all,
			span("latency_"+op.String()+"_p50_us", "us", Lower, "Half of the "+what+" took at most this long."),
			span("latency_"+op.String()+"_p99_us", "us", Lower, "99% of the "+what+" took at most this long."),
			span("latency_"+op.String()+"_max_us", "us", Lower, "The longest of the "+what+stall+"."))
	}
	return append(all,
		gauge("read_back_s", "s", Lower, "Time that reading all files at the end takes, one after the other by path, from a device that does nothing else."),
		gauge("read_back_rate", "bytes/s", Higher, "Rate of that."))
}()

var timeRatios = []Metric{
	{Name: "ops_per_s", Unit: "operations/s", Better: Higher, Kind: Ratio, Group: groupTime, Source: fromSimulator,
		Doc: "Operations performed for each simulated second.", over: []string{"ops"}, per: []string{"time_s"}},
	{Name: "write_rate", Unit: "bytes/s", Better: Higher, Kind: Ratio, Group: groupTime, Source: fromSimulator,
		Doc: "Bytes that write operations wrote for each simulated second.", over: []string{"bytes_written"}, per: []string{"time_s"}},
	{Name: "write_amplification", Unit: "ratio", Better: Lower, Kind: Ratio, Group: groupTime, Source: fromSimulator,
		Doc:  "Bytes written to the device, those of the journal included, for each byte that operations wrote: below 1 where data goes before it is written back.",
		over: []string{"device_bytes_written"}, per: []string{"bytes_written"}},
	{Name: "cpus_busy", Unit: "CPUs", Better: Lower, Kind: Ratio, Group: groupTime, Source: fromSimulator,
		Doc: "CPUs that worked, on average.", over: []string{"cpu_busy_s"}, per: []string{"time_s"}},
	{Name: "device_use", Unit: "share", Better: Neither, Kind: Ratio, Group: groupTime, Source: fromSimulator,
		Doc: "Share of the time in which the device had something to do.", over: []string{"device_busy_s"}, per: []string{"time_s"}},
}
