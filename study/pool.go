package study

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"mbsim/internal/crash"
)

// Pool performs runs on this machine, Jobs at a time.
type Pool struct{ Jobs int }

// Execute performs tasks in their order. The first that fails ends those that are running;
// what is finished stays.
func (p *Pool) Execute(ctx context.Context, s *Study, tasks []Task, running func(float64)) error {
	return each(ctx, p.Jobs, s.Plan, tasks, s.Add, running)
}

// each performs tasks, jobs at a time, and passes each record to add. running, which may be
// nil, is called with how many runs' worth of work is done of those that are running.
func each(ctx context.Context, jobs int, p *Plan, tasks []Task, add func(Record) error, running func(float64)) error {
	g, together := errgroup.WithContext(ctx) // ends when one of them fails
	g.SetLimit(max(1, jobs))
	// All runs share one gauge.
	gauge := gauge{report: running, shares: make(map[int]float64)}
	for i, t := range tasks {
		// One of them has failed: begin no others.
		if together.Err() != nil {
			break
		}
		g.Go(func() error {
			if err := together.Err(); err != nil {
				return err
			}
			// A panic becomes an error here: in a goroutine nobody else could catch it, and it would end
			// the whole program.
			return crash.Guard(func() error {
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
	// Without an error of a run the study may still have been cancelled.
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// gauge adds up how far the running runs have come, and passes the sum on.
type gauge struct {
	mu     sync.Mutex
	shares map[int]float64
	report func(float64)
}

// set notes the share of run i that is done; a negative one says that the run has ended.
func (g *gauge) set(i int, share float64) {
	if g.report == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	// A run that has ended counts as a finished one from here on, and not in the sum.
	if share < 0 {
		delete(g.shares, i)
	} else {
		g.shares[i] = share
	}
	sum := 0.0
	for _, v := range g.shares {
		sum += v // for the eye only: the order of adding does not matter
	}
	g.report(sum)
}
