package main

import (
	"strings"
	"testing"

	"mbsim/kernels"
)

// TestListChanges sees that every change is listed, also one that no kernel has.
func TestListChanges(t *testing.T) {
	for _, args := range [][]string{{"list", "changes"}, {"list", "changes", "--markdown"}} {
		out := mbsim(t, args...)
		for _, c := range kernels.Changes() {
			if !strings.Contains(out, c.Name) {
				t.Errorf("%v does not have %s", args, c.Name)
			}
		}
	}
}
