package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"mbsim/internal/atomicfile"
	"mbsim/replay"
)

// fileExists says whether there is such a file.
func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// decide asks the allocator what the requests of a case ask, and writes decisions.txt.
func (f *replayFlags) decide(name string, cfg replay.Config, stdout io.Writer) error {
	file, err := os.Open(name)
	if err != nil {
		return &exitError{exitInternal, err}
	}
	defer file.Close()
	set, err := atomicfile.Begin(f.out)
	if err != nil {
		return &exitError{exitInternal, err}
	}
	d, err := replay.Decide(cfg, file, name)
	if err != nil {
		return replayError(err, set.Abandon())
	}
	text := decisionsText(cfg.Kernel, d)
	if err := set.Finish(map[string][]byte{"decisions.txt": []byte(text)}); err != nil {
		return &exitError{exitInternal, err}
	}
	summary, _, _ := strings.Cut(text, "\n\n")
	fmt.Fprintln(stdout, strings.TrimSuffix(summary, "\n"))
	return nil
}

// decisionsText is decisions.txt: counts, an empty line, and the first requests that differ.
func decisionsText(kernel string, d *replay.Decisions) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d requests have the same answer from %s\n", d.Same, d.Total, kernel)
	if d.Same < d.Total {
		fmt.Fprintf(&b, "the first that differs is request %d; behind it the two disks differ, and so may requests that would be decided alike\n", d.BeforeFirst+1)
		fmt.Fprintf(&b, "%d lie elsewhere, %d are shorter (%d further requests made up for it), %d longer, and of %d one of the two found no space\n",
			d.Elsewhere, d.Shorter, d.Pieces, d.Longer, d.NoSpace)
	}
	if d.Unknown > 0 {
		fmt.Fprintf(&b, "%d times blocks are freed that were not in use: the case does not begin with the file system of the recording\n", d.Unknown)
	}
	if d.Again > 0 {
		fmt.Fprintf(&b, "%d times blocks are asked for that the file has: the recording lacks events of truncations (ext4_discard_preallocations, ext4_free_blocks)\n", d.Again)
	}
	if d.NoCommits {
		fmt.Fprintf(&b, "the recording has no commits (jbd2_start_commit, jbd2_end_commit): what is freed can be allocated at once\n")
	}
	for _, x := range d.Differences {
		fmt.Fprintf(&b, "\nrequests.txt:%d: %s\n  kernel: %s", x.Line, x.Request, x.Kernel)
		if x.Decision != "" {
			fmt.Fprintf(&b, " (%s)", x.Decision)
		}
		fmt.Fprintf(&b, "\n  mbsim:  %s\n", x.Mbsim)
	}
	return b.String()
}
