package stats

import (
	"cmp"
	"slices"
)

// Holm adjusts the p values of a family of comparisons, so that the chance of
// any false one among those below a level stays below that level (Holm 1979;
// statsmodels' multipletests with method='holm'). Each result belongs to the p at
// its place.
func Holm(p []float64) []float64 {
	// From the smallest p on: it is multiplied by how many have not been rejected yet, and no
	// adjusted one is below that of a smaller p.
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	out := make([]float64, len(p))
	least := 0.0
	for rank, i := range order {
		least = max(least, min(1, p[i]*float64(len(p)-rank)))
		out[i] = least
	}
	return out
}
