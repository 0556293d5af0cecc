package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Confidence is that of every interval here.
const Confidence = 0.95

// Mean is a sample's mean and how sure it is.
type Mean struct {
	N     int
	Value float64
	SD    float64 // standard deviation, NaN for fewer than two values
	Half  float64 // half the width of the confidence interval, NaN likewise
}

// MeanOf is the mean of x with the interval of Student's t.
func MeanOf(x []float64) Mean {
	m := Mean{N: len(x), Value: mean(x), SD: math.NaN(), Half: math.NaN()}
	if len(x) > 1 {
		m.SD = math.Sqrt(variance(x, m.Value))
		m.Half = quantile(float64(len(x)-1)) * m.SD / math.Sqrt(float64(len(x)))
	}
	return m
}

// mean is the mean of x, NaN of nothing.
func mean(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	// Around the first value, so that equal values have exactly their own mean.
	sum := 0.0
	for _, v := range x {
		sum += v - x[0]
	}
	return x[0] + sum/float64(len(x))
}

// variance is that of a sample of at least two with mean m.
func variance(x []float64, m float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(x)-1)
}

// student is Student's distribution with df degrees of freedom.
func student(df float64) distuv.StudentsT { return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df} }

// quantile is how many standard errors the interval reaches to each side.
func quantile(df float64) float64 { return student(df).Quantile((1 + Confidence) / 2) }
