package reports

import (
	"fmt"
	"math"
	"slices"
)

// Sentences on runs in which work takes time.

// speedWords says how many operations a second were performed.
func speedWords(r *Run) string {
	line := chartLine{per: "time_s", over: []string{"ops"}}
	mean, ok := line.final(r.Result)
	if !ok {
		return "No time has passed."
	}
	at, most := worst(r, &line)
	s := fmt.Sprintf("%s operations a second in the mean of the whole run", few(math.Round(mean*10)/10))
	if most > mean*1.05 {
		s += fmt.Sprintf("; around %s it was %s", r.when(at), few(math.Round(most*10)/10))
	}
	return s + "."
}

// waitWords says what processes waited for most.
func waitWords(r *Run) string {
	type wait struct {
		what string
		s    float64
	}
	// The waits that happened, and their sum.
	var all []wait
	sum := 0.
	for _, w := range waits {
		v := r.final("wait_" + w.name + "_s")
		sum += v
		if v > 0 {
			all = append(all, wait{w.what, v})
		}
	}
	if sum == 0 {
		return "No process had to wait for another, nor for the device."
	}
	// The three longest.
	slices.SortStableFunc(all, func(a, b wait) int { return compareFloats(b.s, a.s) })
	var parts []string
	for _, w := range all[:min(3, len(all))] {
		parts = append(parts, fmt.Sprintf("%s of it for %s", share(w.s, sum), w.what))
	}
	return fmt.Sprintf("Processes waited %s s in all, each on its own: %s.", few(sum), joinWords(parts))
}

// latencyWords says how long the slowest of each hundred calls took, in the measured phases
// where there are any.
func latencyWords(r *Run) string {
	var parts []string
	for _, w := range []struct{ name, what string }{{"fsync", "fsyncs"}, {"write", "writes"}, {"create", "creations"}, {"allocation", "allocations"}} {
		if v, err := r.Result.Stat("latency_"+w.name+"_p99_us", "last"); err == nil {
			parts = append(parts, fmt.Sprintf("99%% of %s took at most %s", w.what, microseconds(v)))
		}
	}
	if len(parts) == 0 {
		return "No call was timed."
	}
	when := "In the whole run "
	if r.Result.Measured != nil {
		when = "In what is measured "
	}
	return when + joinWords(parts) + "."
}

// microseconds is a time as people read it.
func microseconds(v float64) string {
	switch {
	case v < 1e3:
		return few(v) + " µs"
	case v < 1e6:
		return few(v/1e3) + " ms"
	}
	return few(v/1e6) + " s"
}

// deviceWords says how busy the device was.
func deviceWords(r *Run) string {
	busy, ok := (&chartLine{per: "time_s", over: []string{"device_busy_s"}}).final(r.Result)
	if !ok {
		return "No time has passed."
	}
	return fmt.Sprintf("The device was busy for %s of the time; %s were read from it and %s written to it.", share(busy, 1),
		amount(r.final("device_bytes_read"), "bytes"), amount(r.final("device_bytes_written"), "bytes"))
}
