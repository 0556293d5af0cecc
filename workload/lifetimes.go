package workload

import "container/heap"

// Lifetimes say which file of a process is deleted next: the one whose life ends first. A file is born
// when it is made, and lives as long as was drawn for it. Lives are counted in files that the process
// makes, and stretched so that their mean is the number of files that it has when it first deletes one:
// so a process that keeps about that many files deletes each about when its life is over, and how old
// files get follows the distribution, whatever the unit of its draws.

// lives are the files of a process by the end of their life.
type lives struct {
	stretch float64 // files made for one unit of a draw, 0 before the first file is deleted
	queue   lifeQueue
}

// lifeQueue is a heap of files, the one that dies next first. Files that are gone already stay in it until
// they come to its top.
type lifeQueue []life

type life struct {
	end float64 // in files made
	f   *file
}

func (q lifeQueue) Len() int           { return len(q) }
func (q lifeQueue) Less(i, j int) bool { return q[i].end < q[j].end }
func (q lifeQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *lifeQueue) Push(x any)        { *q = append(*q, x.(life)) }
func (q *lifeQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// bear draws the life of a file that is being made.
func (w *Worker) bear(f *file) {
	if w.class.Delete != ExpiredFile {
		return
	}
	f.born, f.life = w.created, float64(w.samplers.life.Draw(w.streams.life))
	if w.lives.stretch > 0 {
		heap.Push(&w.lives.queue, life{float64(f.born) + f.life*w.lives.stretch, f})
	}
}

// expired is the file whose life ends first.
func (w *Worker) expired() *file {
	l := &w.lives
	if l.stretch == 0 {
		l.begin(&w.files)
	}
	for len(l.queue) > 0 {
		// A file that could not be made, or is gone, is passed over.
		f := l.queue[0].f
		if f.at < len(w.files.all) && w.files.all[f.at] == f {
			return f
		}
		heap.Pop(&l.queue)
	}
	// Files of another process, or of a phase in which none had a life.
	return w.files.oldest
}

// begin queues the files there are, and settles how long a life is.
func (l *lives) begin(s *fileSet) {
	sum := 0.0
	for _, f := range s.all {
		sum += f.life
	}
	l.stretch = 1
	if sum > 0 {
		l.stretch = float64(len(s.all)) / (sum / float64(len(s.all)))
	}
	for f := s.oldest; f != nil; f = f.newer {
		l.queue = append(l.queue, life{float64(f.born) + f.life*l.stretch, f})
	}
	heap.Init(&l.queue)
}
