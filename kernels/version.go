package kernels

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// version is a kernel's release as numbers: a series such as 6.18, and the stable release. It
// is the only thing here by which kernels are compared.
type version struct{ major, minor, stable int }

// compareSeries compares two versions but for their stable releases.
func (v version) compareSeries(w version) int {
	return cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor))
}

// releaseForm is a release as uname -r prints it, such as 6.1.0-50-amd64. Numbers that no
// kernel will have are none.
var releaseForm = regexp.MustCompile(`^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,6}))?(?:[^\d.\s]\S*)?$`)

// parseRelease reads a release. The suffix is what follows the numbers, without the sign
// that separates it.
func parseRelease(release string) (v version, suffix string, err error) {
	m := releaseForm.FindStringSubmatch(release)
	if m == nil {
		return v, "", fmt.Errorf("%q is no release of Linux: want one such as 6.1.2-name", release)
	}
	for i, n := range []*int{&v.major, &v.minor, &v.stable} {
		*n, _ = strconv.Atoi(m[i+1]) // digits, or empty and 0
	}
	suffix = strings.TrimLeft(release, "0123456789.")
	return v, strings.TrimLeft(suffix, "-+~"), nil
}

// takeover is that a stable series took a change over.
type takeover struct {
	at    version // the release from which on it has it; 0 where only the series is known
	later bool    // so did all later series that lived long enough
}

// takeoverForm is what the text of a change says of one series.
var takeoverForm = regexp.MustCompile(`(\d+\.\d+(?:\.\d+)?)( and later)?`)

// parseStable reads what a change says of stable releases, such as "6.1.105, 6.6".
func parseStable(text string) (all []takeover) {
	for _, m := range takeoverForm.FindAllStringSubmatch(text, -1) {
		// A number that is no release does not match.
		at, _, err := parseRelease(m[1])
		if err == nil {
			all = append(all, takeover{at, m[2] != ""})
		}
	}
	return all
}
