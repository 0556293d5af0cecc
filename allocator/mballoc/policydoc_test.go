package mballoc_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// policyDoc is docs/ADD-A-POLICY.md.
func policyDoc(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/ADD-A-POLICY.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestPolicyDocShowsTheExamples: the code that the page shows is that of the examples,
// which tests build and run, and the first one has under 100 lines.
func TestPolicyDocShowsTheExamples(t *testing.T) {
	var examples string
	for _, name := range []string{"firstfit_example_test.go", "halffree_example_test.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		examples += string(b)
		if n := strings.Count(string(b), "\n"); n >= 100 {
			t.Errorf("%s has %d lines; the page promises fewer than 100", name, n)
		}
	}
	shown := 0
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(policyDoc(t), -1) {
		// The tunable is the one block that no example has: it adds to Tunables.
		if strings.Contains(block[1], "= Tunable{") {
			continue
		}
		shown++
		if !strings.Contains(examples, block[1]) {
			t.Errorf("docs/ADD-A-POLICY.md shows code that is in no example:\n%s", block[1])
		}
	}
	if shown != 3 {
		t.Errorf("the page shows %d examples, want 3", shown)
	}
}

// TestPolicyDocNamesWhatExt4Calls: the page's table has just the methods of the allocator
// that ext4 calls.
func TestPolicyDocNamesWhatExt4Calls(t *testing.T) {
	files, err := filepath.Glob("../../filesystem/ext4/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources of ext4: %v", err)
	}
	calls := make(map[string]bool)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\bfs\.alloc\.(\w+)\(`).FindAllSubmatch(b, -1) {
			calls[string(m[1])] = true
		}
	}
	_, table, _ := strings.Cut(policyDoc(t), "| method | what ext4 calls it for |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	named := make(map[string]bool)
	for _, row := range strings.Split(table, "\n") {
		methods, _, _ := strings.Cut(strings.TrimPrefix(row, "|"), "|")
		for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(methods, -1) {
			named[m[1]] = true
		}
	}
	for m := range calls {
		if !named[m] {
			t.Errorf("ext4 calls %s, which docs/ADD-A-POLICY.md does not name", m)
		}
	}
	for m := range named {
		if !calls[m] {
			t.Errorf("docs/ADD-A-POLICY.md names %s, which ext4 does not call", m)
		}
	}
}
