package scenarios

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"mbsim/workload"
)

// userRoot is root as scenarios write it, and userOrdinary the user of a class that names none:
// one that is not root, and whom no file system names unless it is told to.
const (
	userRoot     = "root"
	userOrdinary = "1000"
)

// userType is a user: root, or UID[:GID[,GID...]]. Without groups the user's group has the
// number of the user.
type userType struct{}

func (userType) describe() string { return "a user: root, or UID[:GID[,GID...]]" }

func (t userType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return d.wrong(n, t.describe())
	}
	if n.Value == userRoot {
		*p.(*workload.User) = workload.User{Groups: []uint32{0}}
		return nil
	}
	uid, groups, some := strings.Cut(n.Value, ":")
	if !some {
		groups = uid
	}
	var u workload.User
	var ok bool
	if u.UID, ok = readID(uid); !ok {
		return d.wrong(n, t.describe())
	}
	for g := range strings.SplitSeq(groups, ",") {
		id, ok := readID(g)
		if !ok {
			return d.wrong(n, t.describe())
		}
		u.Groups = append(u.Groups, id)
	}
	*p.(*workload.User) = u
	return nil
}

// readID reads the number of a user or group. The largest of 32 bits stands for none.
func readID(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && n < 1<<32-1
}

func (userType) encode(p any) *yaml.Node {
	u := p.(*workload.User)
	number := func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
	if len(u.Groups) == 1 && u.Groups[0] == u.UID {
		if u.UID == 0 {
			return scalar("!!str", userRoot)
		}
		return scalar("!!int", number(u.UID))
	}
	var groups []string
	for _, g := range u.Groups {
		groups = append(groups, number(g))
	}
	return scalar("!!str", number(u.UID)+":"+strings.Join(groups, ","))
}

// checkWorkload makes the script of a recording, and refuses a user of a workload whose processes are those of
// classes.
func checkWorkload(d *decoder, n *yaml.Node, p any) error {
	if w := p.(*Workload); w.Trace != nil {
		if err := d.traced(n, w); err != nil {
			return err
		}
	}
	if user := keyNode(n, "user"); user != n && p.(*Workload).Script == nil {
		return d.errorf(user, "user is for a script: each class of processes has its own")
	}
	return nil
}
