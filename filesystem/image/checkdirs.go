package image

import (
	"fmt"
	"strings"
)

// dirPlace is a directory of the tree that is to be checked.
type dirPlace struct {
	number uint32
	depth  int
	above  *dirPlace // nil of the root
}

// parent is the number that ".." names.
func (p *dirPlace) parent() uint32 {
	if p.above == nil {
		return p.number
	}
	return p.above.number
}

// below reports whether the directory is the one of this number or lies below it.
func (p *dirPlace) below(number uint32) bool {
	for ; p != nil; p = p.above {
		if p.number == number {
			return true
		}
	}
	return false
}

// dirCheck is one directory being checked.
type dirCheck struct {
	c       *fileChecker
	place   *dirPlace
	names   map[string]struct{}
	kids    []*dirPlace
	foreign bool // names are not what users gave: an encrypted directory
}

const encryptFlag = 0x800 // EXT4_ENCRYPT_FL

// tree walks the directories from the root and checks each of them.
func (c *fileChecker) tree() error {
	c.seen.at(RootInode).flags |= factReached
	c.seen.at(RootInode).names = 1 // it has no name: its own ".." stands for it
	for todo := []*dirPlace{{number: RootInode}}; len(todo) > 0; {
		place := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if place.depth > maxDirDepth {
			return fmt.Errorf("inode %d: a directory %d levels below the root: at most %d can be named", place.number, place.depth, maxDirDepth)
		}
		d := &dirCheck{c: c, place: place, names: make(map[string]struct{})}
		if err := d.check(); err != nil {
			return err
		}
		c.seen.at(place.number).names += 1 + uint32(len(d.kids)) // "." and the ".." below
		todo = append(todo, d.kids...)
	}
	return nil
}

// check checks the directory.
func (d *dirCheck) check() error {
	in, err := d.c.s.inode(d.place.number)
	if err != nil {
		return err
	}
	d.foreign = in.Flags&encryptFlag != 0
	if in.InlineSize > 0 {
		return d.inline(&in)
	}
	var index *htree
	if sb := d.c.s.sb; in.Flags&IndexFlag != 0 && sb.Compat&DirIndex != 0 {
		if index, err = d.c.s.readIndex(&in); err != nil {
			return err
		}
	}
	return d.c.s.eachDirBlock(&in, func(logical uint32, raw []byte) error {
		return d.block(logical, raw, index.isNode(logical))
	})
}

// inline checks a directory that lies in its inode.
func (d *dirCheck) inline(in *Inode) error {
	if in.InlineParent() != d.place.parent() {
		return fmt.Errorf("inode %d: it takes inode %d for the directory above, which is %d", in.Number, in.InlineParent(), d.place.parent())
	}
	areas, err := inlineAreas(in, d.c.s.sb)
	if err != nil {
		return err
	}
	for i, a := range areas {
		if err := d.entries(a.Entries); err != nil {
			return fmt.Errorf("inode %d: area %d of the inode: %w", in.Number, i, err)
		}
	}
	return nil
}

// block checks one block; node says that it belongs to the index of hashes.
func (d *dirCheck) block(logical uint32, raw []byte, node bool) error {
	sb := d.c.s.sb
	es, err := parseDirBlock(raw, sb)
	if err != nil {
		return err
	}
	covered := uint32(0)
	for _, e := range es {
		covered += e.RecLen
	}
	if sb.ROCompat&MetadataCsum != 0 && !node && covered != uint32(len(raw))-12 {
		return fmt.Errorf("no room for its checksum")
	}
	if logical > 0 {
		return d.entries(es)
	}
	for i, want := range [...]struct {
		name   string
		number uint32
	}{{".", d.place.number}, {"..", d.place.parent()}} {
		if len(es) <= i || es[i].Name != want.name || es[i].Inode == 0 {
			return fmt.Errorf("it does not begin with \".\" and \"..\"")
		}
		if es[i].Inode != want.number {
			return fmt.Errorf("%q names inode %d, want %d", want.name, es[i].Inode, want.number)
		}
	}
	return d.entries(es[2:])
}

// entries checks entries, "." and ".." excepted, and counts them.
func (d *dirCheck) entries(es []Dirent) error {
	for i := range es {
		if es[i].Inode == 0 {
			continue
		}
		if err := d.entry(&es[i]); err != nil {
			return fmt.Errorf("the entry %.80q at %d %w", es[i].Name, es[i].Offset, err)
		}
	}
	return nil
}

// entry checks one entry; its errors go on with a sentence that begins with it.
func (d *dirCheck) entry(e *Dirent) error {
	c := d.c
	if e.Name == "." || e.Name == ".." || !d.foreign && strings.ContainsAny(e.Name, "/\x00") {
		return fmt.Errorf("is no name for a file")
	}
	if _, twice := d.names[e.Name]; twice {
		return fmt.Errorf("is there twice")
	}
	d.names[e.Name] = struct{}{}
	if e.Inode < c.s.sb.FirstInode || e.Inode == c.s.sb.OrphanInode {
		if e.Inode == RootInode {
			return fmt.Errorf("names the root")
		}
		return fmt.Errorf("names inode %d, which is reserved for the file system", e.Inode)
	}
	if id, i := c.s.inodeAt(e.Inode); c.s.groups[id].inodes.anyFree(i, i+1) {
		return fmt.Errorf("names inode %d, which is not in use", e.Inode)
	}
	f := c.seen.at(e.Inode)
	f.names++
	switch {
	case f.kind == 0:
		return fmt.Errorf("names inode %d, which was never made", e.Inode)
	case f.flags&factAttrs != 0:
		return fmt.Errorf("names inode %d, which holds an attribute", e.Inode)
	case f.kind != modeDir>>12:
		return nil
	case d.place.below(e.Inode):
		return fmt.Errorf("names directory %d, which would lie below itself", e.Inode)
	case f.flags&factReached != 0:
		return fmt.Errorf("names directory %d, which has another name", e.Inode)
	}
	f.flags |= factReached
	d.kids = append(d.kids, &dirPlace{e.Inode, d.place.depth + 1, d.place})
	return nil
}
