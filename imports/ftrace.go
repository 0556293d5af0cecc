package imports

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"mbsim/kerneltext/ftrace"
)

// traceEvents are the events that say what ext4's allocator was asked and answered, what it was told besides,
// and what else decides: sizes of files, and commits. All others are left out of the case.
var traceEvents = map[string]bool{
	"ext4_request_blocks": true, "ext4_allocate_blocks": true, "ext4_mballoc_alloc": true, "ext4_mballoc_prealloc": true,
	"ext4_free_blocks": true, "ext4_discard_preallocations": true, "ext4_allocate_inode": true, "ext4_free_inode": true,
	"ext4_da_reserve_space": true, "ext4_da_update_reserve_space": true, "ext4_da_release_space": true,
	"ext4_da_write_end": true, "ext4_write_end": true, "ext4_journalled_write_end": true, "ext4_truncate_enter": true,
	"ext4_fallocate_enter": true, "ext4_fallocate_exit": true, "jbd2_start_commit": true, "jbd2_end_commit": true,
}

// RequestsFile is the file of a case that holds events instead of operations.
const RequestsFile = "requests.txt"

// importTrace keeps the events of one device that the allocator's decisions follow from. What they come to
// mbsim replay asks the allocator.
func importTrace(logs []*Log, opt Options, out Output) (*Report, error) {
	requests, err := out(RequestsFile)
	if err != nil {
		return nil, err
	}
	ops, err := out("ops")
	if err == nil {
		_, err = io.WriteString(ops, "# "+RequestsFile+" holds what was asked of the allocator: there is no operation of a file system\n")
	}
	if err != nil {
		return nil, err
	}
	r := &Report{File: logs[0].Name, Root: "/", Unit: "events", Place: "line", Still: "tell nothing that the allocator's decisions follow from", Requests: true, CPUs: 1}
	err = logs[0].text(func(text io.Reader) error { return keepEvents(text, logs[0].Name, opt.Device, requests, r) })
	return r, err
}

// keepEvents copies the events of a device. Without its number that of the first request is meant, and there
// must be no other.
func keepEvents(text io.Reader, name, device string, to io.Writer, r *Report) error {
	s := ftrace.NewScanner(text, name)
	var line bytes.Buffer
	given := device != ""
	for s.Scan() {
		e := s.Event()
		r.Lines = int64(e.Line)
		r.Calls++
		isRequest := e.Name == "ext4_request_blocks"
		switch {
		case !traceEvents[e.Name]:
			r.NoBlock++
			continue
		case device == "" && isRequest:
			device = e.Dev
		case isRequest && !given && e.Dev != device:
			return fmt.Errorf("%s:%d:1: the events are of several devices, %s and %s: name the one that is meant with --device MAJOR,MINOR", name, e.Line, device, e.Dev)
		}
		if device != "" && e.Dev != device {
			r.Outside++
			continue
		}
		// Only what is read again is kept: the time is not.
		line.Reset()
		fmt.Fprintf(&line, "%s [%03d] .... 0: %s: dev %s %s\n", strings.ReplaceAll(e.Task, " ", "_"), e.CPU, e.Name, e.Dev, e.Text)
		if _, err := to.Write(line.Bytes()); err != nil {
			return err
		}
		r.Performed++
		r.CPUs = max(r.CPUs, e.CPU+1)
	}
	switch {
	case s.Err() != nil:
		return s.Err()
	case device == "":
		return fmt.Errorf("%s: no request for blocks is in it: record the events of ext4 and jbd2 (mbsim import --help)", name)
	}
	r.Root = "device " + device
	return nil
}

// isTrace says whether a text begins with events of the kernel, as tracefs, trace-cmd or perf print them.
func isTrace(head []byte) bool {
	if bytes.HasPrefix(head, []byte("# tracer:")) {
		return true
	}
	s := ftrace.NewScanner(bytes.NewReader(head), "")
	for n := 0; n < 20 && s.Scan(); n++ {
		if e := s.Event(); strings.HasPrefix(e.Name, "ext4_") || strings.HasPrefix(e.Name, "jbd2_") {
			return true
		}
	}
	return false
}
