package mballoc_test

import (
	"strings"
	"testing"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/kerneltext/procfs"
)

// seedGroups is what cat /proc/fs/ext4/loop0/mb_groups showed in OenHan's article
// on mballoc (the project's third seed, lines 11 to 19).
const seedGroups = `#group: free  frags first [ 2^0   2^1   2^2   2^3   2^4   2^5   2^6   2^7   2^8   2^9   2^10  2^11  2^12  2^13  ]
#0    : 28809 3     134   [ 3     3     2     1     1     1     1     0     0     0     0     0     1     3     ]
#1    : 32647 1     121   [ 1     1     1     0     0     0     0     1     1     1     1     1     1     3     ]
#2    : 28672 1     4096  [ 0     0     0     0     0     0     0     0     0     0     0     0     1     3     ]
#3    : 32647 1     121   [ 1     1     1     0     0     0     0     1     1     1     1     1     1     3     ]
#4    : 32768 1     0     [ 0     0     0     0     0     0     0     0     0     0     0     0     0     4     ]
#5    : 32647 1     121   [ 1     1     1     0     0     0     0     1     1     1     1     1     1     3     ]
#6    : 32768 1     0     [ 0     0     0     0     0     0     0     0     0     0     0     0     0     4     ]
#7    : 14643 1     121   [ 1     1     2     1     0     1     0     2     2     1     1     2     2     0     ]
`

// seedFree is the free space of these groups as {start, length}.
//
// A group with one fragment has no choice: it is free from first on. Groups 1, 3,
// 5 and 7 begin with backups of the superblock and the descriptors, 121 blocks.
// Group 7 is the last: 121 + 14643 = 14764 blocks, so that the disk has
// 7*32768 + 14764 = 244140 blocks of 4K, a file of 10^9 bytes. From 8192 on its
// 6572 free blocks are 4096 + 2048 + 256 + 128 + 32 + 8 + 4.
//
// Of group 0's three fragments one is [4096, 32768): 4096 and three times 8192,
// all there is above order 6. The other 137 blocks begin at 134. From there
// buddies can only grow 2, 8, 16, 32, 64, up to block 256, where one of 128 would
// follow if the fragment went on that far: what is left of it is smaller. That
// takes 122 and leaves 1, 1, 1, 2, 2, 4, 4, which are 15 blocks. Ending the
// fragment with 4, 2, 1 at block 263 leaves 1, 1, 2, 4: eight blocks one behind
// an aligned place, 1 + 2 + 4 + 1. Where that place is the line does not tell.
var seedFree = [...][][2]int{
	{{134, 129}, {1001, 8}, {4096, 28672}},
	{{121, 32647}},
	{{4096, 28672}},
	{{121, 32647}},
	{{0, 32768}},
	{{121, 32647}},
	{{0, 32768}},
	{{121, 14643}},
}

// TestGroupsOfTheSeed: bitmaps with this free space have just these buddies.
func TestGroupsOfTheSeed(t *testing.T) {
	d := mballoc.NewDisk(12, 0, 4, 32768, 8, 14764)
	for id, free := range seedFree {
		d.Free(allocator.GroupID(id), free...)
	}
	a := d.Mount(t, nil)
	var got strings.Builder
	if err := procfs.WriteGroups(&got, 8, a.GroupInfo); err != nil {
		t.Fatal(err)
	}
	if got.String() != seedGroups {
		t.Errorf("mb_groups:\n%swant:\n%s", got.String(), seedGroups)
	}
	if d.Geo.Blocks != 1_000_000_000/4096 {
		t.Errorf("%d blocks", d.Geo.Blocks)
	}
}

// TestGroupsOfTheSeedGrow: the same lines come out when the space was taken by
// requests from empty groups rather than read from bitmaps.
func TestGroupsOfTheSeedGrow(t *testing.T) {
	d := mballoc.NewDisk(12, 0, 4, 32768, 8, 14764)
	a := d.Mount(t, nil)
	in := &mballoc.Inode{Number: 12, Extents: true}
	for i, free := range seedFree {
		at, end := 0, int(d.Geo.ClustersIn(allocator.GroupID(i)))
		for _, r := range append(free, [2]int{end, 0}) {
			if r[0] > at {
				goal := d.Geo.BlockAt(allocator.GroupID(i), allocator.GroupOffset(at))
				q := mballoc.Request{Inode: in, Goal: goal, Len: uint32(r[0] - at), Flags: mballoc.HintTryGoal}
				if b, ok := a.NewBlocks(0, &q); !ok || b != goal || int(q.Len) != r[0]-at {
					t.Fatalf("%d blocks at %d: got %d at %d", r[0]-at, goal, q.Len, b)
				}
			}
			at = r[0] + r[1]
		}
	}
	var got strings.Builder
	if err := procfs.WriteGroups(&got, 8, a.GroupInfo); err != nil {
		t.Fatal(err)
	}
	if got.String() != seedGroups {
		t.Errorf("mb_groups:\n%swant:\n%s", got.String(), seedGroups)
	}
}
