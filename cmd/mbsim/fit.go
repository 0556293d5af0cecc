package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"golang.org/x/term"
)

// widthOf is how many characters a line on w may have: those of the terminal, or the environment's
// COLUMNS. It is 0, for any number, where w is a file or a pipe and nothing is said.
func widthOf(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

const (
	separator  = 3  // characters between two columns, and outside of them one on each side
	narrowest  = 9  // a column of words is not made narrower while another can be
	widestWord = 28 // columns that hold names are this wide at most, the last one sentenceWide
	sentence   = 72
)

// fit returns how wide each column may be so that a table is no wider than width, 0 for any. Where
// wrapping does not do, the columns at the end get no width, and are left out.
func fit(header table.Row, rows []table.Row, width int) []int {
	// The width that each column has by itself. The last two hold sentences.
	wide := make([]int, len(header))
	for i := range header {
		for _, row := range append([]table.Row{header}, rows...) {
			if i < len(row) {
				wide[i] = max(wide[i], utf8.RuneCountInString(fmt.Sprint(row[i])))
			}
		}
	}
	last := len(wide) - 1
	wide[last] = min(wide[last], sentence)
	if last > 0 {
		wide[last-1] = min(wide[last-1], widestWord)
	}
	if width == 0 {
		return wide
	}
	for n := len(wide); n > 0; n-- {
		room := width - (n-1)*separator - 2
		kept := slices.Clone(wide[:n])
		// The widest column gives way until all fit, or none can.
		for sum(kept) > room {
			i := slices.Index(kept, slices.Max(kept))
			if kept[i] <= narrowest {
				break
			}
			kept[i]--
		}
		if sum(kept) <= room || n == 1 {
			return append(kept, make([]int, len(wide)-n)...)
		}
	}
	return wide
}

func sum(numbers []int) (n int) {
	for _, x := range numbers {
		n += x
	}
	return n
}

// columnsOf lays a table out by the widths that fit returned.
func columnsOf(wide []int) (configs []table.ColumnConfig) {
	for i, n := range wide {
		configs = append(configs, table.ColumnConfig{Number: i + 1, WidthMax: n, Hidden: n == 0, WidthMaxEnforcer: wrapWords})
	}
	return configs
}

// wrapWords breaks a text into lines of at most width characters between words, and inside of those
// that are longer, after an underscore, a slash or a dot where there is one.
func wrapWords(s string, width int) string {
	var lines []string
	for line := range strings.Lines(s) {
		out := ""
		for _, word := range strings.Fields(line) {
			for {
				gap := min(len(out), 1)
				if utf8.RuneCountInString(out)+gap+utf8.RuneCountInString(word) <= width {
					out += strings.Repeat(" ", gap) + word
					break
				}
				if out != "" {
					lines, out = append(lines, out), ""
					continue
				}
				cut := len(string([]rune(word)[:max(1, width)]))
				if at := strings.LastIndexAny(word[:cut], "_/.,-"); at > 0 {
					cut = at + 1
				}
				lines, word = append(lines, word[:cut]), word[cut:]
			}
		}
		lines = append(lines, out)
	}
	return strings.Join(lines, "\n")
}
