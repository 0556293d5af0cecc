package study

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"mbsim/internal/crash"
)

// Pool performs runs on this machine, Jobs at a time.
type Pool struct{ Jobs int }

// Execute performs tasks in their order. The first that fails ends those that go
// on; what is finished stays.
func (p *Pool) Execute(ctx context.Context, s *Study, tasks []Task, running func(float64)) error {
	return each(ctx, p.Jobs, s.Plan, tasks, s.Add, running)
}

// each performs tasks, jobs at a time, and hands over their records.
func each(ctx context.Context, jobs int, p *Plan, tasks []Task, add func(Record) error, running func(float64)) error {
	g, together := errgroup.WithContext(ctx) // ends when one of them fails
	g.SetLimit(max(1, jobs))
	gauge := gauge{tell: running, shares: make(map[int]float64)}
	for i, t := range tasks {
		if together.Err() != nil {
			break
		}
		g.Go(func() error {
			if err := together.Err(); err != nil {
				return err
			}
			return crash.Guard(func() error { // elsewhere a panic of a goroutine ends the program
				rec, err := p.Perform(together, t, func(share float64) { gauge.set(i, share) })
				if err != nil {
					return err
				}
				if err := add(rec); err != nil {
					return err
				}
				gauge.set(i, -1)
				return nil
			})
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// gauge adds up how far runs have come.
type gauge struct {
	mu     sync.Mutex
	shares map[int]float64
	tell   func(float64)
}

// set notes the share of a run; a negative one is the end of it.
func (g *gauge) set(i int, share float64) {
	if g.tell == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shares[i] = share; share < 0 {
		delete(g.shares, i)
	}
	sum := 0.0
	for _, v := range g.shares {
		sum += v // for the eye only: the order of adding does not matter
	}
	g.tell(sum)
}
