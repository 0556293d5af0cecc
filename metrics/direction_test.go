package metrics

import "testing"

// A raw count follows how much was done: more or less of it is better for nobody. Only what
// is divided by something, or is a state or a time of one call, has a direction.
func TestCountersHaveNoDirection(t *testing.T) {
	for i := range registry {
		if m := &registry[i]; m.Kind == Counter && m.Better != Neither {
			t.Errorf("%s is a counter, and better when %v", m.Name, m.Better)
		}
	}
}
