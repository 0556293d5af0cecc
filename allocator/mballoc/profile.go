package mballoc

import "fmt"

// Profile is everything that differs between kernel versions. All of it is in
// this file.
type Profile struct {
	Name string // as scenarios and flags name it
	Doc  string // which kernel it is
	// MergeGoal moves the goal to the neighbours a window touches. Before
	// 5.10.223 (and 6.1.192) a mistake wrote that to a field nobody reads, so
	// that the old goal was tried.
	MergeGoal bool
	// ThreeStepPlacement places an inode preallocation shorter than its goal at
	// the goal's end, else at its start, else at the request.
	ThreeStepPlacement bool
	// GoalOnlyTriesGoal lets HINT_GOAL_ONLY alone try the goal.
	GoalOnlyTriesGoal bool
	// ClampTinyGroups keeps a window in the group-sized part of the file that
	// the request is in, and below the largest file.
	ClampTinyGroups bool
	// DiscardRetries is how many searches a request makes at most, 0 for no
	// limit.
	DiscardRetries int
	// SimpleWraps lets the allocator of fast-commit replay search all groups,
	// and counts its clusters as clusters.
	SimpleWraps bool
}

// The profiles.
var (
	Linux5_10 = Profile{
		Name: "5.10", Doc: "Linux 5.10.223",
		MergeGoal: true, ThreeStepPlacement: true, GoalOnlyTriesGoal: true, ClampTinyGroups: true, DiscardRetries: 3,
		SimpleWraps: true,
	}
	Linux5_10Seed = Profile{
		Name: "5.10-seed", Doc: "Linux 5.10 of about 5.10.28 to 5.10.100, as the project's first seed shows it",
	}
	// DefaultProfile is used where none is named.
	DefaultProfile = Linux5_10
)

// Profiles lists all profiles.
func Profiles() []Profile { return []Profile{Linux5_10, Linux5_10Seed} }

// ProfileByName finds a profile.
func ProfileByName(name string) (Profile, error) {
	for _, p := range Profiles() {
		if p.Name == name {
			return p, nil
		}
	}
	return Profile{}, fmt.Errorf("unknown profile %q", name)
}
