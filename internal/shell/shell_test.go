package shell

import (
	"os/exec"
	"testing"
)

// hostile are words that a shell makes something else of unless they are quoted.
var hostile = []string{
	"", "plain", "two words", "$(id>injected)", "`id`", "$HOME", "a'b", `a"b`, "'", "''", `\`, `\n`, "a\nb", "\n", "-n", "~", "*", "a;id", "a&id|id", "#x",
	"$'x'", "!x", "\x01\x7f", "\xff\xfe", "ü", "{a,b}", "a=b", "<x>", "(x)", "[x]", "\t ", "a\\\nb",
}

// A real shell makes of each quoted word the word.
func TestQuote(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	for _, s := range hostile {
		c := exec.Command(sh, "-c", "printf '%s|' "+Quote(s))
		c.Dir = t.TempDir()
		if out, err := c.CombinedOutput(); err != nil || string(out) != s+"|" {
			t.Errorf("%q as %s: %q, %v", s, Quote(s), out, err)
		}
	}
	out, err := exec.Command(sh, "-c", Line(append([]string{"printf", "%s|"}, hostile...))).Output()
	want := ""
	for _, s := range hostile {
		want += s + "|"
	}
	if err != nil || string(out) != want {
		t.Errorf("%q, %v", out, err)
	}
}
