package smp

import (
	"mbsim/allocator"
	"mbsim/metrics/latency"
	"mbsim/sim/device"
)

// pageSize is the unit of the costs of data, bytes.
const pageSize = 4096

// Copy implements ext4.Host.
func (m *Machine) Copy(n int64) {
	pages := (n + pageSize - 1) / pageSize
	m.Spend(m.Costs.Write(pages, pages))
}

// Submitted implements ext4.Host.
func (m *Machine) Submitted(block allocator.Block, n uint32) {
	pages := (int64(n)*m.BlockSize + pageSize - 1) / pageSize
	m.Spend(m.Costs.JournalStart + m.Costs.ExtentTree + m.Costs.StatusTree + m.Costs.Submit(pages, 1))
	m.send(block, n, pages)
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

// journalBlocks is how many blocks a transaction is thought to write: descriptor,
// a few metadata blocks, commit block.
const journalBlocks = 8

// Commit implements ext4.Host.
func (m *Machine) Commit() {
	p := m.e.Current()
	start := m.e.Now()
	m.Spend(m.Costs.Commit(journalBlocks))
	m.sleep(p, WaitCommit, func() {
		if m.Device == nil {
			p.Wait(m.Link.Commit)
			return
		}
		r := device.Request{Kind: device.Write, Block: m.JournalBlock, Count: journalBlocks, BlockSize: uint32(m.BlockSize), Sync: true}
		m.Device.Do(p, r)
		m.Device.Do(p, device.Request{Kind: device.Flush})
	})
	m.times.Record(latency.Commit, m.e.Now()-start)
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
