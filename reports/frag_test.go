package reports

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/image"
	"mbsim/metrics"
)

// tool is the path of a program that may not be installed.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = "/usr/sbin/" + name
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip(name, "is not installed")
	}
	return path
}

func runTool(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Stdin = strings.NewReader(stdin)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, errs.Bytes())
	}
	return string(out)
}

// realImage makes a file system with the real tools, writes files into it and
// removes every other one.
func realImage(t *testing.T, args ...string) string {
	t.Helper()
	mkfs, debugfs := tool(t, "mkfs.ext4"), tool(t, "debugfs")
	dir := t.TempDir()
	img := filepath.Join(dir, "img")
	runTool(t, "", mkfs, append(append([]string{"-q", "-F"}, args...), img, "48M")...)
	rnd := rand.New(rand.NewPCG(1, 2))
	var script strings.Builder
	for i := range 60 {
		name := filepath.Join(dir, fmt.Sprint("f", i))
		if err := os.WriteFile(name, bytes.Repeat([]byte{1}, 1+int(rnd.ExpFloat64()*200e3)), 0o666); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&script, "write %s f%d\n", name, i)
	}
	for i := 0; i < 60; i += 2 {
		fmt.Fprintf(&script, "rm f%d\n", i)
	}
	runTool(t, script.String(), debugfs, "-w", img)
	return img
}

// The text is e2freefrag's own, on real file systems.
func TestFreeFragIsTheToolsOwn(t *testing.T) {
	e2freefrag := tool(t, "e2freefrag")
	for _, args := range [][]string{{"-b", "4096"}, {"-b", "1024"}, {"-b", "2048", "-O", "^flex_bg"}, {"-b", "4096", "-g", "2048"}, {"-b", "8192"}, {"-b", "16384"}, {"-b", "32768"}, {"-b", "65536"}, {"-b", "1024", "-O", "^has_journal", "-m", "50"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			img := realImage(t, args...)
			l, err := image.Open(img)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			geo := l.Geometry()
			f := metrics.FreeSpaceOf(l, &geo)
			var b bytes.Buffer
			if err := WriteFreeFrag(&b, img, &f, f.Blocks); err != nil {
				t.Fatal(err)
			}
			if want := runTool(t, "", e2freefrag, img); b.String() != want {
				t.Errorf("got\n%s\nwant\n%s", b.String(), want)
			}
		})
	}
}

// Made with e2freefrag 1.47.0 on an empty 64M file system of 1K blocks, and on
// one without free space (whose histogram has no lines).
func TestFreeFragSamples(t *testing.T) {
	f := metrics.FreeSpace{BlockSize: 1024, Total: 65536, Blocks: 56023, Extents: 6, Min: 3808, Max: 16126}
	f.Sizes[11] = metrics.Bin{Count: 1, Sum: 3808}
	f.Sizes[12] = metrics.Bin{Count: 3, Sum: 19963}
	f.Sizes[13] = metrics.Bin{Count: 2, Sum: 32252}
	const want = `Device: /tmp/m.img
Blocksize: 1024 bytes
Total blocks: 65536
Free blocks: 56023 (85.5%)

Min. free extent: 3808 KB 
Max. free extent: 16126 KB
Avg. free extent: 9337 KB
Num. free extent: 6

HISTOGRAM OF FREE EXTENT SIZES:
Extent Size Range :  Free extents   Free Blocks  Percent
    2M...    4M-  :             1          3808    6.80%
    4M...    8M-  :             3         19963   35.63%
    8M...   16M-  :             2         32252   57.57%
`
	var b bytes.Buffer
	if err := WriteFreeFrag(&b, "/tmp/m.img", &f, 56023); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
	b.Reset()
	if err := WriteFreeFrag(&b, "x", &metrics.FreeSpace{BlockSize: 4096, Total: 100}, 0); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(b.String(), "Free blocks: 0 (0.0%)\n\nMin. free extent: 0 KB \nMax. free extent: 0 KB\nAvg. free extent: 0 KB\nNum. free extent: 0\n\n"+
		"HISTOGRAM OF FREE EXTENT SIZES:\nExtent Size Range :  Free extents   Free Blocks  Percent\n") {
		t.Errorf("got\n%s", b.String())
	}
}

// The last class takes what is larger, and the end of a unit is named in it.
func TestFreeFragRanges(t *testing.T) {
	f := metrics.FreeSpace{BlockSize: 4096, Total: 1 << 42, Blocks: 1, Extents: 1, Min: 1, Max: 1}
	for _, i := range []int{0, 7, 8, 29, 30, 33} {
		f.Sizes[i] = metrics.Bin{Count: 1, Sum: 1 << i}
	}
	var b bytes.Buffer
	if err := WriteFreeFrag(&b, "x", &f, 1<<42); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^(.*\.\.\..*)  : +(\d+) `).FindAllStringSubmatch(b.String(), -1) {
		got = append(got, strings.ReplaceAll(m[1], " ", "")+":"+m[2])
	}
	if want := []string{"4K...8K-:1", "512K...1024K-:1", "1M...2M-:1", "2T...4T-:1", "4T...max:2"}; !equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Made with filefrag 1.47.0 on ext4: an image with holes and unwritten blocks.
const filefragSample = `Filesystem type is: ef53
File size of /tmp/m.img is 67108864 (16384 blocks of 4096 bytes)
 ext:     logical_offset:        physical_offset: length:   expected: flags:
   0:        0..       8:    8716832..   8716840:      9:            
   1:       12..      12:    8716844..   8716844:      1:            
   2:       16..      17:    8716848..   8716849:      2:            
   3:      276..     276:    8717108..   8717108:      1:            
   4:      280..     282:    8717112..   8717114:      3:            
   5:      284..     284:    8716802..   8716802:      1:    8717116:
   6:      288..     288:    8717312..   8717312:      1:    8716806:
   7:      289..    1311:    8717313..   8718335:   1023:             unwritten
   8:    16368..   16383:    8716816..   8716831:     16:    8733392: last,unwritten,eof
/tmp/m.img: 4 extents found
`

var (
	fragSize = regexp.MustCompile(`^File size of (.*) is (\d+) \((\d+) blocks? of (\d+) bytes\)$`)
	fragLine = regexp.MustCompile(`^ *\d+: +(\d+)\.\. *(\d+): +(\d+)\.\. *(\d+): +(\d+): (.{11}) ?(.*)$`)
)

// parseFileFrag reads the extents of a file from the tool's text.
func parseFileFrag(t *testing.T, s string) (f filesystem.FileInfo, blockSize int64) {
	t.Helper()
	n := func(s string) uint64 {
		v, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		if m := fragSize.FindStringSubmatch(line); m != nil {
			f.Path, f.Size, blockSize = m[1], int64(n(m[2])), int64(n(m[4]))
		}
		if m := fragLine.FindStringSubmatch(line); m != nil {
			e := filesystem.Extent{Logical: n(m[1]), Len: n(m[2]) - n(m[1]) + 1, Physical: allocator.Block(n(m[3]))}
			for _, k := range fileFragFlags {
				for flag := range strings.SplitSeq(m[7], ",") {
					if flag == k.name {
						e.Flags |= k.flag
					}
				}
			}
			f.Extents = append(f.Extents, e)
		}
	}
	return f, blockSize
}

func fileFragText(t *testing.T, s filesystem.Statfs, files ...filesystem.FileInfo) string {
	t.Helper()
	var b bytes.Buffer
	x := NewFileFrag(&b, s)
	for i := range files {
		if err := x.Write(&files[i]); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestFileFragSample(t *testing.T) {
	f, blockSize := parseFileFrag(t, filefragSample)
	if len(f.Extents) != 9 {
		t.Fatalf("%d extents in the sample", len(f.Extents))
	}
	if got := fileFragText(t, filesystem.Statfs{BlockSize: blockSize, Blocks: 66053021}, f); got != filefragSample {
		t.Errorf("got\n%s", got)
	}
	if l := metrics.LayoutOf(f.Extents, 0); l.Extents != 4 {
		t.Errorf("the metric counts %d extents", l.Extents)
	}
}

// The text is filefrag's own for files of the machine this runs on, if they lie
// on ext4.
func TestFileFragIsTheToolsOwn(t *testing.T) {
	filefrag := tool(t, "filefrag")
	name := filepath.Join(t.TempDir(), "f")
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	for _, off := range []int64{0, 5 << 12, 40 << 12, 41 << 12, 3 << 20, 1<<20 + 4096} {
		if _, err := out.WriteAt(make([]byte, 5000), off); err != nil {
			t.Fatal(err)
		}
		if err := out.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{name, exe, empty} {
		cmd := exec.Command(filefrag, "-v", name)
		raw, err := cmd.Output()
		want := string(raw)
		if err != nil || !strings.HasPrefix(want, "Filesystem type is: ef53\nFile size") {
			t.Skipf("no ext4 with extents under %s: %v %.60q", name, err, want)
		}
		f, blockSize := parseFileFrag(t, want)
		// The columns are ten digits wide at least: no device here needs more.
		if got := fileFragText(t, filesystem.Statfs{BlockSize: blockSize, Blocks: 1 << 26}, f); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// What the tool does not show on the machine of the test: delayed extents, files
// of indirect blocks, and columns that have grown.
func TestFileFragForms(t *testing.T) {
	delayed := filesystem.FileInfo{Path: "d", Size: 8192, Extents: []filesystem.Extent{
		{Logical: 0, Len: 2, Flags: filesystem.ExtentLast | filesystem.ExtentUnknown | filesystem.ExtentDelalloc},
	}}
	indirect := filesystem.FileInfo{Path: "i", Size: 4096, Extents: []filesystem.Extent{
		{Logical: 0, Len: 1, Physical: 77, Flags: filesystem.ExtentLast | filesystem.ExtentMerged},
	}}
	huge := filesystem.FileInfo{Path: "h", Size: 1 << 50}
	got := fileFragText(t, filesystem.Statfs{BlockSize: 4096, Blocks: 100000}, indirect, huge, delayed)
	const want = `Filesystem type is: ef53
Filesystem cylinder groups approximately 4
File size of i is 4096 (1 block of 4096 bytes)
 ext:     logical_offset:        physical_offset: length:   expected: flags:
   0:        0..       0:         77..        77:      1:             last,merged,eof
i: 1 extent found
File size of h is 1125899906842624 (274877906944 blocks of 4096 bytes)
h: 0 extents found
File size of d is 8192 (2 blocks of 4096 bytes)
 ext:           logical_offset:        physical_offset: length:   expected: flags:
   0:           0..          1:          0..         0:      0:             last,unknown_loc,delalloc,eof
d: 1 extent found
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}
