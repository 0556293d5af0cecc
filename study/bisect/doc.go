// Package bisect asks which of the changes between two kernels makes a difference. It says
// which profiles to run, as settings of a study, and compares what they came to.
//
//	b, err := bisect.New("6.1", "7.2")
//	p, err := study.NewPlan(name, study.Options{Sets: []string{b.Set()}, Alone: true, ...})
//	f, err := b.Find(result, "extents_per_file_mean")
//
// Each change in which the kernels differ is looked at three times: put alone into the older
// kernel, with what it needs; taken alone out of the newer one, with what needs it; and on the
// way from the older to the newer, in the order in which mainline got the changes, one after
// the other. The steps of the way add up to the whole difference; the two others say whether
// a change does the same in other company.
//
// A change that the older kernel has and the newer one lacks, as when one was taken into a
// stable release only, is switched the other way round. On the way such changes come last.
//
// # Units
//
// Effects are of study.Compare: paired by replication, of the metric's unit, and always what
// the step from the older to the newer state of the change does.
//
// Read next: study/compare, which writes what was found for people; kernels, for profiles.
package bisect
