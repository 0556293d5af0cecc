package ext4

import "mbsim/filesystem/image"

// stamps are the times of inodes, kept where somebody wants to write them to a disk
// (Options.Stamps). No decision depends on them, so that they are kept apart from the inodes.
// They are pages of stampsPerPage inodes each, made on first use.
type stamps [][]image.Times

const stampsPerPage = 128

// stampsOf are the times of an inode that were kept, nil where none are.
func (fs *FS) stampsOf(in *inode) *image.Times {
	if fs.stamps == nil || fs.opt.Clock == nil {
		return nil
	}
	page := &fs.stamps[in.Number/stampsPerPage]
	if *page == nil {
		*page = make([]image.Times, stampsPerPage)
	}
	return &(*page)[in.Number%stampsPerPage]
}

// stampMade notes that an inode was made now.
func (fs *FS) stampMade(in *inode) {
	if s := fs.stampsOf(in); s != nil {
		now := fs.opt.Clock()
		*s = image.Times{Made: now, Changed: now, Modified: now, Stamped: true}
	}
}

// stampModified notes that what an inode holds was changed now: the data of a file, the names of a
// directory.
func (fs *FS) stampModified(in *inode) {
	if s := fs.stampsOf(in); s != nil {
		s.Changed, s.Modified, s.Stamped = fs.opt.Clock(), fs.opt.Clock(), true
	}
}

// stampChanged notes that an inode itself was changed now, such as its links.
func (fs *FS) stampChanged(in *inode) {
	if s := fs.stampsOf(in); s != nil {
		if !s.Stamped {
			s.Modified = s.Changed // as at the start
		}
		s.Changed, s.Stamped = fs.opt.Clock(), true
	}
}

// stampMoved notes that an inode moved from one directory to another now.
func (fs *FS) stampMoved(in, from, to *inode) {
	fs.stampModified(from)
	fs.stampModified(to)
	fs.stampChanged(in)
}

// timesOf are the times of an inode.
func (fs *FS) timesOf(in *inode) image.Times {
	if page := int(in.Number / stampsPerPage); page < len(fs.stamps) && fs.stamps[page] != nil {
		return fs.stamps[page][in.Number%stampsPerPage]
	}
	return image.Times{}
}
