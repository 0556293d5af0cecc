package dirent

// Foresight is a name that will be looked up soon. To look it up reads pieces of
// memory one after the other, each where the one before says. Who knows of several
// names takes each step for all of them before the next: reads that do not depend
// on each other take the time of one where they miss the cache.
//
// It changes nothing and promises nothing: the directory may change meanwhile.
type Foresight struct {
	dir  *Dir
	hash uint32
	at   int    // the entry of the table that is read next
	read entry  // what is there
	slot header // of the name, 0 if it is not there
}

// Foresee reads where the table's search for a name will begin.
func (d *Dir) Foresee(name string) Foresight {
	hash := hashText([]byte(name))
	at := d.names.home(hash)
	return Foresight{dir: d, hash: hash, at: at, read: d.names.entries[at]}
}

// Slot goes on to the name's slot in its block.
func (f *Foresight) Slot() {
	t := &f.dir.names
	for ; f.read.at != 0; f.read = t.entries[f.at] {
		if f.read.hash == f.hash {
			b, off := f.dir.slotAt(f.read.at - 1)
			f.slot = f.dir.blocks[b].at(off)
			return
		}
		f.at = t.next(f.at)
	}
}

// Inode is the inode that the name names, 0 if it names none.
func (f *Foresight) Inode() uint32 { return f.slot.ino() }
