// Package compare says which of two settings is better, by how much, and how sure
// one can be: for people as text and Markdown, for programs as CSV, JSON and Go's
// benchmark format, which benchstat reads.
//
// A Side is a group of runs of one setting: a run's folder, a folder of such
// folders, or a setting of a study. Pair compares two of them; Settings compares
// all settings of a study with its baseline.
//
// # What is warned of
//
// Two sides may differ in more than was asked: their resolved scenarios are
// compared key by key, and every difference that no --set and no variant asked for
// is named. So are different versions of the code, runs without partner, and
// differences so far from normal that the t test should not be believed.
//
// # Words
//
// better and worse are by the registry's direction of the metric, higher and lower
// where it has none. ~ means no evidence: the 95% interval of the paired difference
// holds zero, or there are fewer than three pairs. A ? behind a word means evidence
// in this comparison alone, but not after Holm's correction for all that are looked
// at together.
//
// # Units
//
// A difference is in per cent of the first side's mean; of a share in percentage
// points (pp).
//
// Read next: study, where the runs come from; study/stats.
package compare
