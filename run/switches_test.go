package run

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"mbsim/kernels"
	"mbsim/scenarios"
)

// switchScenarios are small runs that reach most of what changes act in: groups on lists, and
// clusters with stripes.
var switchScenarios = map[string]string{
	"groups": `
device: {mkfs: {size: 4G}}
cpus: 2
workload:
  classes:
    - {name: a, count: 2, mix: {create: 5, delete: 2, append: 3}, file_size: {lognormal: {median: 100K, sigma: 2, min: 1, max: 64M}}, append_size: {uniform: {min: 1K, max: 200K}}, fsync_on_close: 20%}
stop: {operations: 300}`,
	"clusters": `
device: {mkfs: {size: 2G, features: [bigalloc], stride: 16, stripe_width: 64}}
cpus: 2
workload:
  classes:
    - {name: a, count: 2, mix: {create: 5, delete: 2}, file_size: {lognormal: {median: 300K, sigma: 2, min: 1, max: 64M}}}
stop: {operations: 150}`,
}

// TestSingleSwitches: each change alone can be put into every kernel, with what it needs, and
// taken out of it, with what needs it: the file system mounts, works and is whole in the end.
func TestSingleSwitches(t *testing.T) {
	for _, name := range kernels.Names() {
		base := kernels.Profile{Kernel: name}
		if base.Base() == "" {
			continue
		}
		for _, c := range kernels.Changes() {
			p, _ := base.Switch(c.Name, !c.In(name))
			for what, text := range switchScenarios {
				t.Run(fmt.Sprintf("%s/%s", p, what), func(t *testing.T) {
					t.Parallel()
					s, err := scenarios.Parse([]byte(text), "in.yaml", scenarios.Options{Sets: []string{"profile=" + p.String()}})
					if err != nil {
						t.Fatal(err)
					}
					if s.Profile != p.String() || !strings.Contains(string(s.Resolved()), "\nprofile: ") {
						t.Errorf("the profile is %s", s.Profile)
					}
					if _, err := Run(context.Background(), s, Options{Check: CheckEnd}); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}
