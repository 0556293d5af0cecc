// Package commentcount counts the comments inside function bodies, as a test: go test -v
// ./internal/commentcount prints the numbers of each package. A comment there should say
// which step follows, why, and the kernel's name for it; a number cannot tell whether it
// does, but a number near zero tells that nobody can read along.
package commentcount
