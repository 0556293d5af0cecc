// Package ftrace writes and reads the ext4 and jbd2 trace events that decide
// or show layout, as the kernel's tracefs and `trace-cmd report` print them: a
// replay's trace and a real kernel's can be laid side by side with diff(1).
//
// A Writer observes an allocator and the file system above it; a Scanner reads
// either text. Timestamps are event numbers (trace clock "counter").
package ftrace
