package run

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"mbsim/workload"
)

// broken says whether a case failed: all errors but that it cannot start.
func broken(err error) bool { return err != nil && !errors.As(err, new(*StartError)) }

// checkRandom plays random cases of a policy, from seed first on. Of one that fails
// it prints a small one that does.
func checkRandom(t *testing.T, policy string, first uint64, cases int) {
	t.Helper()
	played, operations := 0, 0
	for seed := first; seed < first+uint64(cases); seed++ {
		c := randomTimed(seed, policy)
		err := runChecked(c.text())
		if errors.As(err, new(*StartError)) {
			t.Logf("seed %d: %v", seed, err)
			continue
		}
		played++
		operations += c.operations()
		if !broken(err) {
			continue
		}
		small := shrink(c, 400, func(c *randomCase) bool { return broken(runChecked(c.text())) })
		t.Errorf("%s, seed %d: %v\nshrunk: %v\n%s", policy, seed, firstLine(err), firstLine(runChecked(small.text())), small.text())
	}
	t.Logf("%s: %d cases of up to %d operations", policy, played, operations)
	if played < cases*3/4 {
		t.Errorf("only %d of %d cases could start", played, cases)
	}
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(fmt.Sprint(err), "\n")
	return line
}

// TestRandomTimed plays random cases under the check of the whole file system. By
// hand, with RANDOM_CASES=1000, more: RANDOM_SEED=first, RANDOM_POLICY=5.10 for others
// and ext4. RANDOM_CASE=file plays one case that was printed.
func TestRandomTimed(t *testing.T) {
	if name := os.Getenv("RANDOM_CASE"); name != "" {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := runChecked(string(text)); err != nil {
			t.Fatal(err)
		}
		return
	}
	number := func(name string, otherwise int) int {
		if text := os.Getenv(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		return otherwise
	}
	policy := "ext2"
	if p := os.Getenv("RANDOM_POLICY"); p != "" {
		policy = p
	}
	checkRandom(t, policy, uint64(number("RANDOM_SEED", 1)), number("RANDOM_CASES", 12))
}

// TestShrink: what is left of a case is what it fails for, and the same case comes
// out of its text.
func TestShrink(t *testing.T) {
	for _, c := range []struct {
		rounds bool
		fails  func(c *randomCase) bool
		want   int // operations
	}{
		// Two processes that write, one of them to what the other renames.
		{true, func(c *randomCase) bool {
			return strings.Contains(c.text(), "rename") && strings.Contains(c.text(), "write")
		}, 2},
		{false, func(c *randomCase) bool {
			return len(c.Workload.Phases) > 0 && c.Workload.Phases[0].Classes[0].Mix["append"] > 0 && c.Workload.Phases[0].Until.Operations > 30
		}, 50},
	} {
		tested := 0
		for seed := uint64(1); tested < 3; seed++ {
			big := randomTimed(seed, "5.10")
			if c.rounds != (len(big.Rounds) > 0) || big.operations() > 500 || !c.fails(big) {
				continue
			}
			tested++
			fails := func(x *randomCase) bool {
				for i := range x.Workload.Phases {
					if len(x.Workload.Phases[i].Classes) == 0 {
						return false
					}
				}
				return c.fails(x)
			}
			small := shrink(big, 2000, fails)
			if n := small.operations(); !c.fails(small) || n > c.want || small.CPUs != 1 || small.Timing != nil {
				t.Errorf("seed %d: %d operations on %d CPUs are left:\n%s", seed, n, small.CPUs, small.text())
			}
			again, err := parseCase(small.text())
			if err != nil || again.text() != small.text() {
				t.Errorf("seed %d: %v; another case comes out of its text:\n%s", seed, err, small.text())
			}
		}
	}
}

// TestRandomTimedFinds lets the check refuse a file that a process must have renamed:
// cases find that, and what is left of one is little more than what made it.
func TestRandomTimedFinds(t *testing.T) {
	refuse := func(r *runner) error {
		for f := range r.m.fs.Files() {
			if f.Path == "d1/e" && f.Mode&0o170000 == 0o040000 {
				return errors.New("there it is")
			}
		}
		return nil
	}
	fails := func(c *randomCase) bool { return broken(runCheckedBy(c.text(), refuse)) }
	seed := uint64(1)
	c := randomTimed(seed, "ext2")
	for ; len(c.Rounds) == 0 || c.operations() > 400 || !fails(c); c = randomTimed(seed, "ext2") {
		if seed++; seed == 100 {
			t.Fatal("no case makes that directory")
		}
	}
	small := shrink(c, 400, fails)
	err := runCheckedBy(small.text(), refuse)
	if want := fmt.Sprintf("check failed: seed %d, replication 0, at ", seed); err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), ": there it is") {
		t.Errorf("%v; want %q", err, want)
	}
	if n := small.operations(); n > 6 || small.CPUs > 1 {
		t.Errorf("%d operations on %d CPUs are left:\n%s", n, small.CPUs, small.text())
	}
	if err := runChecked(small.text()); err != nil {
		t.Error(err)
	}
}

// TestRandomCase: a seed gives one case, and the text of a case is understood.
func TestRandomCase(t *testing.T) {
	one, again, other := randomTimed(7, "5.10").text(), randomTimed(7, "5.10").text(), randomTimed(8, "5.10").text()
	if one != again || one == other {
		t.Error("the case does not depend on the seed alone")
	}
	ops, err := parseOps(&caseWriter{Ops: "creat a b\nread a 1 2\n"})
	if err != nil || len(ops) != 2 || ops[1].Kind != workload.Read || ops[1].Off != 1 || ops[1].Len != 2 {
		t.Errorf("%v, %v", ops, err)
	}
	if err := runChecked("seed: 1\nnonsense: 2\n"); !errors.As(err, new(*StartError)) {
		t.Errorf("a case with an unknown key: %v", err)
	}
}
