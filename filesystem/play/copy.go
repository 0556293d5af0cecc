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
// Deviates from the kernel: a file that is opened for appending cannot be copied to; here that is
// not known, and the end of the file is written to.
func copyRange(t *filesystem.Task, from, to filesystem.Handle, op *workload.Op) (int64, error) {
	// Within one file the ranges must not overlap (generic_copy_file_checks).
	if from.Inode() == to.Inode() && op.Off < op.ToOff+op.Len && op.ToOff < op.Off+op.Len {
		return 0, filesystem.EINVAL
	}
	var done int64
	for done < op.Len {
		// The pipe holds pages of the file that is read, so that the first turn ends with a page.
		at := op.Off + done
		n, err := from.Read(t, at, min(op.Len-done, pipeBytes-at&(1<<12-1)))
		if err == nil && n > 0 {
			n, err = to.Write(t, op.ToOff+done, n)
		}
		if err != nil && done == 0 {
			return 0, err
		}
		if err != nil || n == 0 { // the end of the file, or of the space
			break
		}
		done += n
	}
	return done, nil
}
