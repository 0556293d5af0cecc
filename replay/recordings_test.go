package replay

import (
	"bytes"
	"compress/gzip"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// keep is a folder of cases with recordings to keep a small copy of:
//
//	go test ./replay -run TestKeep -keep DIR
//
// DIR/CASE-N/KERNEL, with a whole trace, becomes testdata/CASE/KERNEL.N+1.
var keep = flag.String("keep", "", "folder of recordings to keep copies of in testdata")

// TestKeep copies recordings that part from each other into testdata: of each what its figures
// need, and the requests up to the line at which they part.
func TestKeep(t *testing.T) {
	if *keep == "" {
		t.Skip("nothing to keep")
	}
	found, _ := filepath.Glob(*keep + "/*-1/*/trace.txt.gz")
	for _, f := range found {
		kernel := filepath.Base(filepath.Dir(f))
		name := strings.TrimSuffix(filepath.Base(filepath.Dir(filepath.Dir(f))), "-1")
		all := []string{filepath.Join("../../shared/oracle/cases", name, kernel)}
		more, _ := filepath.Glob(filepath.Join(*keep, name+"-[0-9]", kernel))
		all = append(all, more...)
		var of []recording
		for _, dir := range all {
			of = append(of, recording{dir, all[0]})
		}
		last, err := parting(of)
		if err != nil || last == 0 {
			t.Errorf("%s/%s: %d, %v", name, kernel, last, err)
			continue
		}
		for i := range all {
			to := Recordings(filepath.Join("testdata", name), kernel)[0]
			if i > 0 {
				to += "." + string(rune('1'+i))
			}
			keepRecording(t, of[i], to, last)
		}
		t.Logf("%s/%s: %d recordings, they part at line %d", name, kernel, len(all), last)
	}
}

// keepRecording copies a recording: all requests up to a line, and the texts that are not as the
// first's.
func keepRecording(t *testing.T, r recording, to string, last int) {
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	pack := func(name string, text []byte) {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		z.Write(text)
		z.Close()
		if err := os.WriteFile(filepath.Join(to, name+".gz"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	trace, file, err := openText(filepath.Join(r.dir, "trace.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var cut bytes.Buffer
	if err := CutTrace(&cut, trace, r.dir, last); err != nil {
		t.Fatal(err)
	}
	pack("requests.txt", cut.Bytes())
	for _, name := range []string{"results.txt", "files.txt", "mb_groups.txt", "mb_stats.txt", "mb_structs.txt", "mb_groups.log"} {
		text, err := r.text(name)
		if err != nil {
			t.Fatal(err)
		}
		first, err := readText(filepath.Join(r.first, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, first) && !(name == "results.txt" && sameResults(t, r)) {
			pack(name, text)
		}
	}
}

// sameResults says that a recording has the results of the first one; it may have another process.
func sameResults(t *testing.T, r recording) bool {
	a, err := r.results()
	if err != nil {
		t.Fatal(err)
	}
	b, err := recording{r.first, r.first}.results()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Equal(a, b)
}
