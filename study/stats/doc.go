// Package stats is the statistics of comparing two settings: means with
// confidence intervals, the paired t test, Welch's for samples that nothing
// pairs, the permutation of signs, and Holm's correction for many comparisons.
//
// # Why pairing
//
// Replications of two settings share their random streams, so that most of what
// varies between seeds varies alike in both and cancels in the difference. With
// ten replications, 20% noise between seeds and a true effect of 2%, an unpaired
// test sees nothing (p = 0.7) where the paired one is sure (p = 0.002).
//
// # Invariants
//
// The order of the pairs does not matter but for rounding. Nothing is random: the
// permutation of many pairs draws from a stream of its own with a fixed key.
//
// # Checked against scipy
//
// testdata/scipy.json holds numbers and what scipy makes of them;
// testdata/make_scipy_json.py made it.
//
// # Not modelled
//
// Samples that are not near normal: the permutation test is there to notice that
// the t test misleads. The sequential stopping of a study makes its intervals a
// little too narrow.
//
// Read next: study, whose replications these are.
package stats
