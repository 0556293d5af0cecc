// Package nearest finds the valid name that a mistyped one was meant to be, for
// error messages that say "did you mean".
//
// Read next: scenarios, file errors.go, which words such messages.
package nearest

// longest is how many bytes of a name are compared: a mistake may be a whole
// file, and no valid name is longer.
const longest = 64

// Of is the name with the fewest bytes to insert, delete or change from s, the
// first of several, and whether it is near enough to be what was meant: at most
// half of it differs. Without names it is "", which is not near.
func Of(s string, names []string) (best string, near bool) {
	least := -1
	for _, name := range names {
		if d := edits(s[:min(len(s), longest)], name); least < 0 || d < least {
			best, least = name, d
		}
	}
	return best, least >= 0 && 2*least <= max(len(best), 2)
}

// edits is the distance of Levenshtein.
func edits(a, b string) int {
	// row[j] is the distance between the first i bytes of a and the first j bytes of b.
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			// The least of changing a[i] into b[j], deleting a[i], and inserting b[j].
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
