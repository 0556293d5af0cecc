package filesystem

import (
	"fmt"
	"slices"
	"strconv"
)

// User is whose rights a process has. Files have no owners here, and nobody is denied a file: it
// decides who may take the blocks that are reserved for root, and nothing else.
type User struct {
	UID    uint32
	Groups []uint32 // ids of its group and of those it belongs to besides
}

// Reserve says who may take the blocks that are reserved for root, besides root itself: a user
// (s_resuid) and the members of a group (s_resgid, 0 for none).
type Reserve struct {
	UID, GID uint32
}

// OpenTo says whether a process of user u, root's where nil, may take the reserve
// (ext4_has_free_clusters, ext2_has_free_blocks).
func (r Reserve) OpenTo(u *User) bool {
	// Root has CAP_SYS_RESOURCE, whoever else is named. So have the kernel's own threads.
	if u == nil || u.UID == 0 {
		return true
	}
	// Group 0 stands for nobody, so that it is not everybody of root's group who may.
	return u.UID == r.UID || r.GID != 0 && slices.Contains(u.Groups, r.GID)
}

// ReserveOptions are the mount options resuid= and resgid=. -1 leaves what the superblock says.
type ReserveOptions struct {
	UID, GID int64
}

// Parse applies the mount option key=value if it is one of them, and returns false for any other.
func (o *ReserveOptions) Parse(key, value string) (known bool, err error) {
	at := &o.UID
	switch key {
	case "resuid":
	case "resgid":
		at = &o.GID
	default:
		return false, nil
	}
	// The largest number stands for no user (INVALID_UID).
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil || n == 1<<32-1 {
		return true, fmt.Errorf("mount option %s needs the number of a user or group, 0 to 4294967294: %q", key, key+"="+value)
	}
	*at = int64(n)
	return true, nil
}

// Over is who may take the reserve of a file system with this s_def_resuid and s_def_resgid.
func (o ReserveOptions) Over(uid, gid uint16) Reserve {
	r := Reserve{uint32(uid), uint32(gid)}
	if o.UID >= 0 {
		r.UID = uint32(o.UID)
	}
	if o.GID >= 0 {
		r.GID = uint32(o.GID)
	}
	return r
}
