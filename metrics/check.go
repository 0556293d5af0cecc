package metrics

import "fmt"

// maxValue is more than any metric can be: counts have 64 bits.
const maxValue = 1 << 64

// Check says whether v may be the value of the metric of this name: the metric is
// known, and the value is a number of 0 to 2^64, since metrics are counts, times, and
// quotients of these. Whoever reads results calls it, so that those who use them need
// not.
func Check(name string, v float64) error {
	if _, err := Find(name); err != nil {
		return err
	}
	if !(v >= 0 && v <= maxValue) {
		return fmt.Errorf("%s is %v: want a number of 0 to 2^64", name, v)
	}
	return nil
}
