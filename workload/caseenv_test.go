package workload

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hostile are values that a shell makes something else of unless they are quoted.
var hostile = []string{
	"", "-b 4096", "-L $(touch injected)", "-L `touch injected`", "$HOME", "a'b", `a"b`, "'", `\`, `\n`, "a\nb", "\n", "; touch injected",
	"& touch injected", "| touch injected", "> injected", "# x", "*", "~", "a\\\nb", "'; touch injected; '", "\"$(touch injected)\"", "\r\n", "\t", "ü\xff",
}

// What is written is read back as it was, by mbsim and by a real shell, which runs
// nothing.
func TestEnvInAShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	for _, value := range hostile {
		dir := t.TempDir()
		text, err := WriteEnv([]EnvVar{{Key: "SIZE", Value: "64M"}, {Key: "MKFS", Value: value}, {Key: "MOUNT", Value: "x"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "case.env"), text, 0o666); err != nil {
			t.Fatal(err)
		}
		c := exec.Command(sh, "-c", `. ./case.env; printf '%s|%s|%s' "$SIZE" "$MKFS" "$MOUNT"`)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil || string(out) != "64M|"+value+"|x" {
			t.Errorf("%q: a shell reads %q, %v from %s", value, out, err, text)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("%q: a shell ran something: %v, %v", value, entries, err)
		}
		vars, err := parseEnv(string(text), "case.env")
		if err != nil || len(vars) != 3 || vars[1].Value != value || vars[2].Value != "x" {
			t.Errorf("%q: read as %+v, %v", value, vars, err)
		}
	}
	if _, err := WriteEnv([]EnvVar{{Key: "MKFS", Value: "a\x00"}}); err == nil {
		t.Error("a zero byte was written")
	}
}

// The ways to quote that a shell knows.
func TestParseEnv(t *testing.T) {
	for text, want := range map[string]string{
		"A=b":                  "b",
		"A='b'\\''c' # d":      "b'c",
		`A="b\"c\\d\e\$f" B=1`: `b"c\d\e$f`,
		"A='two\nlines'\nB=x":  "two\nlines",
		`A=b\ c;B=x`:           "b c",
		"A=b#c":                "b#c",
		"A=":                   "",
	} {
		vars, err := parseEnv(text, "e")
		if err != nil || vars[0].Key != "A" || vars[0].Value != want {
			t.Errorf("%s: %+v, %v: want %q", text, vars, err, want)
		}
	}
	for text, want := range map[string]string{
		"A='b\n\nc":     "e:1:3: the quote ' is not closed",
		"A='b\n'\nB=$C": "e:3:3: '$' needs a shell: write the value out",
		"A=\"b\n `c\"":  "e:2:2: '`' needs a shell: write the value out",
		"A=b\\":         `e:1:4: '\\' needs a shell: write the value out`,
		"A=\"b\\\nc\"":  `e:1:5: '\\' needs a shell: write the value out`,
		"A=b\x00":       `e:1:4: '\x00' needs a shell: write the value out`,
		" 'A'=b":        `e:1:2: want KEY="VALUE"`,
	} {
		if _, err := parseEnv(text, "e"); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// Whatever case.env holds: one line of an error with its place, or values that are
// read again as they are written.
func FuzzCaseEnv(f *testing.F) {
	for _, v := range hostile {
		text, err := WriteEnv([]EnvVar{{Key: "MKFS", Value: v}, {Key: "SIZE", Value: "64M"}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("# a comment\nSIZE=\"6G\" SMP=4\nMKFS='-b 4096 -O ^orphan_file'\nMOUNT=\"commit=9999,nodelalloc\" # why\nMEM=512\nPIDMOD=\n"))
	f.Add([]byte("TUNABLES=\"mb_order2_req=5 mb_stats=1\"\nMKFS_EXT2=\"-b 1024\"\nMOUNT_EXT2=oldalloc\nTCG=multi\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		vars, err := parseEnv(string(text), "case.env")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "case.env:") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q", err)
			}
			return
		}
		for _, v := range vars {
			if err := new(Case).set(v); err != nil && strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q", err)
			}
		}
		written, err := WriteEnv(vars)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseEnv(string(written), "case.env")
		same := func(a, b EnvVar) bool { return a.Key == b.Key && a.Value == b.Value }
		if err != nil || !slices.EqualFunc(vars, again, same) {
			t.Fatalf("%+v was written as %q and read as %+v, %v", vars, written, again, err)
		}
		if rewritten, err := WriteEnv(again); err != nil || !bytes.Equal(written, rewritten) {
			t.Fatalf("%q, %v", rewritten, err)
		}
	})
}
