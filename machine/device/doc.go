// Package device models the storage device under a file system, and the block
// layer in front of it: what order requests reach the device in, which merge, and
// how long each takes.
//
//	m, err := device.Default(device.HDD)
//	d, err := device.New(engine, m, size)
//	d.Do(p, device.Request{Kind: device.Read, Block: 1000, Count: 8, BlockSize: 4096})
//	d.Submit(request, func() { ... }) // when it is done
//
// # Units
//
// Time is nanoseconds of simulated time, space bytes; a Request counts in blocks
// of its own BlockSize. Rates are bytes a second.
//
// # The block layer
//
// As blk-mq: a request larger than max_request is split; one that continues a
// waiting one, or is continued by it, merges with it. A Plug holds back what one
// process submits in a row, so that it merges before the device sees it. hdd and
// ssd have one queue, ordered by mq-deadline; nvme has several, first in first
// out, by the CPU that submits. At most as many requests wait in a queue as it
// has tags; the rest wait for a tag, in order of arrival.
//
// # Media
//
//	none  everything is done at once
//	hdd   one arm: a seek curve, the angle of the platter that follows the clock,
//	      zones, read-ahead, a write cache that the drive empties by itself
//	ssd   flash behind SATA: a controller, dies that work at once, a link
//	nvme  the same with more of each
//
// Parameters are in the registry (List, Find, Model.Set), each with unit, default
// and source.
//
// # Invariants
//
// The same submissions at the same times give the same completions: nothing is
// drawn at random, and the angle of a platter is the clock modulo a turn. Nothing
// is done before it is submitted, nor twice. Once its pools have grown a device
// allocates nothing.
//
// # Not modelled
//
// On hdd: reordering by the drive among what it has been given (NCQ) other than in
// its write cache; more than one stream read ahead at a time; remapped sectors;
// errors. On flash: garbage collection, wear, and the slower rate when a cache of
// single-level cells is full; trim. In the block layer: I/O priorities and
// cgroups, throttling of writeback (blk-wbt), forced unit access: whoever wants
// that submits a write and then a flush.
//
// Read next: readback.go, for how long a layout takes to read without an engine.
package device
