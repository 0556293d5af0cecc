// Package slurm lets a Slurm cluster perform a study: the runs become shards (mbsim
// shard), the shards the tasks of a job array.
//
// # The contract
//
// All nodes see the study's folder and the mbsim program under the same paths. A
// task writes its records into a file of its own, one by one and synced; so a task
// that is cancelled, or whose node dies, loses at most the run it was at. When the
// array has come to its end, whatever it is (afterany, in Slurm's words: with
// afterok one failed task would leave the merge waiting for ever), the records are
// merged, and shards that still lack runs are submitted again, a bounded number of
// times.
//
// slurm.json in the study's folder names the job while it is there. If the process
// that follows it dies, the job goes on, and the same command follows it again.
// An interrupt (Ctrl-C) cancels the job.
//
// # Slurm's ways
//
// An index of an array is below MaxArraySize (scontrol show config). A task costs
// about half a second whatever it does, so a shard is given a minute of runs or
// more, if there are estimates. squeue knows a job only until MinJobAge after its
// end; a job it does not know has ended. A controller that does not answer is asked
// again for a while. There is no sacct without a database, so exit codes are not
// looked at: what counts is which runs are there.
//
// # Not modelled
//
// Limits of memory and time, partitions, accounts: Args are passed to sbatch.
//
// Read next: study, whose Executor this is.
package slurm
