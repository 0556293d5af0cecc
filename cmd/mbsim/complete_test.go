package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestComplete: what a shell is offered, which asks for it with mbsim __complete.
func TestComplete(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	text := "device: {mkfs: {size: 64M}}\nworkload:\n  phases:\n    - {name: fill, classes: [{name: mail, mix: {create: 1}, file_size: 4K}], until: {operations: 5}}\n"
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line string // what is typed; its last word is completed
		want string // words that are offered, and others that are not, after !
	}{
		{"run sma", "small-files small-files-smp"},
		{"run small-files --progress ", "auto always never"},
		{"show out/x --progress ", "auto always never"},
		{"sweep small-files --engine ", "local slurm shards"},
		{"run small-files --check=", "end phase sync none"},
		{"run small-files --kernel ", "5.10 6.12 ext2 host"},
		{"replay x --kernel ", "5.10 host"},
		{"bisect x --from ", "6.1 7.3"},
		{"compare a --format ", "text markdown csv json bench"},
		{"list --format ", "text markdown !json"},
		{"bisect x --format ", "text json"},
		{"verify x --format ", "text json !csv"},
		{"sweep x --metric ", "files mb_reqs"},
		{"show x --as ", "mb_groups filefrag"},
		{"list ", "metrics kernels"},
		// Keys of the scenario, and the values of some.
		{"run small-files --set s_mb_ord", "s_mb_order2_reqs="},
		{"run small-files --set profile=", "profile=5.10 profile=ext2"},
		{"sweep small-files --set profile=5.10,6.1", "profile=5.10,6.1 profile=5.10,6.12 !profile=5.10,7.2"},
		{"run small-files --set profile.kernel=", "profile.kernel=6.18"},
		{"run small-files --set mount=", "mount=nodelalloc mount=stripe= mount=reservation_window="},
		{"run small-files --set mount=nodelalloc,com", "mount=nodelalloc,commit= !mount=nodelalloc,stripe="},
		{"run small-files --set mou", "mount="},
		// Phases and classes are the scenario's own.
		{"run small-files --set workload.classes.", "workload.classes.builder.count= workload.classes.builder.file_size.lognormal.sigma= !workload.phases.classes.count= !workload.classes.count="},
		{"run " + file + " --set workload.", "workload.classes.mail.think= workload.phases.fill.until.operations= !workload.classes.builder.count="},
		{"run no-such-scenario --set workload.", "workload.phases= !workload.phases.classes.count="},
	} {
		words := strings.Split(c.line, " ")
		var stdout, stderr bytes.Buffer
		if code := execute(append([]string{"__complete"}, words...), &stdout, &stderr); code != exitOK {
			t.Errorf("%s: exit code %d, %s", c.line, code, stderr.String())
		}
		offered := map[string]bool{}
		for line := range strings.Lines(stdout.String()) {
			word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			offered[word] = true
		}
		for _, want := range strings.Fields(c.want) {
			word, not := strings.CutPrefix(want, "!")
			if offered[word] == not {
				t.Errorf("%s: %s is offered: %v", c.line, word, !not)
			}
		}
	}
}
