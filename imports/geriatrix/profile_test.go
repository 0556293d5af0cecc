package geriatrix

import (
	"strings"
	"testing"
)

// TestRead: which of the three texts it is its columns or its name tell, and what follows the lines is a
// comment.
func TestRead(t *testing.T) {
	var p Profile
	for _, x := range [][2]string{
		{"size_distribution.txt", "2\n0 3\n4096 1\n\nFormat:\n<number of observations>\n"},
		{"a/age_distribution.txt", "3\n1.5 1\n\n2 0\n9 4\n"},
		{"x", "1\n2 5 7\n"},
	} {
		if !IsProfile([]byte(x[1])) && strings.Count(x[1], "\n") > 2 {
			t.Errorf("%q is not recognized", x[1])
		}
		if err := p.Read(strings.NewReader(x[1]), x[0]); err != nil {
			t.Error(err)
		}
	}
	if len(p.Ages) != 3 || len(p.Sizes) != 2 || len(p.Depths) != 1 || p.Depths[0].Dirs != 7 || Mean(p.Sizes) != 1024 || p.Ages[0].Value != 1.5 {
		t.Errorf("%+v", p)
	}
	for text, want := range map[string]string{
		"x\n":             `f:1:1: "x": want the number of lines that follow`,
		"2\n1 1\n":        "there are 1 lines of values, and the first line says 2",
		"2\n1 1\n1 1\n":   "f:3:1: the value 1 is not above that of the line before",
		"2\n1 1\n2 1 1\n": "f:3:1: it has 3 columns, and the lines before have 2",
		"1\n1 -1\n":       `f:2:1: "-1": want a number of 0 or more`,
		"1\n1 1 x\n":      `f:2:1: "x": want a number of directories`,
		"1\n1\n":          "f:2:1: want a value and a weight",
		"1\n1 0\n":        "all weights are 0",
		"":                "there are 0 lines of values",
		"1\n5 5\n":        "",
	} {
		p := Profile{}
		err := p.Read(strings.NewReader(text), "f")
		if want == "" && err == nil {
			err = p.Read(strings.NewReader(text), "age2")
			want = "age2:1:1: there is such a distribution already"
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
