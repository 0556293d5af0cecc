package workload

// Script is the phase as a script: what the population would do if each
// operation succeeded at once and the device never filled. It ends where Until
// ends the phase, or after limit operations. cpu operations say which CPU goes
// on where processes take turns: the one whose operation is due first, and at
// equal times the one that has waited longest.
func (p *Population) Script(ph *Phase, limit int) []Op {
	workers, ops := p.Begin(ph, 0)
	turns := make(turns, len(workers))
	for i, w := range workers {
		turns[i].next(w, View{}, i)
	}
	cpu, stop := -1, false
	for n := len(workers); ; n++ {
		// The process whose operation is due first goes on. Without one, all have ended.
		t := turns.first()
		if t == nil {
			return ops
		}
		// Once the phase is over, an activity that has not begun is skipped, and one that has is
		// closed.
		stop = stop || len(ops) >= limit || p.Over(t.step.At, 0)
		v := View{Now: t.step.At, Stop: stop, Skipped: stop && t.step.Begins}
		if !v.Skipped {
			// A cpu operation where the next process runs on another CPU.
			if t.worker.CPU != cpu {
				cpu = t.worker.CPU
				ops = append(ops, Op{Kind: CPU, N: cpu})
			}
			op := t.step.Op
			ops = append(ops, op)
			// Every operation succeeds in full.
			if op.Kind == Write || op.Kind == Read {
				v.Ret = op.Len
			}
		}
		t.next(t.worker, v, n)
	}
}

// turn is a worker and the operation it has come to.
type turn struct {
	worker *Worker
	step   Step
	more   bool
	order  int // when it came to it
}

func (t *turn) next(w *Worker, v View, order int) {
	t.worker, t.order = w, order
	t.step, t.more = w.Next(v)
}

type turns []turn

// first is whose turn it is, nil when all have ended.
func (ts turns) first() (best *turn) {
	for i := range ts {
		t := &ts[i]
		if t.more && (best == nil || t.step.At < best.step.At || t.step.At == best.step.At && t.order < best.order) {
			best = t
		}
	}
	return best
}
