package reports

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestSVG: every picture of a run and of a study is well-formed XML with the texts that the PNG has,
// with its settings, and the same bytes twice.
func TestSVG(t *testing.T) {
	r := sample()
	r.Manifest.Scenario = `a <b> & "c"`
	for _, p := range Plots(r) {
		var first, second bytes.Buffer
		for _, b := range []*bytes.Buffer{&first, &second} {
			if err := p.Write(b, Paper, SVG); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s: written twice, it differs", p.Name)
		}
		// Gather all texts, and the elements that hold them.
		texts := map[string]string{}
		dec := xml.NewDecoder(&first)
		in := ""
		for {
			token, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", p.Name, err)
			}
			switch x := token.(type) {
			case xml.StartElement:
				in = x.Name.Local
			case xml.CharData:
				texts[in] += string(x)
			}
		}
		if !strings.Contains(texts["title"], p.Title) || !strings.Contains(texts["desc"], p.Caption) || !strings.Contains(texts["metadata"], "s_mb_order2_reqs=4") {
			t.Errorf("%s: title %q, desc %q, metadata %q", p.Name, texts["title"], texts["desc"], texts["metadata"])
		}
		if !strings.Contains(texts["text"], `a <b> & "c", seed 7`) {
			t.Errorf("%s: the run's name is not among %q", p.Name, texts["text"])
		}
	}
	if err := annotateSVG(io.Discard, "no picture", nil); err == nil {
		t.Error("what is no SVG is annotated")
	}
}
