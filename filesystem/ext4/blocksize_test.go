package ext4

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mbsim/workload"
)

// kindsOfFiles are the features that decide how a file is mapped and how large it may be.
var kindsOfFiles = []string{"", "-O ^extent,^64bit", "-O ^extent,^64bit,^huge_file", "-O ^extent,^64bit,^has_journal", "-O bigalloc"}

// TestBlockSizes writes a file at the edges of each level of its tree and at its largest
// offset, lists it, punches holes into it, cuts and removes it, with every block size and
// every kind of map. Every operation must come to an end, and Check must find nothing.
func TestBlockSizes(t *testing.T) {
	for bs := int64(1 << 10); bs <= 64<<10; bs *= 2 {
		for _, kind := range kindsOfFiles {
			t.Run(fmt.Sprintf("%d %s", bs, kind), func(t *testing.T) {
				c := &script{size: 96 << 20, mkfs: fmt.Sprintf("-b %d -m 0 %s", bs, kind), cpus: 1}
				fs, _, err := c.start()
				if errors.Is(err, errNoDevice) {
					t.Skip(err)
				}
				if err != nil {
					t.Fatal(err)
				}
				if fs.maxIndirect < 1<<30 {
					t.Errorf("a file with indirect blocks may have %d bytes", fs.maxIndirect)
				}
				limit := int64(maxBlocks) * bs
				if strings.Contains(kind, "^extent") {
					limit = fs.maxIndirect
				}
				c.ops = everywhere(t, bs, limit)
				if err := c.run(1); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// everywhere is a script that works at all levels of a file of at most limit bytes.
func everywhere(t *testing.T, bs, limit int64) []workload.Op {
	t.Helper()
	var b strings.Builder
	b.WriteString("creat x f\n")
	per := bs / 4
	two := 12 + per + per*per // where the triple indirect block begins
	for _, block := range []int64{0, 11, 12, 12 + per - 1, 12 + per, 12 + per + per/2, two - 1, two, two + per*per, limit/bs/2 + 1} {
		if off := block * bs; off < limit-3*bs {
			fmt.Fprintf(&b, "write x %d %d\nstat\nread x %d %d\n", off, 2*bs+1, off/2, bs)
		}
	}
	fmt.Fprintf(&b, "write x %d 10\nfsync x\nstat\nwrite x %d 10\n", limit-10, limit)
	fmt.Fprintf(&b, "fallocate x 3 %d %d\nstat\nfallocate x 3 %d %d\nftruncate x %d\nftruncate x %d\nftruncate x 100\nclose x\nstat\nsync\nremount\nstat\n",
		5*bs, (7+per)*bs, 13*bs, limit-14*bs, min(two*bs, limit-bs), limit)
	ops, err := workload.ParseScript(strings.NewReader(b.String()), "ops")
	if err != nil {
		t.Fatal(err)
	}
	return ops
}
