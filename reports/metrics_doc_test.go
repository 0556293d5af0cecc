package reports

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"mbsim/metrics"
)

const metricsIntro = `# Metrics

Everything that mbsim measures. Made from the registry in metrics/registry*.go by
` + "`go test ./reports -run MetricsDoc -rewrite`" + `; do not edit.

A *counter* counts up from the start of the run, and its value in a phase is the
difference to the phase's start. A *gauge* is a state, and its value in a phase is
that at its end. A *ratio* is computed from others: in a phase, from their
differences. A *span* is of what happened in a stretch of time: in the run, in a phase,
or, as a point of a curve, since the point before. A metric that does not apply to a run is absent from its results, not
zero. A share is of 1. **Bold** metrics are the ones that tables show first; those
marked with * need every file or every bitmap, and so are sampled at fewer moments.

*better* is the direction in which a metric improves, all else being equal; a dash
means that it describes the load, or is good or bad by context.
`

// writeMetricsDoc writes docs/METRICS.md: a table a group of the registry.
func writeMetricsDoc(w io.Writer) error {
	b := bufio.NewWriter(w) // Flush reports the error
	fmt.Fprint(b, metricsIntro)
	for _, h := range metrics.Headings() {
		fmt.Fprintf(b, "\n## %s\n\n| metric | unit | better | kind | what it is | source |\n|---|---|---|---|---|---|\n", h.Name)
		for _, id := range h.Metrics {
			m := metrics.At(id)
			name := "`" + m.Name + "`"
			if m.Headline {
				name = "**" + name + "**"
			}
			if m.Expensive {
				name += " \\*"
			}
			better := m.Better.String()
			if m.Better == metrics.Neither {
				better = "–"
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", name, m.Unit, better, m.Kind, tableText(m.Doc), tableText(m.Source))
		}
	}
	return b.Flush()
}

// tableText is a text in a cell of a Markdown table.
func tableText(s string) string {
	return strings.NewReplacer("|", "\\|", "*", "\\*", "<", "&lt;").Replace(s)
}

// docs/METRICS.md is made from the registry: -rewrite makes it anew.
func TestMetricsDoc(t *testing.T) {
	const path = "../docs/METRICS.md"
	var b bytes.Buffer
	if err := writeMetricsDoc(&b); err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(was, b.Bytes()) {
		t.Errorf("%s is not that of the registry: go test ./reports -run MetricsDoc -rewrite makes it anew", path)
	}
	for _, m := range metrics.List() {
		if !bytes.Contains(was, []byte("`"+m.Name+"`")) {
			t.Errorf("%s lacks %s", path, m.Name)
		}
	}
}
