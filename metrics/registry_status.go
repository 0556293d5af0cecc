package metrics

import "mbsim/filesystem"

// statusMetric is a figure of the extent status trees.
type statusMetric struct {
	Metric
	get func(*filesystem.StatusTree) float64
}

func es(name, unit string, better Better, kind Kind, source, doc string, get func(*filesystem.StatusTree) float64) statusMetric {
	return statusMetric{Metric{Name: "es_" + name, Unit: unit, Better: better, Kind: kind, Group: groupStatus, Source: "es_shrinker_info: " + source, Doc: doc}, get}
}

var statusTable = []statusMetric{
	es("cache_hits", "lookups", Neither, Counter, "cache hits (es_stats_cache_hits)",
		"Lookups of a file's block that found it in memory, mapped, delayed or a hole.",
		func(s *filesystem.StatusTree) float64 { return float64(s.Hits) }),
	es("cache_misses", "lookups", Neither, Counter, "cache misses (es_stats_cache_misses)",
		"Lookups that had to go to the extent tree or the indirect blocks.",
		func(s *filesystem.StatusTree) float64 { return float64(s.Misses) }),
	es("extents", "extents", Lower, Gauge, "objects (es_stats_all_cnt)",
		"Ranges of blocks of all files that are remembered in memory.",
		func(s *filesystem.StatusTree) float64 { return float64(s.Extents) }),
}

// countStatus puts the figures of the status trees into r.
func countStatus(s filesystem.StatusTree, r Row) {
	for i := range statusTable {
		r[statusFirst+ID(i)] = statusTable[i].get(&s)
	}
}
