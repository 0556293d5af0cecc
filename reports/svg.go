package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// FileFormat is how a picture is written, and how its file's name ends.
type FileFormat string

// The formats.
const (
	PNG FileFormat = ".png"
	SVG FileFormat = ".svg"
)

// named is the name of a picture's file of this size and format. Those of a slide's size say so.
func named(name string, s Size, form FileFormat) string {
	if s == Slide {
		name += "-slide"
	}
	return name + string(form)
}

// families are fonts with the same widths as the one that pictures are laid out with, so that texts
// keep their places where that one is missing.
const families = "'Liberation Sans',Arimo,Helvetica,Arial,sans-serif"

// annotateSVG copies an SVG, with the settings in it: those called Title and Description where
// programs look for them, and the others as one text.
func annotateSVG(w io.Writer, svg string, settings []Setting) error {
	// Everything goes directly behind the first tag.
	open := strings.Index(svg, "<svg")
	end := open + strings.Index(svg[max(open, 0):], ">") + 1
	if open < 0 || end <= open {
		return fmt.Errorf("not an SVG")
	}
	var b, others strings.Builder
	b.WriteString(svg[:end] + "\n")
	for _, s := range settings {
		switch tag := map[string]string{"Title": "title", "Description": "desc"}[s.Key]; tag {
		case "":
			others.WriteString(s.Key + ": " + s.Text + "\n")
		default:
			element(&b, tag, s.Text)
		}
	}
	if others.Len() > 0 {
		element(&b, "metadata", others.String())
	}
	b.WriteString(strings.ReplaceAll(svg[end:], "font-family:Liberation Sans", "font-family:"+families))
	_, err := io.WriteString(w, b.String())
	return err
}

// element appends an element that holds a text. What XML has no characters for is replaced.
func element(b *strings.Builder, tag, s string) {
	b.WriteString("<" + tag + ">")
	_ = xml.EscapeText(b, []byte(s)) // a Builder takes everything
	b.WriteString("</" + tag + ">\n")
}
