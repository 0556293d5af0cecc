package columns

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Table is what is printed: rows below a header, and nothing of how wide it becomes.
type Table struct {
	Title  string // a line above the header, if any
	Header table.Row
	Rows   []table.Row // one with a single cell is the name of a group
	Right  []int       // numbers, from 1, of the columns of numbers
	Plain  bool        // no lines between columns, and none between groups
}

const (
	narrowest  = 9  // a column of words is not made narrower,
	longest    = 12 // nor so narrow that it cuts pieces of up to so many characters
	widestWord = 28 // the column before the last is this wide at most, the last one sentence
	sentence   = 72
)

// breaks are the characters behind which a long word is broken.
const breaks = "_/.,-="

// gap is how many characters stand between two columns.
func (t *Table) gap() int {
	if t.Plain {
		return 2
	}
	return 3
}

// outside is how many characters stand left and right of all columns together.
const outside = 2

// isNumber says whether a column, from 0, is one of numbers.
func (t *Table) isNumber(column int) bool { return slices.Contains(t.Right, column+1) }

// natural is how wide each column is by itself, and how narrow it may become.
func (t *Table) natural() (wide, least []int) {
	wide, least = make([]int, len(t.Header)), make([]int, len(t.Header))
	for i := range t.Header {
		for _, row := range append([]table.Row{t.Header}, t.Rows...) {
			if i >= len(row) {
				continue
			}
			cell := fmt.Sprint(row[i])
			wide[i] = max(wide[i], utf8.RuneCountInString(cell))
			least[i] = max(least[i], min(longestPiece(cell), longest))
		}
		least[i] = max(least[i], narrowest)
	}
	// Sentences are wrapped on wide terminals too.
	last := len(wide) - 1
	if !t.isNumber(last) {
		wide[last] = min(wide[last], sentence)
	}
	if last > 1 && !t.isNumber(last-1) {
		wide[last-1] = min(wide[last-1], widestWord)
	}
	// Numbers stay as wide as they are.
	for i := range wide {
		if t.isNumber(i) {
			least[i] = wide[i]
		}
	}
	return wide, least
}

// longestPiece is the length of the longest piece of a text that wrap would not break.
func longestPiece(s string) (n int) {
	for _, piece := range strings.FieldsFunc(s, func(c rune) bool { return c == ' ' || strings.ContainsRune(breaks, c) }) {
		n = max(n, utf8.RuneCountInString(piece)+1)
	}
	return n
}

// fit returns how wide each column may be so that the table is no wider than width. Columns that
// are left out have no width.
func (t *Table) fit(width int) []int {
	wide, least := t.natural()
	if width == 0 {
		return wide
	}
	for n := len(wide); n > 0; n-- {
		room := width - (n-1)*t.gap() - outside
		kept := slices.Clone(wide[:n])
		for sum(kept) > room && giveWay(kept, least) {
		}
		if sum(kept) <= room || n == 1 {
			return append(kept, make([]int, len(wide)-n)...)
		}
	}
	return wide
}

// giveWay makes the widest column that can be narrower so, and says whether there was one.
func giveWay(wide, least []int) bool {
	widest := -1
	for i := range wide {
		if wide[i] > least[i] && (widest < 0 || wide[i] > wide[widest]) {
			widest = i
		}
	}
	if widest < 0 {
		return false
	}
	wide[widest]--
	return true
}

func sum(numbers []int) (n int) {
	for _, x := range numbers {
		n += x
	}
	return n
}

// Write prints the table, its lines no wider than width characters.
func (t *Table) Write(w io.Writer, width int) error {
	out := table.NewWriter()
	out.SetStyle(table.StyleLight)
	style := out.Style()
	// Texts as they are: the library would turn headers into capitals.
	style.Format = table.FormatOptions{Header: text.FormatDefault, Footer: text.FormatDefault, Row: text.FormatDefault}
	style.Options.DrawBorder = false
	if t.Plain {
		style.Options = table.Options{SeparateHeader: true}
		style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	}
	out.AppendHeader(t.Header)
	for i, row := range t.Rows {
		if len(row) == 1 && i > 0 && !t.Plain {
			out.AppendSeparator()
		}
		out.AppendRow(row)
	}
	// The columns: how wide, and numbers at the right.
	var configs []table.ColumnConfig
	for i, n := range t.fit(width) {
		c := table.ColumnConfig{Number: i + 1, WidthMax: n, Hidden: n == 0, WidthMaxEnforcer: wrap}
		if t.isNumber(i) {
			c.Align = text.AlignRight
			if t.Plain {
				c.AlignHeader = text.AlignRight
			}
		}
		configs = append(configs, c)
	}
	out.SetColumnConfigs(configs)
	// The title is wrapped as a paragraph, and the library fills every line with spaces.
	var b strings.Builder
	if t.Title != "" {
		title := t.Title
		if width > 2 {
			title = strings.ReplaceAll(wrap(title, width-1), "\n", "\n ")
		}
		b.WriteString(" " + title + "\n")
	}
	for line := range strings.SplitSeq(out.Render(), "\n") {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown prints the table for whoever lays Markdown out.
func (t *Table) Markdown(w io.Writer) error {
	out := table.NewWriter()
	out.AppendHeader(t.Header)
	out.AppendRows(t.Rows)
	var configs []table.ColumnConfig
	for _, n := range t.Right {
		configs = append(configs, table.ColumnConfig{Number: n, Align: text.AlignRight})
	}
	out.SetColumnConfigs(configs)
	_, err := fmt.Fprintln(w, out.RenderMarkdown())
	return err
}

// widestParagraph is how wide a paragraph is where there is room for any number of characters:
// longer lines are hard to read.
const widestParagraph = 100

// Paragraph wraps a text into lines of at most width characters.
func Paragraph(s string, width int) string {
	if width == 0 || width > widestParagraph {
		width = widestParagraph
	}
	return wrap(s, width)
}

// wrap breaks a text into lines of at most width characters between words, and inside of those
// that are longer, behind one of breaks where there is one. Lines keep the blanks that they begin with.
func wrap(s string, width int) string {
	var lines []string
	for line := range strings.Lines(s) {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		if len(indent) > width/2 {
			indent = ""
		}
		for _, l := range wrapLine(strings.Fields(line), width-len(indent)) {
			lines = append(lines, indent+l)
		}
	}
	return strings.Join(lines, "\n")
}

// wrapLine puts words into lines, of which there is one at least.
func wrapLine(words []string, width int) (lines []string) {
	out := ""
	for _, word := range words {
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
			if at := strings.LastIndexAny(word[:cut], breaks); at > 0 {
				cut = at + 1
			}
			lines, word = append(lines, word[:cut]), word[cut:]
		}
	}
	return append(lines, out)
}
