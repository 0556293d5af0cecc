package owners

import (
	"errors"
	"fmt"
	"strings"
)

// perSubject is how many contradictions of one subject are reported, and inAll how
// many of all.
const (
	perSubject = 10
	inAll      = 1000
)

// Report collects contradictions.
type Report struct {
	errs     []error
	about    string // what each message is about, "" for the whole
	number   uint64 // of that
	reported int    // messages about the subject so far
	omitted  int    // messages about all subjects that were beyond the limits
}

// About makes what follows about one subject, such as inode 12, until the next
// call.
func (r *Report) About(what string, number uint64) { r.about, r.number, r.reported = what, number, 0 }

// AboutAll makes what follows about the whole file system.
func (r *Report) AboutAll() { r.About("", 0) }

// Errorf notes a contradiction.
func (r *Report) Errorf(format string, args ...any) {
	if r.about != "" {
		r.reported++
	}
	// One damaged inode must not hide the others, nor fill the memory with messages.
	if r.reported > perSubject || len(r.errs) >= inAll {
		r.omitted++
		return
	}
	err := fmt.Errorf(format, args...)
	if r.about != "" {
		err = fmt.Errorf("%s %d: %w", r.about, r.number, err)
	}
	r.errs = append(r.errs, err)
}

// Err joins all contradictions, in the order in which they were found, as
// errors.Join does; nil where there is none.
func (r *Report) Err() error {
	if r.omitted > 0 {
		return errors.Join(append(r.errs[:len(r.errs):len(r.errs)], fmt.Errorf("%d contradictions more", r.omitted))...)
	}
	return errors.Join(r.errs...)
}

// Summary is one line for err: the first contradiction, and how many more were
// joined with it.
func Summary(err error) string {
	all := apart(err)
	text := strings.ReplaceAll(all[0].Error(), "\n", "; ")
	if n := len(all) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}

// apart takes apart what errors.Join joined; it is err alone where that joined
// nothing.
func apart(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, apart(e)...)
	}
	return all
}
