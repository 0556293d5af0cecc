package allocator

// PerCPUCounter is a counter that every CPU changes in a share of its own,
// folded into the common count once the share reaches Batch (the kernel's
// percpu_counter). A cheap Read sees only what was folded, which is why
// decisions near a full disk depend on which CPU freed or took what.
type PerCPUCounter struct {
	count  int64
	batch  int64
	shares []int64
	sum    int64 // the true count
	most   int64 // the largest true count since CutMost
}

// NewPerCPUCounter makes a counter at value for cpus CPUs. The batch is the
// kernel's: the larger of 32 and twice the number of CPUs.
func NewPerCPUCounter(value int64, cpus int) *PerCPUCounter {
	return &PerCPUCounter{count: value, sum: value, most: value, batch: max(32, 2*int64(cpus)), shares: make([]int64, cpus)}
}

// Batch is the size a CPU's share must reach to be folded.
func (c *PerCPUCounter) Batch() int64 { return c.batch }

// Add adds n on CPU cpu (percpu_counter_add).
func (c *PerCPUCounter) Add(cpu int, n int64) {
	c.note(n)
	s := c.shares[cpu] + n
	if s >= c.batch || s <= -c.batch {
		c.count += s
		s = 0
	}
	c.shares[cpu] = s
}

// AddEach is n calls of Add(cpu, 1).
func (c *PerCPUCounter) AddEach(cpu int, n int64) {
	c.note(n)
	s := c.shares[cpu] + n
	if s >= c.batch {
		c.count += s - s%c.batch
		s %= c.batch
	}
	c.shares[cpu] = s
}

// Read is the folded count, which may be off by Batch for every CPU
// (percpu_counter_read).
func (c *PerCPUCounter) Read() int64 { return c.count }

// ReadPositive is Read, never below zero (percpu_counter_read_positive).
func (c *PerCPUCounter) ReadPositive() int64 { return max(0, c.count) }

// Sum is the true count (percpu_counter_sum).
func (c *PerCPUCounter) Sum() int64 { return c.sum }

// note keeps the true count and its maximum, which the kernel does not have.
func (c *PerCPUCounter) note(n int64) {
	c.sum += n
	c.most = max(c.most, c.sum)
}

// Fold folds every CPU's share into the common count, as a counter made anew at this value has it.
func (c *PerCPUCounter) Fold() {
	c.count = c.sum
	clear(c.shares)
}

// CutMost is the largest true count since the call before, or since the counter was made. From now
// on the count of now is the largest.
func (c *PerCPUCounter) CutMost() int64 {
	most := c.most
	c.most = c.sum
	return most
}

// SumPositive is Sum, never below zero (percpu_counter_sum_positive).
func (c *PerCPUCounter) SumPositive() int64 { return max(0, c.Sum()) }
