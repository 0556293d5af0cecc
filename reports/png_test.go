package reports

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image/png"
	"strings"
	"testing"
)

// chunks lists type and data of a PNG's chunks, checking their checksums.
func chunks(t *testing.T, raw []byte) (out [][2]string) {
	t.Helper()
	for p := raw[len(pngSignature):]; len(p) > 0; {
		n := int(binary.BigEndian.Uint32(p))
		if sum := crc32.ChecksumIEEE(p[4 : 8+n]); sum != binary.BigEndian.Uint32(p[8+n:]) {
			t.Errorf("chunk %s: wrong checksum", p[4:8])
		}
		out = append(out, [2]string{string(p[4:8]), string(p[8 : 8+n])})
		p = p[12+n:]
	}
	return out
}

func TestPictureNamesItsRun(t *testing.T) {
	r := sample()
	r.Manifest.Command[2] = "größe's.yaml"
	var b bytes.Buffer
	p := Plots(r)[0]
	if err := p.Write(&b, Size{100, 100, 50, 8}, PNG); err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(b.Bytes())); err != nil {
		t.Fatal(err)
	}
	got := chunks(t, b.Bytes())
	texts := map[string]string{}
	for i, c := range got {
		switch c[0] {
		case "tEXt":
			k, v, _ := strings.Cut(c[1], "\x00")
			texts[k] = v
		case "IDAT":
			if got[0][0] != "IHDR" || len(texts) == 0 {
				t.Errorf("chunk %d is IDAT", i)
			}
		}
	}
	for k, want := range map[string]string{
		"Title": p.Title, "Software": "mbsim v1.2.3", "Seed": "7", "Scenario": "sample", "Scenario-Digest": "ab12", "Fingerprint": "f00d",
		"Command": "mbsim run 'gr\xf6\xdfe'\\''s.yaml' --set s_mb_order2_reqs=4", // Latin-1
		"Config":  `{"name":"sample"}`,
	} {
		if texts[k] != want {
			t.Errorf("%s is %q, want %q", k, texts[k], want)
		}
	}
	if got[1][0] != "pHYs" || binary.BigEndian.Uint32([]byte(got[1][1])) != 1969 { // 50 dots an inch
		t.Errorf("the second chunk is %q", got[1])
	}
}

func TestTextBeyondLatin1(t *testing.T) {
	var b bytes.Buffer
	if err := textChunk(&b, Setting{"Scenario", "файлы"}); err != nil {
		t.Fatal(err)
	}
	got := chunks(t, append([]byte(pngSignature), b.Bytes()...))
	if len(got) != 1 || got[0] != [2]string{"iTXt", "Scenario\x00\x00\x00\x00\x00файлы"} {
		t.Errorf("%q", got)
	}
	for _, key := range []string{"", "a\x00", "ключ", strings.Repeat("k", 80)} {
		if textChunk(&b, Setting{key, "x"}) == nil {
			t.Errorf("the key %q was taken", key)
		}
	}
	if annotate(&b, []byte("GIF89a"), 72, nil) == nil {
		t.Error("a GIF was taken")
	}
}
