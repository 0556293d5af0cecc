package play

import (
	"mbsim/filesystem"
	"mbsim/workload"
)

// pipeBytes is what one turn of copy_file_range(2) carries: a pipe of 16 pages.
const pipeBytes = 16 << 12

// copyRange is copy_file_range(2) where a file system cannot share blocks (generic_copy_file_range): the
// kernel reads a pipe full, and writes that. It returns the bytes copied, or an error if none were.
//
// Deviates from the kernel: direct IO is refused, whatever its alignment, and so the recorder does.
func copyRange(t *filesystem.Task, from, to filesystem.Handle, op *workload.Op) (int64, error) {
	switch {
	case to.Flags()&filesystem.Append != 0:
		return 0, filesystem.EBADF
	case (from.Flags()|to.Flags())&filesystem.Direct != 0:
		return 0, filesystem.EINVAL
	}
	// No more than there is. Within one file the ranges must not overlap (generic_copy_file_checks).
	n := max(0, min(op.Len, from.Size()-op.Off))
	if from.Inode() == to.Inode() && op.Off < op.ToOff+n && op.ToOff < op.Off+n {
		return 0, filesystem.EINVAL
	}
	var done int64
	for done < n {
		// The pipe holds pages of the file that is read, so that the first turn ends with a page.
		at := op.Off + done
		k, err := from.Read(t, at, min(n-done, pipeBytes-at&(1<<12-1)))
		if err == nil && k > 0 {
			k, err = to.Write(t, op.ToOff+done, k)
		}
		if err != nil && done == 0 {
			return 0, err
		}
		if err != nil || k == 0 { // the end of the file, or of the space
			break
		}
		done += k
	}
	return done, nil
}
