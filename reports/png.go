package reports

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"
)

// Setting is a key and a text in a PNG's metadata. The key has 1 to 79 printable
// characters of ASCII.
type Setting struct{ Key, Text string }

const pngSignature = "\x89PNG\r\n\x1a\n"

// annotate copies a PNG, putting its resolution (pHYs) and the settings (tEXt;
// iTXt where the text is not Latin-1) behind its header.
func annotate(w io.Writer, png []byte, dpi int, settings []Setting) error {
	// The chunks go directly behind the first one, IHDR, whose length is fixed.
	const header = len(pngSignature) + 4 + 4 + 13 + 4 // and the chunk IHDR
	if len(png) < header || string(png[:len(pngSignature)]) != pngSignature || string(png[len(pngSignature)+4:len(pngSignature)+8]) != "IHDR" {
		return fmt.Errorf("not a PNG")
	}
	b := bytes.NewBuffer(make([]byte, 0, len(png)+4096))
	b.Write(png[:header])
	// The resolution: dots per metre in x and in y, and 1 for the unit.
	perMetre := uint32(math.Round(float64(dpi) / 0.0254))
	chunk(b, "pHYs", append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, perMetre), perMetre), 1))
	for _, s := range settings {
		if err := textChunk(b, s); err != nil {
			return err
		}
	}
	b.Write(png[header:])
	_, err := w.Write(b.Bytes())
	return err
}

// textChunk appends the chunk of one setting. A zero byte would end the text.
func textChunk(b *bytes.Buffer, s Setting) error {
	if n := len(s.Key); n == 0 || n > 79 || strings.ContainsFunc(s.Key, func(c rune) bool { return c < ' ' || c > '~' }) {
		return fmt.Errorf("%q: not a key of a PNG text", s.Key)
	}
	// tEXt has Latin-1, whose characters are the first 256 of Unicode.
	text := strings.ReplaceAll(s.Text, "\x00", " ")
	latin := make([]byte, 0, len(text))
	for _, c := range text {
		if c > 0xff {
			// Key, no compression, no language, no translated key, UTF-8.
			chunk(b, "iTXt", []byte(s.Key+"\x00\x00\x00\x00\x00"+strings.ToValidUTF8(text, "?")))
			return nil
		}
		latin = append(latin, byte(c))
	}
	chunk(b, "tEXt", append([]byte(s.Key+"\x00"), latin...))
	return nil
}

// chunk appends a chunk: length, type, data, and the checksum of type and data.
func chunk(b *bytes.Buffer, kind string, data []byte) {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(data)))
	b.Write(n[:])
	start := b.Len()
	b.WriteString(kind)
	b.Write(data)
	binary.BigEndian.PutUint32(n[:], crc32.ChecksumIEEE(b.Bytes()[start:]))
	b.Write(n[:])
}
