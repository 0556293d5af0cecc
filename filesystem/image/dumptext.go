package image

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// What is here takes off a text what mail programs, web pages, editors and translations
// have put on it, so that the rest of the reader sees the lines that dumpe2fs printed.

// byteOrderMark begins a UTF-8 text that some editors have saved.
const byteOrderMark = "\ufeff"

// wide are punctuation marks of Chinese and Japanese texts, and blanks that web pages use,
// with what dumpe2fs prints for them in English.
var wide = strings.NewReplacer("：", ": ", "，", ", ", "、", ", ", "（", "(", "）", ")", "\u00a0", " ", "\u3000", " ")

// plainLine is a line without what was put around it: indents, the marks of quoted text,
// carriage returns, a byte order mark.
func plainLine(line []byte) string {
	s := strings.TrimPrefix(string(line), byteOrderMark)
	// Only a line that has other than ASCII can have any of the wide characters.
	if strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		s = wide.Replace(s)
	}
	s = strings.TrimLeftFunc(s, func(r rune) bool { return r == '>' || r == '|' || unicode.IsSpace(r) })
	return strings.TrimRightFunc(s, unicode.IsSpace)
}

// utf16Text reads a text of 16-bit characters as UTF-8, if it begins with their byte order
// mark: what PowerShell writes behind >. Any other text is read as it is.
func utf16Text(r io.Reader) io.Reader {
	b := bufio.NewReaderSize(r, 1<<16)
	head, err := b.Peek(2)
	switch {
	case err == nil && head[0] == 0xff && head[1] == 0xfe:
		return &utf16Reader{r: b, low: 0}
	case err == nil && head[0] == 0xfe && head[1] == 0xff:
		return &utf16Reader{r: b, low: 1}
	}
	return b
}

// utf16Reader turns 16-bit characters into UTF-8.
type utf16Reader struct {
	r    *bufio.Reader
	low  int    // which of the two bytes is the lower one
	high rune   // the first half of a character of two, 0 for none
	rest []byte // of the character that did not fit
}

func (u *utf16Reader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		// What is left of the last character goes first.
		if len(u.rest) > 0 {
			c := copy(p[n:], u.rest)
			u.rest, n = u.rest[c:], n+c
			continue
		}
		var two [2]byte
		if _, err := io.ReadFull(u.r, two[:]); err != nil {
			if n > 0 {
				return n, nil
			}
			return 0, io.EOF
		}
		c := rune(two[u.low]) | rune(two[1-u.low])<<8
		// Characters above 16 bits come in two halves.
		if utf16.IsSurrogate(c) && u.high == 0 {
			u.high = c
			continue
		}
		if u.high != 0 {
			c, u.high = utf16.DecodeRune(u.high, c), 0
		}
		u.rest = utf8.AppendRune(u.rest[:0], c)
	}
	return n, nil
}

// parseNumber reads a number as dumpe2fs prints it: decimal, or with -x hexadecimal after 0x.
func parseNumber(s string, bits int) (uint64, error) {
	if digits, hex := strings.CutPrefix(s, "0x"); hex {
		return strconv.ParseUint(digits, 16, bits)
	}
	return strconv.ParseUint(s, 10, bits)
}

// groupHeadText is the first line of a group, in any language: "Group 0: (Blocks 0-32767)",
// before e2fsprogs 1.25 "(Blocks 0 -- 32767)". What follows are checksum and flags.
var groupHeadText = regexp.MustCompile(`^(\D*?) *(\d+) *: *\(\D*?(0x[0-9a-fA-F]+|\d+) *--? *(0x[0-9a-fA-F]+|\d+)\)(.*)$`)

// placeText is where a bitmap or an inode table lies, in any language: "34 (+33)", or
// "1305-2584 (bg #0 + 1305)".
var placeText = regexp.MustCompile(`(0x[0-9a-fA-F]+|\d+)(?:-(?:0x[0-9a-fA-F]+|\d+))? *\([^()]*\+ *\d+\)`)

// reservedID reads the number of a user or group, before its name: "0 (user root)".
func reservedID(v string) (uint16, error) {
	number, _, _ := strings.Cut(v, " ")
	n, err := parseNumber(number, 16)
	if err != nil {
		return 0, fmt.Errorf("want the number of a user or group, have %.40q", v)
	}
	return uint16(n), nil
}
