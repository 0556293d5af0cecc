package run

import (
	"reflect"
	"testing"
)

// Replications differ from each other, and a setting does not change what a
// replication draws: that is what makes paired comparisons work.
func TestReplications(t *testing.T) {
	play := func(replication int, sets ...string) *Outcome {
		return playScenario(t, load(t, small, sets...), Options{Replication: replication, Record: true})
	}
	seen := make(map[uint64]bool)
	for r := range 3 {
		a, again, other := play(r), play(r), play(r, "s_mb_stream_request=1")
		if digest(a) != digest(again) {
			t.Errorf("replication %d is not the same twice", r)
		}
		if seen[a.Fingerprint] {
			t.Errorf("replication %d is one of those before", r)
		}
		seen[a.Fingerprint] = true
		if !reflect.DeepEqual(a.Ops, other.Ops) {
			t.Errorf("replication %d: a tunable changed the operations", r)
		}
		if digest(a) == digest(other) {
			t.Errorf("replication %d: the tunable changed nothing", r)
		}
	}
	if digest(play(0)) != digest(playScenario(t, load(t, small), Options{Record: true})) {
		t.Error("replication 0 is not the run without replications")
	}
	if a, b := play(1, "seed=2"), play(2, "seed=1"); digest(a) == digest(b) {
		t.Error("seed 2, replication 1 is seed 1, replication 2")
	}
}

// Of ext2, what the kernel draws at random differs from replication to
// replication too.
func TestReplicationsExt2(t *testing.T) {
	ext2 := func(replication int) string {
		return digest(playScenario(t, load(t, small, "profile=ext2", "workload.classes.writers.mix={create: 1}"), Options{Replication: replication}))
	}
	first, second, again := ext2(1), ext2(2), ext2(2)
	if first == second || second != again {
		t.Error("replications of ext2")
	}
}
