// Package study performs many runs of one scenario: its settings, each several
// times, so that settings can be compared. It plans the runs, lets an Executor
// perform them, keeps what they came to, and merges it.
//
//	p, err := study.NewPlan("small-files", study.Options{Sets: []string{"s_mb_order2_reqs=0..9"}, Replications: 5, Version: v})
//	s, err := study.Open("out/orders", p) // locks the folder, finds what is finished
//	err = s.Run(ctx, &study.Pool{Jobs: 4}, nil)
//	r, err := s.Write() // study.json, study.csv
//
// # Settings and replications
//
// A Setting is a scenario with some keys set. Replication r of every setting
// draws the same random numbers (sim.Streams of the scenario's seed and r), so
// that differences between settings are paired by replication and the luck of the
// draw cancels.
//
// # Files of a study's folder
//
//	plan.json     what is to be run: every setting's scenario, resolved
//	runs.ndjson   a line a finished run, appended and synced to disk
//	shards/       the same, of shards that other machines ran
//	study.json    all runs of the plan and their statistics, sorted
//	study.csv     a line a run, likewise
//	report.html   tables and plots for people, in one file
//	.mbsim.lock   while somebody writes into the folder
//
// # Invariants
//
// A run's id is a hash of its scenario's digest, seed, replication and the code's
// version. A run whose id is in runs.ndjson is never repeated; a line is there
// whole, or it is the last one and is dropped. study.json, study.csv and
// report.html depend on the plan and the code alone: not on how many runs went on at
// a time, on who performed them, on their order, or on interruptions.
//
// # Shards
//
// Shard I of N performs the runs of plan.json whose number leaves the remainder I,
// skips those that are finished, and writes a file of its own into shards/ under
// a temporary name that is renamed at the end. Two shards, or one shard twice at
// once, never write the same file. Import (mbsim merge) adds what shards have
// written to runs.ndjson, as often as one likes.
//
// # What was changed is refused
//
// Each line of runs.ndjson and of a shard's file, plan.json and study.json end with a
// checksum of what is before it. A line knows its number, and its id is worked out
// again from its fields. study.json must be, byte for byte, what plan.json and
// runs.ndjson come to. Only a last line without its end is what a killed process
// leaves, and is dropped. Schema 1, which had no checksums, is refused: its runs are
// performed again in another folder.
//
// # Not modelled
//
// Trust in the clock: how long runs took decides nothing but estimates.
//
// Read next: study/stats, the statistics; study/compare, tables for people;
// study/slurm, an Executor for clusters; scenarios, where a sweep is read.
package study
