package smp

import (
	"mbsim/allocator"
	"mbsim/machine/device"
	"mbsim/machine/latency"
)

// pageSize is the unit of the costs of data, bytes.
const pageSize = 4096

// Copy implements ext4.Host.
func (m *Machine) Copy(n int64) {
	pages := (n + pageSize - 1) / pageSize
	m.Spend(m.Costs.Write(pages, pages))
	m.preempt()
}

// Submitted implements ext4.Host.
func (m *Machine) Submitted(block allocator.Block, n uint32) {
	pages := (int64(n)*m.BlockSize + pageSize - 1) / pageSize
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
	m.Device.Submit(device.Request{Kind: device.Write, Block: uint64(block), Count: n, BlockSize: uint32(m.BlockSize), Sync: true, CPU: m.task(p).number},
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
	start := m.e.Now()
	blocks := int64(metadata + (metadata+tagsPerBlock-1)/tagsPerBlock + 1)
	m.Spend(m.Costs.Commit(blocks))
	m.sleep(p, WaitCommit, func() {
		if m.Device == nil {
			p.Wait(m.Link.Commit)
			return
		}
		for blocks > 0 {
			n := m.journalSpace(blocks)
			m.Device.Do(p, device.Request{Kind: device.Write, Block: m.JournalBlock + uint64(m.journalAt), Count: uint32(n), BlockSize: uint32(m.BlockSize), Sync: true})
			m.journalAt += n
			blocks -= n
		}
		m.Device.Do(p, device.Request{Kind: device.Flush})
	})
	m.times.Record(latency.Commit, m.e.Now()-start)
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
