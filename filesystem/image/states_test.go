package image

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The files in testdata/states are what people have: texts and images that were read wrongly
// or refused once, with the right answer for each. Most are of file systems of 4 MiB.

// stateText reads a text of testdata/states as a scenario's device does.
func stateText(t *testing.T, name string, o Dump) (*Layout, error) {
	t.Helper()
	o.Headers = true
	return o.Read(bytes.NewReader(gunzip(t, "testdata/states/"+name+".gz")), name)
}

// noted says whether one of the notes holds a text.
func noted(l *Layout, want string) bool {
	return strings.Contains(strings.Join(l.Notes, "\n"), want)
}

func TestStatesTexts(t *testing.T) {
	for _, c := range []struct {
		name string
		free uint64 // blocks
		note string // one that must be there; "" where there is none at all
	}{
		{"ext2-mounted.dump", 3310, "the superblock counts 3806 free blocks and 1013 free inodes, the groups 3310 and 1007, which count"},
		{"ext2-mounted.dump", 3310, "the file system's state is not clean"},
		{"ext4-nojournal-mounted.dump", 3299, "the superblock counts 3790 free blocks"},
		{"german.dump", 3299, ""},
		{"chinese.dump", 3299, ""},
		{"crlf.dump", 3299, ""},
		{"bom.dump", 3299, ""},
		{"indented.dump", 3299, ""},
		{"fenced.dump", 3299, ""},
		{"trailing-prompt.dump", 3299, "what stands behind the last group, from line 57 on, is left out"},
		{"hex.dump", 3299, ""},
		{"old-1.18-style.dump", 7918, ""},
		{"journal-users.dump", 982, ""},
		{"h-only.dump", 3299, "the text has no groups"},
		{"h-only.dump", 3299, "it is filled until 3299 blocks and 1007 inodes are free"},
	} {
		l, err := stateText(t, c.name, Dump{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := l.FreeClusters(); got != c.free || uint64(l.Super.FreeBlocks) != c.free {
			t.Errorf("%s: %d free blocks, %d by the superblock, want %d", c.name, got, l.Super.FreeBlocks, c.free)
		}
		if c.note == "" && len(l.Notes) > 0 || !noted(l, c.note) {
			t.Errorf("%s: notes %q, want %q", c.name, l.Notes, c.note)
		}
	}
}

// TestStatesImages opens the images, and tells the free blocks or the error of each.
func TestStatesImages(t *testing.T) {
	for _, c := range []struct {
		name string
		free uint64
		want string // note, or error where free is 0
	}{
		{"orphans.img.gz", 6643, "1 deleted that had no name, 0 truncated, 1221 blocks more are free"},
		{"sb-free-too-big.img.gz", 14319, "which count"},
		{"e2image.qcow2.xz", 52901, ""},
		{"journal_dev.img.gz", 0, "an external journal (made by mke2fs -O journal_dev), not a file system"},
		{"readonly-feature.img.gz", 14319, ""},
		{"orphan_present.img.gz", 14287, ""},
	} {
		path := filepath.Join("testdata", "states", c.name)
		l, err := Open(path)
		switch {
		case err != nil && (c.free != 0 || c.want == "" || !strings.Contains(err.Error(), path+": "+c.want)):
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		case err == nil && (l.FreeClusters() != c.free || !noted(l, c.want)):
			t.Errorf("%s: %d free blocks, notes %q", c.name, l.FreeClusters(), l.Notes)
		}
		if err == nil {
			l.Close()
		}
	}
	// The driver of ext2 knows no orphans.
	l, err := OpenAs("testdata/states/orphans.img.gz", OpenOptions{KeepOrphans: true})
	if err != nil || l.FreeClusters() != 5422 {
		t.Errorf("%v, %d free blocks", err, l.FreeClusters())
	}
}

// decorate puts something before each line of a text, and ends lines with end.
func decorate(text, before, end string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(before + strings.TrimSuffix(line, "\n") + end)
	}
	return b.String()
}

// TestDecoratedTexts reads each recorded text in every disguise: it must stay the same file
// system.
func TestDecoratedTexts(t *testing.T) {
	for _, name := range []string{"full-1", "bigalloc-1", "no-flex-1", "ext2-holes-1", "block-1k-full-1"} {
		text := string(gunzip(t, "testdata/"+name+".dumpe2fs.gz"))
		want, err := ReadDumpe2fs(strings.NewReader(text), name)
		if err != nil {
			t.Fatal(err)
		}
		// In another language the first word differs, which makes the reader go by places.
		foreign := regexp.MustCompile(`(?m)^Group (\d)`).ReplaceAllString(strings.ReplaceAll(text, "  Free ", "  Libres "), "Groupe $1")
		foreign = strings.NewReplacer(" free blocks", " blocs", " free inodes", " inodes", " directories", " dossiers", " unused inodes", " inutilisés",
			"Block bitmap at", "Bitmap de blocs à", "Inode table at", "Table d'inodes à", "Primary", "Primaire", "Backup", "Secours").Replace(foreign)
		wide := "\xff\xfe"
		for _, c := range text {
			wide += string([]byte{byte(c), byte(c >> 8)})
		}
		for what, disguised := range map[string]string{
			"quoted":           decorate(text, "> ", "\n"),
			"quoted twice":     decorate(text, ">> ", " \r\n"),
			"in a table":       decorate(text, "\u00a0\u00a0| ", "\n"),
			"CRLF and BOM":     "\ufeff" + decorate(text, "", "\r\n"),
			"fenced":           "Here it is:\n```\n" + text + "\n```\n",
			"double spaced":    decorate(text, "", "\n\n"),
			"behind a command": "root@host:~# dumpe2fs /dev/sda1\ndumpe2fs 1.47.0 (5-Feb-2023)\n" + text,
			"a prompt behind":  strings.TrimRight(text, "\n") + "\nroot@host:~# exit\n",
			"foreign":          foreign,
			"UTF-16":           wide,
			"lists broken":     strings.ReplaceAll(text, ", ", ",\n    "),
			"with two dashes":  strings.ReplaceAll(text, "(Blocks 0-", "(Blocks 0 -- "),
		} {
			got, err := ReadDumpe2fs(strings.NewReader(disguised), what)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if d := diff(got, want); d != "" {
				t.Errorf("%s, %s: %s", name, what, d)
			}
		}
	}
}

// TestForeignTextRefused tests that what cannot be read by places says how it can be.
func TestForeignTextRefused(t *testing.T) {
	text := string(gunzip(t, "testdata/states/german.dump.gz"))
	for old, new := range map[string]string{
		"Inode-Bitmap in 50 (+49)": "Inode-Bitmap in 50", "3299 freie": "3298 freie", "3299 freie Blöcke, ": "", "Freie Inodes: 18-1024": "Freie Inodes 18-1024",
	} {
		_, err := ReadDumpe2fs(strings.NewReader(strings.Replace(text, old, new, 1)), "d")
		if err == nil || !strings.Contains(err.Error(), "d:5") || !strings.Contains(err.Error(), "LC_ALL=C dumpe2fs") {
			t.Errorf("%s: %v", new, err)
		}
	}
}

func TestTextsRefused(t *testing.T) {
	text := string(gunzip(t, "testdata/full-1.dumpe2fs.gz"))
	group := text[strings.LastIndex(text, "Group 1:"):]
	if _, err := ReadDumpe2fs(bytes.NewReader(make([]byte, 5000)), "d"); err == nil || !strings.Contains(err.Error(), "a binary file, not the text of dumpe2fs: an image is given as device.image") {
		t.Error(err)
	}
	for more, want := range map[string]string{
		text:  "d:75: a second file system begins: want the text of one",
		group: "d:75: a group behind the last one, which is group 1: \"Group 1: (Blocks 32768-40959)",
	} {
		_, err := ReadDumpe2fs(strings.NewReader(strings.TrimRight(text, "\n")+"\n"+more), "d")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	// A text that ends before the sizes is not that of dumpe2fs -h.
	head := text[:strings.Index(text, "Inode size:")]
	if _, err := (&Dump{Headers: true}).Read(strings.NewReader(head), "d"); err == nil || !strings.Contains(err.Error(), `"Inode size:" is missing`) {
		t.Errorf("%v", err)
	}
}

// writeTemp writes a file into a folder of the test.
func writeTemp(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}
