package scenarios

import (
	"regexp"
	"sync"
)

// onUse is a regular expression that is compiled when it is first asked for: most
// commands read no scenario, and every one would wait for it at its start.
func onUse(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
