package study

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"mbsim/internal/atomicfile"
	"mbsim/internal/bounded"
	"mbsim/internal/folderlock"
	"mbsim/reports"
)

// Study is a study in its folder, which is locked until Close.
type Study struct {
	Dir  string
	Plan *Plan

	lock *folderlock.Lock
	mu   sync.Mutex
	runs *os.File           // runs.ndjson
	size int64              // bytes of its whole lines
	rows int                // number of its whole lines
	done map[string]*Record // finished runs by id, also those of other plans
	left map[string]int     // by id of a run that is not finished: number of the plan's tasks that ask for it
	todo int                // sum of left
}

// Executor performs runs.
type Executor interface {
	// Execute performs tasks of the study and passes their records to s.Add, in any order.
	// When it returns no more will come: a task without a record was not performed. running,
	// which any goroutine may call, is given how many runs' worth of work is done of those
	// that are still going on.
	Execute(ctx context.Context, s *Study, tasks []Task, running func(float64)) error
}

// Progress is how far a study has come.
type Progress struct {
	Done, Total int     // runs
	Running     float64 // runs' worth of work done in those that go on
}

const runsName = "runs.ndjson"

// Open opens the folder of a study, or makes it, and finds out which runs are finished. Runs
// of other plans in the folder are kept.
func Open(dir string, p *Plan) (*Study, error) {
	l, err := folderlock.Make(dir)
	if err != nil {
		return nil, &UserError{err}
	}
	// Remove what killed processes have left, and then see what is finished.
	s := &Study{Dir: dir, Plan: p, lock: l, done: make(map[string]*Record)}
	if err = reports.Recover(dir); err == nil {
		err = s.read()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// read finds out which runs are finished, and writes the plan.
func (s *Study) read() error {
	path := filepath.Join(s.Dir, runsName)
	records, whole, err := readRecords(path)
	if err != nil {
		return err
	}
	// The records that are whole.
	if _, err := collect(s.done, records); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if s.runs, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return err
	}
	// Cut off a line that was torn, so that the next record begins a line.
	if err := s.runs.Truncate(whole); err != nil {
		return err
	}
	s.size, s.rows = whole, len(records)
	// Shards may have performed runs since.
	if _, err := s.Import(); err != nil {
		return err
	}
	return s.writePlan()
}

// writePlan writes plan.json, and removes study.json where it belongs to another plan or to
// only a part of the runs.
func (s *Study) writePlan() error {
	text, err := s.Plan.text()
	if err != nil {
		return err
	}
	path := filepath.Join(s.Dir, planName)
	old, err := bounded.ReadFile(path, maxObject)
	// An old plan that cannot be read is another one.
	same := err == nil && bytes.Equal(old, text)
	if same && s.todo == 0 {
		return nil
	}
	// The result goes before the plan changes: it must never stand beside a plan that is not its own.
	if err := os.Remove(filepath.Join(s.Dir, resultName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if same {
		return nil
	}
	return atomicfile.WriteDurable(path, text)
}

// Close closes the files and releases the folder.
func (s *Study) Close() error {
	var err error
	if s.runs != nil {
		err = s.runs.Close()
	}
	return errors.Join(err, s.lock.Release())
}

// Add keeps the record of a run: it is on disk when Add returns. A run that is
// known already is not added again.
func (s *Study) Add(r Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A second record of a run must agree with the first, and is then not needed.
	added, err := collect(s.done, []Record{r})
	if err != nil || len(added) == 0 {
		return err
	}
	if err := s.append([]*Record{&r}); err != nil {
		delete(s.done, r.ID)
		return err
	}
	// One run may be a task of several settings.
	s.todo -= s.left[r.ID]
	delete(s.left, r.ID)
	return nil
}

// append adds records to runs.ndjson. If that fails the file is as it was.
func (s *Study) append(records []*Record) error {
	// All lines are written at once.
	var lines []byte
	for i, r := range records {
		line, err := r.text(s.rows + i + 1)
		if err != nil {
			return err
		}
		lines = append(lines, line...)
	}
	_, err := s.runs.WriteAt(lines, s.size)
	if err == nil {
		err = s.runs.Sync()
	}
	if err != nil {
		return errors.Join(err, s.runs.Truncate(s.size))
	}
	s.size += int64(len(lines))
	s.rows += len(records)
	return nil
}

// count finds out which tasks of the plan are not finished.
func (s *Study) count() {
	s.left, s.todo = make(map[string]int), 0
	for _, t := range s.Plan.Tasks() {
		if s.done[t.ID] == nil {
			s.left[t.ID]++
			s.todo++
		}
	}
}

// Pending returns the plan's tasks that are not finished. A run that two settings share is
// there once.
func (s *Study) Pending() (tasks []Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := make(map[string]bool)
	for _, t := range s.Plan.Tasks() {
		if s.left[t.ID] > 0 && !seen[t.ID] {
			seen[t.ID] = true
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// Foreign returns how many finished runs in the folder the plan does not have.
func (s *Study) Foreign() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	// All finished runs, less those of the plan, each once.
	n := len(s.done)
	seen := make(map[string]bool)
	for _, t := range s.Plan.Tasks() {
		if s.done[t.ID] != nil && !seen[t.ID] {
			seen[t.ID] = true
			n--
		}
	}
	return n
}

// Finished returns how many of the plan's tasks are finished, and how many there are.
func (s *Study) Finished() (done, total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	total = s.Plan.Replications * len(s.Plan.Settings)
	return total - s.todo, total
}

// Run performs what is pending, and adds replications until the plan's rule
// holds. progress may be nil.
func (s *Study) Run(ctx context.Context, e Executor, progress func(Progress)) error {
	running := func(share float64) {
		if progress != nil {
			done, total := s.Finished()
			progress(Progress{done, total, share})
		}
	}
	// Round by round, since the rule is looked at when all planned runs are finished.
	for {
		tasks := s.Pending()
		running(0)
		if len(tasks) > 0 {
			if err := e.Execute(ctx, s, tasks, running); err != nil {
				return err
			}
			// An executor that comes back without all records has lost some.
			if left := len(s.Pending()); left > 0 {
				return fmt.Errorf("%d of %d runs were not performed", left, len(tasks))
			}
		}
		more, err := s.Extend()
		if err != nil || !more {
			return err
		}
	}
}
