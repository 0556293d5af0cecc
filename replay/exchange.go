package replay

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"mbsim/kerneltext/ftrace"
)

// exchange is a request for blocks and its answer, as trace events show them.
type exchange struct {
	line     int    // of the script
	op       string // the operation
	request  string // the request event's fields
	answer   string // "block 5 len 1", or "no space"
	decision string // how it was found
}

// same says whether two exchanges have the same request and answer.
func (x *exchange) same(y *exchange) bool {
	return x.request == y.request && x.answer == y.answer
}

// readExchanges reads a trace, name in errors. The result is in the order of the requests.
func readExchanges(r io.Reader, name string) ([]*exchange, error) {
	var out []*exchange
	open := make(map[string]*exchange) // by task
	line, op := 0, ""
	s := ftrace.NewScanner(r, name)
	for s.Scan() {
		e := s.Event()
		switch e.Name {
		case "tracing_mark_write":
			if rest, ok := strings.CutPrefix(e.Text, "line "); ok {
				n, text, _ := strings.Cut(rest, " ")
				line, _ = strconv.Atoi(n) // the recorder wrote it, so it is a number
				op = text
			}
		// A request opens an exchange. Tasks take turns, so the open one is kept for each task.
		case "ext4_request_blocks":
			x := &exchange{line: line, op: op, request: e.Text, answer: "no space"}
			open[e.Task] = x
			out = append(out, x)
		// Before the answer the allocator tells how it found the blocks.
		case "ext4_mballoc_alloc", "ext4_mballoc_prealloc":
			if x := open[e.Task]; x != nil {
				x.decision = explain(e)
			}
		// The answer closes the exchange. One without blocks leaves "no space".
		case "ext4_allocate_blocks":
			x := open[e.Task]
			if x != nil && e.Number("len") > 0 {
				x.answer = fmt.Sprintf("block %d len %d", e.Number("block"), e.Number("len"))
			}
			delete(open, e.Task)
		}
	}
	return out, s.Err()
}

// explain says in words how a request was served.
func explain(e *ftrace.Event) string {
	if e.Name == "ext4_mballoc_prealloc" {
		return "from a preallocation: " + e.Field("result")
	}
	how := "criteria " + e.Field("cr")
	switch e.Field("cr") {
	case "10":
		how = "from an inode preallocation"
	case "20":
		how = "from a locality-group preallocation"
	}
	return fmt.Sprintf("%s, goal %s, found %s, examined %s extents in %s groups",
		how, e.Field("goal"), e.Field("result"), e.Field("blks"), e.Field("grps"))
}
