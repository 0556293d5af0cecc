// Package geriatrix reads the profiles of Geriatrix, an ager of file systems: how old files are, how large, and
// how deep they lie, as a text each.
//
//	p := geriatrix.Profile{}
//	err := p.Read(text, "age_distribution.txt")   // which of the three it is its name or its columns tell
//
// # Invariants
//
// A text has the number of its lines first, then a line for each value: the value and its weight, and for
// depths how many directories there are. What follows is a comment.
// Values go up and weights are 0 or more, one of them above 0. What is otherwise is an error with line and
// column.
//
// Ages have no unit: only their relation to one another counts. Sizes are in bytes.
//
// Read next: imports.
package geriatrix
