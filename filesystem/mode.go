package filesystem

// The types of inodes, as st_mode has them beside the permissions.
const (
	ModeType    = 0o170000 // S_IFMT: the bits of st_mode that say which it is
	ModeDir     = 0o040000 // S_IFDIR
	ModeRegular = 0o100000 // S_IFREG
	ModeLink    = 0o120000 // S_IFLNK: a symbolic link
)

// IsDir says whether st_mode is that of a directory.
func IsDir(mode uint32) bool { return mode&ModeType == ModeDir }

// IsRegular says whether st_mode is that of a regular file.
func IsRegular(mode uint32) bool { return mode&ModeType == ModeRegular }
