package metrics

import (
	"testing"

	"pgregory.net/rapid"
)

func times(l *timeline[int]) (out []int64) {
	for _, s := range l.samples {
		out = append(out, s.time)
	}
	return out
}

func TestTimelineStaysEven(t *testing.T) {
	l := timeline[int]{limit: 10}
	for now := int64(0); now <= 10000; now++ {
		if l.due(now) {
			l.add(now, int(now), false)
		}
	}
	got := times(&l)
	if len(got) < 5 || len(got) > 10 || got[0] != 0 {
		t.Fatalf("%v", got)
	}
	for i := 2; i < len(got); i++ {
		if got[i]-got[i-1] > 2*l.gap || got[i]-got[i-1] < l.gap && i < len(got)-1 {
			t.Errorf("%v, gap %d", got, l.gap)
		}
	}
}

func TestTimelinePins(t *testing.T) {
	l := timeline[int]{limit: 4}
	for now := int64(0); now < 1000; now += 3 {
		pin := now%300 == 0
		if pin || l.due(now) {
			l.add(now, 1, pin)
		}
	}
	l.add(1000, 1, true)
	l.add(1000, 2, false) // replaces
	l.add(999, 3, true)   // comes too late
	last := l.samples[len(l.samples)-1]
	if last != (sample[int]{1000, true, 2}) {
		t.Errorf("last %+v", last)
	}
	pins := 0
	for _, s := range l.samples {
		if s.pinned {
			pins++
		}
	}
	if pins != 5 || l.pinned != 5 || len(l.samples) > 9 {
		t.Errorf("%v: %d pinned, %d counted", times(&l), pins, l.pinned)
	}
}

// Whatever the times: the first and the last offered are kept, times increase,
// and no more are kept than the limit and the pinned ones.
func TestTimelineProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := timeline[int]{limit: rapid.IntRange(3, 20).Draw(t, "limit")}
		now, pins := int64(0), 0
		for range rapid.IntRange(1, 300).Draw(t, "samples") {
			pin := rapid.IntRange(0, 20).Draw(t, "pin") == 0
			if pin || l.due(now) {
				if n := len(l.samples); pin && (n == 0 || l.samples[n-1].time != now || !l.samples[n-1].pinned) {
					pins++
				}
				l.add(now, 0, pin)
				if l.samples[len(l.samples)-1].time != now {
					t.Fatalf("the sample at %d is gone: %v", now, times(&l))
				}
			}
			now += rapid.Int64Range(0, 1e9).Draw(t, "step")
		}
		got := times(&l)
		for i := 1; i < len(got); i++ {
			if got[i] <= got[i-1] {
				t.Fatalf("%v", got)
			}
		}
		if got[0] != 0 || len(got) > l.limit+pins || l.pinned != pins {
			t.Fatalf("%d samples of at most %d and %d pinned (%d): %v", len(got), l.limit, pins, l.pinned, got)
		}
	})
}
