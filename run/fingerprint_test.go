package run

import (
	"fmt"
	"testing"
)

// Runs whose events, results and free space are the same differ in their fingerprints if
// files lie elsewhere.
func TestFingerprintCoversPlaces(t *testing.T) {
	play := func(profile, first, second string, sets ...string) *Outcome {
		text := fmt.Sprintf(`
device: {mkfs: {size: 64M}}
workload:
  script: |
    creat a a
    write a 0 40960
    creat b b
    write b 0 40960
    fsync %s
    fsync %s
    close a
    close b
`, first, second)
		return playScenario(t, load(t, text, append(sets, "profile="+profile)...), Options{})
	}
	for _, c := range []struct {
		what       string
		run, other *Outcome
	}{
		{"files that change places", play("5.10", "a", "b"), play("5.10", "b", "a")},
		{"other windows", play("ext2", "a", "b", "mount=reservation"), play("ext2", "a", "b", "mount=noreservation")},
	} {
		a, b := c.run, c.other
		if a.Events != b.Events || a.Result.End != b.Result.End {
			t.Fatalf("%s: %d events in %d ns, and %d in %d ns", c.what, a.Events, a.Result.End, b.Events, b.Result.End)
		}
		if string(a.Groups) != string(b.Groups) {
			t.Fatalf("%s: other groups are free:\n%s\n%s", c.what, a.Groups, b.Groups)
		}
		if a.Fingerprint == b.Fingerprint {
			t.Errorf("%s: the same fingerprint", c.what)
		}
	}
	if a, b := play("5.10", "a", "b").Fingerprint, play("5.10", "a", "b").Fingerprint; a != b {
		t.Errorf("the same run: fingerprint %x, then %x", a, b)
	}
}
