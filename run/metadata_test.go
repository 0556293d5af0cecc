package run

import (
	"fmt"
	"testing"
)

// unlinkMany deletes 2000 files in 100 directories.
const unlinkMany = `
device: {mkfs: {size: 4G}}
%s
workload:
  phases:
    - name: make
      classes: [{name: t, mix: {create: 1}, file_size: 2K, directories: {count: 100}}]
      until: {files: 2000}
      then: %s
    - name: unlink
      classes: [{name: t, mix: {delete: 1}, directories: {count: 100}}]
      until: {operations: 2000}
`

// TestColdMetadataIsRead: after a mount each directory's block and each block of the inode tables in
// use is read once, whether work takes time or not; without it nothing is.
func TestColdMetadataIsRead(t *testing.T) {
	// 16 inodes of 256 bytes a block: the files' and the directories'. The tables are read in parts
	// of 32 blocks and one more, which need not be full. The mount itself has read the root's part.
	const directories, tables, part = 100, (2000 + 100) / 16, 32 + 1
	for _, timing := range []string{"", "timing: {storage: hdd}"} {
		for then, cold := range map[string]bool{"remount": true, "sync": false} {
			r := playScenario(t, load(t, fmt.Sprintf(unlinkMany, timing, then)), Options{}).Result
			unlink := r.Phases[1].Values
			blocks, reads := unlink[metricID("metadata_blocks_read")], unlink[metricID("metadata_reads")]
			if !cold {
				if blocks != 0 {
					t.Errorf("%q, %s: %v blocks were read that are in memory", timing, then, blocks)
				}
				continue
			}
			if blocks < directories+tables-part || blocks > directories+2*tables+part {
				t.Errorf("%q: %v blocks were read, of %d of directories and %d of inode tables", timing, blocks, directories, tables)
			}
			if reads < directories || reads > directories+tables/2 {
				t.Errorf("%q: %v reads for %d directories and tables that are read 32 blocks at a time", timing, reads, directories)
			}
			// A read of the disk takes milliseconds.
			if timing != "" {
				if device := unlink[metricID("device_reads")]; device < reads {
					t.Errorf("%v reads of metadata, %v of the device", reads, device)
				}
				if waited := unlink[metricID("wait_io_s")]; waited < 0.1 {
					t.Errorf("%.3f s were waited for them", waited)
				}
			}
		}
	}
}

// TestMemoryHoldsMetadata: with little memory metadata is read again.
func TestMemoryHoldsMetadata(t *testing.T) {
	read := func(memory string) float64 {
		s := load(t, `
device: {mkfs: {size: 4G}}
workload:
  phases:
    - name: make
      classes: [{name: t, mix: {create: 1}, file_size: 2K, directories: {count: 6000}}]
      until: {files: 8000}
    - name: touch
      classes: [{name: t, mix: {fsync: 1}, directories: {count: 6000}}]
      until: {operations: 8000}
`, "memory.size="+memory)
		return playScenario(t, s, Options{}).Result.Phases[1].Values[metricID("metadata_blocks_read")]
	}
	if most, least := read("16M"), read("2G"); least != 0 || most < 1000 {
		t.Errorf("%v blocks were read with 2G of memory, %v with 16M, which holds 4096", least, most)
	}
}

// TestCleanDataIsInMemory: what was written or read since the mount is read from memory, as far as
// that holds it.
func TestCleanDataIsInMemory(t *testing.T) {
	const readTwice = `
device: {mkfs: {size: 4G}}
timing: {storage: hdd}
workload:
  phases:
    - name: make
      classes: [{name: t, mix: {create: 1}, file_size: 1M}]
      until: {files: 64}
      then: %s
    - name: read
      classes: [{name: t, mix: {read: 1}}]
      until: {operations: 640}
`
	read := func(then, memory string) (mib, data float64) {
		s := load(t, fmt.Sprintf(readTwice, then), "memory.size="+memory)
		v := playScenario(t, s, Options{}).Result.Phases[1].Values
		return v[metricID("device_bytes_read")] / (1 << 20), v[metricID("bytes_read")] / (1 << 20)
	}
	if device, data := read("sync", "2G"); data != 640 || device > 0.5 {
		t.Errorf("%.1f MiB of %.1f that were written before are read from the device", device, data)
	}
	if device, _ := read("remount", "2G"); device < 60 || device > 66 {
		t.Errorf("%.1f MiB are read from the device of 64 files of 1 MiB, read ten times each", device)
	}
	// Memory for a fourth to a half of the files.
	if device, _ := read("remount", "32M"); device < 640/2 || device > 640*3/4+32 {
		t.Errorf("%.1f MiB of 640 are read from the device with memory for 16 to 32 of 64", device)
	}
}
