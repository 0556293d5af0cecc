package smp

import (
	"mbsim/allocator"
	"mbsim/machine/device"
)

// Copy implements ext4.Host.
func (m *Machine) Copy(n int64) {
	pages := (n + allocator.PageSize - 1) / allocator.PageSize
	m.Spend(m.Costs.Write(pages, pages))
	m.preempt()
}

// Submitted implements ext4.Host.
func (m *Machine) Submitted(block allocator.Block, n uint32) {
	pages := (int64(n)*m.BlockSize + allocator.PageSize - 1) / allocator.PageSize
	m.Spend(m.Costs.JournalStart + m.Costs.ExtentTree + m.Costs.StatusTree + m.Costs.Submit(pages, 1))
	m.send(block, n, pages)
	m.preempt()
}

// send sends a write to the device. The process goes on.
func (m *Machine) send(block allocator.Block, n uint32, pages int64) {
	if n == 0 {
		return
	}
	p := m.e.Current()
	if m.Device == nil {
		m.linkFree = max(m.linkFree, m.e.Now()) + pages*m.Link.Page
		m.task(p).sent = m.linkFree + m.Link.Latency
		return
	}
	id := p.ID()
	m.task(p).inFlight++
	m.Device.Submit(device.Request{Kind: device.Write, Block: uint64(block), Count: n, BlockSize: uint32(m.BlockSize), CPU: m.task(p).number},
		func() {
			t := &m.tasks[id]
			t.inFlight--
			if t.inFlight == 0 && t.waiting {
				p.Wake()
			}
		})
}

// WaitIO implements ext4.Host.
func (m *Machine) WaitIO() {
	p := m.e.Current()
	t := m.task(p)
	switch {
	case t.inFlight > 0:
		m.sleep(p, WaitIO, func() {
			for m.task(p).inFlight > 0 {
				m.task(p).waiting = true
				p.Park("IO")
			}
			m.task(p).waiting = false
		})
	case t.sent > m.e.Now():
		m.sleep(p, WaitIO, func() { p.WaitUntil(m.task(p).sent) })
	}
}

// tagsPerBlock is how many blocks a descriptor block of the journal names: tags of
// 16 bytes in 4096, less its header and tail.
const tagsPerBlock = 254

// Commit implements ext4.Host: descriptor blocks, the metadata blocks and the
// commit block, and a flush.
func (m *Machine) Commit(metadata int) {
	p := m.e.Current()
	blocks := int64(metadata + (metadata+tagsPerBlock-1)/tagsPerBlock + 1)
	m.Spend(m.Costs.Commit(blocks))
	m.sleep(p, WaitCommit, func() {
		if m.Device == nil {
			p.Wait(m.Link.Commit)
			return
		}
		for blocks > 0 {
			n := m.journalSpace(blocks)
			m.Device.Do(p, device.Request{Kind: device.Write, Block: m.JournalBlock + uint64(m.journalAt), Count: uint32(n), BlockSize: uint32(m.BlockSize)})
			m.journalAt += n
			blocks -= n
		}
		m.Device.Do(p, device.Request{Kind: device.Flush})
	})
}

// journalSpace is how many of n blocks can be written behind the last ones of the
// journal, which goes around.
func (m *Machine) journalSpace(n int64) int64 {
	if m.journalAt >= m.JournalBlocks {
		m.journalAt = 0
	}
	return max(1, min(n, m.JournalBlocks-m.journalAt))
}

// Entry implements ext4.Host.
func (m *Machine) Entry(made bool) {
	c := &m.Costs
	ns := c.JournalStart + c.DirectoryEntry + c.InodeUpdate
	if made {
		ns += c.InodeAllocate + c.InodeUpdate
	}
	m.Spend(ns)
}

// AwaitCommit implements ext4.Host.
func (m *Machine) AwaitCommit() {
	p := m.e.Current()
	m.sleep(p, WaitCommit, func() { m.commits.Wait(p) })
}

// CommitEnded implements ext4.Host.
func (m *Machine) CommitEnded() { m.commits.WakeAll() }

// Read implements ext4.Host: the blocks are not in the cache.
func (m *Machine) Read(block allocator.Block, n uint32) {
	if m.Device == nil || n == 0 {
		return
	}
	p := m.e.Current()
	m.sleep(p, WaitIO, func() {
		m.Device.Do(p, device.Request{Kind: device.Read, Block: uint64(block), Count: n, BlockSize: uint32(m.BlockSize), CPU: m.task(p).number})
	})
}

// blockRange is n blocks of the device from first on.
type blockRange struct {
	first allocator.Block
	n     uint32
}

// ReadMetadata implements ext4.Host. What is to be read is noted, and read when the process next
// does anything that takes time while it holds no spinlock: the file system calls this where it
// must not be interrupted.
func (m *Machine) ReadMetadata(block allocator.Block, n uint32) {
	if p := m.e.Current(); p != nil && m.Device != nil && n > 0 {
		t := m.task(p)
		t.reads = append(t.reads, blockRange{block, n})
	}
}

// FinishReads reads the metadata that the current process has asked for, one request after the
// other, as each block leads to the next.
func (m *Machine) FinishReads() {
	p := m.e.Current()
	if p == nil {
		return
	}
	for len(m.task(p).reads) > 0 {
		t := m.task(p)
		// To read takes time itself, and comes here again: what is read is taken off first.
		r := t.reads[0]
		t.reads = append(t.reads[:0], t.reads[1:]...)
		m.Read(r.first, r.n)
	}
}
