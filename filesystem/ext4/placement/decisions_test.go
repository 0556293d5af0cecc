package placement

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"mbsim/allocator"
	"mbsim/filesystem/dirent"
)

// TestDecisions asks where inodes go. Each story in testdata says in words which rule of the
// kernel it stands for:
//
//	groups [flex=1] [inodes=128] [clusters=32768]
//	     lays out groups of so many inodes and clusters, flex of them a flex group.
//	     A line for each, "3: inodes=5 dirs=2 clusters=100" or "0-2: ...", says what is free,
//	     and how many directories there are
//	directory [parent=0] [name=d] [top] [last=N] [clamps]
//	     which group a directory gets whose parent lies in a group; top says that the parent
//	     is the root, last in which group the parent's last child went, clamps that the kernel has the
//	     change orlov-clamps-clusters
//	file [parent=0] [number=N] [last=N]
//	     the same for a file; number is the inode number of the parent
func TestDecisions(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var p Policy
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out string
			for _, a := range d.CmdArgs {
				if !slices.Contains(arguments[d.Cmd], a.Key) {
					d.Fatalf(t, "unknown argument %s", a.Key)
				}
			}
			switch d.Cmd {
			case "groups":
				p = layOut(t, d)
				n, all := p.Geometry.FlexGroups(), p.Groups.Approximate()
				return fmt.Sprintf("average of %d: %d inodes, %d directories, %d clusters\n", n, all.Inodes/n, all.Dirs/n, all.Clusters/uint64(n))
			case "directory":
				name := "d"
				if d.HasArg("name") {
					d.ScanArgs(t, "name", &name)
				}
				p.ClampMinClusters = d.HasArg("clamps")
				parent := parentOf(t, d, p.Geometry)
				if parent.Top {
					hash, _ := dirent.HashName(name, dirent.HalfMD4, p.Seed)
					out = fmt.Sprintf("begins at %d\n", hash%p.Geometry.FlexGroups())
				}
				return out + answer(p.Directory(parent, name))
			case "file":
				return answer(p.File(parentOf(t, d, p.Geometry)))
			}
			d.Fatalf(t, "unknown command")
			return ""
		})
	})
}

var arguments = map[string][]string{
	"groups": {"flex", "inodes", "clusters"}, "directory": {"parent", "name", "top", "last", "clamps"}, "file": {"parent", "number", "last"},
}

// table is Groups of which every number is given.
type table struct {
	geo    *allocator.Geometry
	groups []Counts
}

func (t table) Inodes(g allocator.GroupID) (free, dirs uint32) {
	return t.groups[g].Inodes, t.groups[g].Dirs
}
func (t table) Clusters(g allocator.GroupID) uint64 { return t.groups[g].Clusters }
func (t table) Approximate() Counts                 { return sum(t.groups) }
func (t table) Flex(f uint32) Counts {
	first := f << t.geo.FlexBits
	return sum(t.groups[first:min(first+t.geo.FlexSize(), uint32(len(t.groups)))])
}

func sum(groups []Counts) (all Counts) {
	for _, c := range groups {
		all.Inodes += c.Inodes
		all.Dirs += c.Dirs
		all.Clusters += c.Clusters
	}
	return all
}

// layOut is the command groups.
func layOut(t *testing.T, d *datadriven.TestData) Policy {
	flex, inodes, clusters := number(t, d, "flex", 1), number(t, d, "inodes", 128), number(t, d, "clusters", 32768)
	var groups []Counts
	for line := range strings.Lines(d.Input) {
		which, what, _ := strings.Cut(strings.TrimSpace(line), ": ")
		from, to := -1, -1
		if n, _ := fmt.Sscanf(which, "%d-%d", &from, &to); n < 2 {
			to = from
		}
		var c Counts
		into := map[string]any{"inodes": &c.Inodes, "dirs": &c.Dirs, "clusters": &c.Clusters}
		for word := range strings.FieldsSeq(what) {
			key, value, _ := strings.Cut(word, "=")
			if _, err := fmt.Sscan(value, into[key]); err != nil {
				d.Fatalf(t, "line %q: %s: %v", line, key, err)
			}
		}
		if from != len(groups) || to < from {
			d.Fatalf(t, "line %q: group %d is next", line, len(groups))
		}
		for range to - from + 1 {
			groups = append(groups, c)
		}
	}
	geo := &allocator.Geometry{
		FlexBits: uint8(bits.Len64(flex) - 1), Groups: allocator.GroupID(len(groups)),
		ClustersPerGroup: uint32(clusters), InodesPerGroup: uint32(inodes),
	}
	return Policy{Geometry: geo, Groups: table{geo, groups}}
}

// parentOf is the directory that a new inode is made in.
func parentOf(t *testing.T, d *datadriven.TestData, geo *allocator.Geometry) Parent {
	group, perGroup := number(t, d, "parent", 0), uint64(geo.InodesPerGroup)
	inode := number(t, d, "number", group*perGroup+2)
	if (inode-1)/perGroup != group {
		d.Fatalf(t, "inode %d is not in group %d", inode, group)
	}
	parent := Parent{Number: uint32(inode), Top: d.HasArg("top")}
	if d.HasArg("last") {
		parent.Last = uint32(number(t, d, "last", 0)) + 1
	}
	return parent
}

// answer tells which group was found.
func answer(g allocator.GroupID, ok bool) string {
	if !ok {
		return "no group\n"
	}
	return fmt.Sprintf("group %d\n", g)
}

// number is the value of an argument, or what it is without.
func number(t *testing.T, d *datadriven.TestData, key string, without uint64) uint64 {
	if d.HasArg(key) {
		d.ScanArgs(t, key, &without)
	}
	return without
}
